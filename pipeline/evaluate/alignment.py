"""What is left of a misalignment whose truth is known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyproj import Transformer

from pipeline.errors import SourceNotFoundError, SourceUnreadableError
from pipeline.evaluate.read import open_raster


def shift_scores(shift: Path, truth: Path, dates: tuple[str, str] | None) -> dict[str, Any]:
    """What is left of the misalignment: measured minus true shift at points, in pixels of shift.tif.

    A sign turned round or the axes swapped show as residuals larger than the shift itself (`true_rms_px`).
    """
    xs, ys, true, crs = _true_shift(truth, dates)
    with open_raster(shift) as source:
        x, y = Transformer.from_crs(crs, source.crs, always_xy=True).transform(xs, ys)
        measured = np.array(list(source.sample(list(zip(x, y, strict=True)))))
        inside = (
            source.bounds.left < x,
            x < source.bounds.right,
            source.bounds.bottom < y,
            y < source.bounds.top,
        )
        pixel = (abs(source.transform.a) * abs(source.transform.e)) ** 0.5
    error = np.hypot(*(measured - true).T)[np.logical_and.reduce(inside)]
    known = error[np.isfinite(error)]
    size = np.hypot(*true.T)[np.logical_and.reduce(inside)]
    return {
        "points": len(known),
        "unknown": len(error) - len(known),
        "true_rms_px": _rms(size / pixel),
        "residual_rms_px": _rms(known / pixel),
        "residual_max_px": round(float(known.max() / pixel), 4) if len(known) else None,
    }


def _true_shift(path: Path, dates: tuple[str, str] | None) -> tuple[Any, Any, NDArray[np.float64], Any]:
    """Points x, y and (n, 2) dx, dy in metres, and their CRS."""
    if path.suffix != ".json":
        with open_raster(path) as source:
            rows, cols = (np.unique(np.linspace(0, n - 1, 64).astype(int)) for n in source.shape)
            col, row = (a.ravel() for a in np.meshgrid(cols, rows))
            x, y = source.transform @ (col + 0.5, row + 0.5)
            return x, y, source.read((1, 2)).astype(np.float64)[:, row, col].T, source.crs
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        pairs = told["pairs"]
        nodes = next(iter(pairs.values())) if len(pairs) == 1 else pairs["_".join(dates or ())]
        x, y = (a.ravel() for a in np.meshgrid(nodes["x"], nodes["y"]))
        return x, y, np.stack([np.ravel(nodes["dx"]), np.ravel(nodes["dy"])], axis=1), told["crs"]
    except OSError as error:
        raise SourceNotFoundError(f"{path}: no such file; name a shift truth (.json or .tif)") from error
    except (ValueError, KeyError, TypeError) as error:
        raise SourceUnreadableError(
            f"{path}: not a shift truth for these dates ({error}); name another"
        ) from error


def _rms(values: NDArray[np.float64]) -> float | None:
    return round(float(np.sqrt(np.mean(values**2))), 4) if len(values) else None
