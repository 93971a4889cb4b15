"""Pass two: one fused task a block - read, warp, normalise, detect, write - and the rasters that come of
it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from dask.delayed import delayed

from pipeline.aligned import AlignedImages, Window
from pipeline.cluster import compute
from pipeline.grid import blocks
from pipeline.outputs.layers import LayerStore
from pipeline.outputs.rasters import BlockStore, RasterSpec
from pipeline.pair import Pair
from pipeline.progress import Progress
from pipeline.stages.detect import Detector
from pipeline.stages.normalize import Radiometry


def write_rasters(
    images: AlignedImages,
    folder: Path,
    specs: Mapping[str, RasterSpec],
    chunk: int,
    progress: Progress,
    *,
    radiometry: Radiometry | None = None,
    detection: Detection | None = None,
) -> dict[str, float]:
    """Write FOLDER/<name>.tif for each of `specs` (before, after), and the layers where there is a detector.

    `chunk` is the side of a block in pixels, made up to whole tiles of the detector; no pixel depends on it.
    Returns the share of the grid that was observed `before`, `after` and on `both` dates.
    """
    store = BlockStore(folder / "blocks", images.grid)
    store.folder.mkdir()
    work = _Block(radiometry, detection, specs, store)
    tile, reach = (detection.detector.tile, detection.detector.reach) if detection else (1, 0)
    windows = blocks(images.grid, -(-chunk // tile) * tile)
    counts = np.array(compute(*images.each(windows, work, halo=reach), progress=progress)).sum(axis=0)
    join = delayed(store.join, pure=False)
    compute(*[join(spec, windows, folder / f"{name}.tif") for name, spec in specs.items()])
    store.discard()
    if detection:
        detection.layers.finish(windows)
    total = int(np.prod(images.grid.shape))
    return dict(zip(("before", "after", "both"), (round(float(n) / total, 6) for n in counts), strict=True))


@dataclass(frozen=True)
class Detection:
    """A detector, and where its layers go."""

    detector: Detector
    layers: LayerStore


@dataclass(frozen=True)
class _Block:
    """Everything after the warp for one window, up to blocks on disk."""

    radiometry: Radiometry | None
    detection: Detection | None
    specs: Mapping[str, RasterSpec]
    store: BlockStore

    def __call__(self, window: Window, inner: Window, pair: Pair) -> tuple[int, int, int]:
        """Write the window's rasters; returns how many of its pixels were observed before, after, and on
        both dates.
        """
        after, around = pair.after, _around(window, inner, pair.after.shape[1:])
        if self.radiometry is not None:
            after = self.radiometry.apply_array(after, *around)
        own = {"before": pair.before[:, *inner], "after": after[:, *inner]}
        for name in own.keys() & self.specs.keys():
            self.store.write(self.specs[name], window, self.specs[name].encode(own[name]))
        if self.detection is not None:
            origin = around[0].start, around[1].start
            layers = self.detection.detector(Pair(pair.before, after, pair.observed, pair.after), origin)
            self.detection.layers.write(window, layers[:, *inner])
        before_seen, after_seen = (~np.isnan(own[name]).any(axis=0) for name in ("before", "after"))
        return int(before_seen.sum()), int(after_seen.sum()), int((before_seen & after_seen).sum())


def _around(window: Window, inner: Window, shape: tuple[int, ...]) -> Window:
    """Where a block with its halo lies on the grid; `inner` says where in it `window` is."""
    rows, cols = (
        slice(part.start - within.start, part.start - within.start + size)
        for part, within, size in zip(window, inner, shape, strict=True)
    )
    return rows, cols
