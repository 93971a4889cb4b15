"""What one peer finds on one pair, in the peers' own Python (see peers_env); knows nothing of Groundbreak.

usage: python peer_tools.py TOOL BEFORE AFTER OUT.json LIMIT     TOOL: see TOOLS; LIMIT: seconds

All match band 3 (red) with their own defaults, told only what is nodata (0). Written: how far the
after image is off, `points` of [x, y, dx, dy] in pixels, y down; one point says one shift for all, `affine`
(2 x 3, OpenCV's) maps before to after instead.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from importlib.metadata import version
from pathlib import Path
from typing import Any

BAND = 3  # of four tried at 1024 px, the one that AROSICS does best on
NODATA = 0
PIXEL = 10.0  # metres, of make_scene.py


def _read(path: str) -> Any:
    from osgeo import gdal  # type: ignore[import-not-found]

    gdal.UseExceptions()
    image = gdal.Open(path)  # kept by name: a band outlives its image only to crash
    return image.GetRasterBand(BAND).ReadAsArray().astype("float32")


def scikit_image(before: str, after: str) -> dict[str, Any]:
    """One shift by phase correlation of the whole image, to a hundredth of a pixel."""
    from skimage.registration import phase_cross_correlation

    moved = phase_cross_correlation(_read(before), _read(after), upsample_factor=100)[0]
    return {"points": [[0, 0, -float(moved[1]), -float(moved[0])]]}  # it says how to move after back


def opencv(before: str, after: str) -> dict[str, Any]:
    """An affine map by enhanced correlation (Evangelidis and Psarakis 2008)."""
    import cv2  # type: ignore[import-not-found]
    import numpy as np

    first, second = _read(before), _read(after)
    seen = ((first != NODATA) & (second != NODATA)).astype(np.uint8)
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 100, 1e-6)
    start = np.eye(2, 3, dtype=np.float32)
    _, found = cv2.findTransformECC(first, second, start, cv2.MOTION_AFFINE, criteria, seen, 5)
    return {"affine": found.astype(float).tolist()}


def arosics_global(before: str, after: str) -> dict[str, Any]:
    """One shift from one window, where AROSICS puts it (Scheffler et al. 2017)."""
    from arosics import COREG  # type: ignore[import-not-found]

    found = COREG(before, after, r_b4match=BAND, s_b4match=BAND, nodata=(NODATA, NODATA), q=True)
    found.calculate_spatial_shifts()
    return {"points": [[0, 0, -float(found.x_shift_px), -float(found.y_shift_px)]]}


def arosics_local(before: str, after: str) -> dict[str, Any]:
    """Tie points every 64 pixels by windows of 256, its own outlier filters applied."""
    from arosics import COREG_LOCAL

    found = COREG_LOCAL(
        before,
        after,
        grid_res=64,
        window_size=(256, 256),
        r_b4match=BAND,
        s_b4match=BAND,
        nodata=(NODATA, NODATA),
        progress=False,
        q=True,
    )
    table = found.CoRegPoints_table
    good = table[(table["OUTLIER"] == False) & (table["X_SHIFT_PX"] != -9999)]  # noqa: E712
    columns = ("X_IM", "Y_IM", "X_SHIFT_PX", "Y_SHIFT_PX")
    rows = [[float(row[name]) for name in columns] for _, row in good.iterrows()]
    return {"points": [[x, y, -dx, -dy] for x, y, dx, dy in rows]}


TOOLS = {
    "scikit-image phase_cross_correlation": (scikit_image, "scikit-image"),
    "OpenCV findTransformECC": (opencv, "opencv-python-headless"),
    "AROSICS COREG": (arosics_global, "arosics"),
    "AROSICS COREG_LOCAL": (arosics_local, "arosics"),
}


def _end_all() -> None:
    os.killpg(0, signal.SIGKILL)


def main(tool: str, before: str, after: str, out: str, limit: str) -> None:
    os.setpgrp()  # so that worker processes end with it
    watch = threading.Timer(float(limit), _end_all)
    watch.daemon = True
    watch.start()
    find, package = TOOLS[tool]
    found = find(before, after) | {"version": version(package)}
    Path(out).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
