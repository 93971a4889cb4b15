"""Pass two: one fused task a block - read, warp, normalise, detect, write - and the rasters that come of
it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from dask.delayed import delayed

from pipeline.aligned import AlignedImages, Window
from pipeline.compute import compute, compute_groups, has_processes, worker_count
from pipeline.digests import sha256
from pipeline.grid import neighbours
from pipeline.outputs.blocks import BlockReader, BlockStore
from pipeline.outputs.cog import block_files, join, write_block
from pipeline.outputs.files import write_text
from pipeline.outputs.layers import LayerStore
from pipeline.outputs.rasters import RasterSpec
from pipeline.outputs.staging import settle
from pipeline.pair import Pair
from pipeline.progress import PartOf, Progress
from pipeline.stages.detect import Detector
from pipeline.stages.normalize import Radiometry

_TOGETHER = 4  # blocks a side of a square that one process does, at most,
_GROUPS = 2  # and so many squares a process, at least, so that all have something to do to the end;
_LAST = 0.25  # this share of all blocks comes last, in smaller squares, so that all end at the same time
_WAITING = 18
"""Blocks a thread that are handed out together: what was read and is still needed stays bounded, however
large the images are, and no thread waits long for the last of a group."""


@dataclass(frozen=True)
class Written:
    """All blocks of a result on disk. `observed`: the share of the grid that was observed `before`, `after`
    and on `both` dates.
    """

    store: BlockStore
    specs: Mapping[str, RasterSpec]
    observed: dict[str, float]

    def joined(self, folder: Path) -> list[Any]:
        """Make FOLDER/<name>.tif of each raster that is not yet there, as lazy tasks that give its path and
        checksum.
        """
        missing = [spec for name, spec in self.specs.items() if not (folder / f"{name}.tif").exists()]
        return [delayed(_join, pure=False)(self.store, spec, folder / f"{spec.name}.tif") for spec in missing]

    def reader(self) -> BlockReader:
        """Any window of both dates."""
        return BlockReader(self.store, self.specs["before"], self.specs["after"])


def _join(store: BlockStore, spec: RasterSpec, target: Path) -> tuple[Path, str]:
    join(store, spec, target)
    settle(target)  # here and now, and its checksum too: at the end the run would wait for them
    return target, sha256(target)


def write_blocks(
    images: AlignedImages,
    folder: Path,
    specs: Mapping[str, RasterSpec],
    side: int,
    progress: Progress,
    *,
    radiometry: Radiometry | None = None,
    detection: Detection | None = None,
) -> Written:
    """Write the blocks of `specs` (before, after) under `folder`, and the layers where there is a detector.

    `side`: of a block, in pixels; no pixel depends on it. Blocks that are there, of a run of the same job
    that was killed, are not written again.
    """
    reach = detection.detector.reach if detection else 0
    store = BlockStore(folder / f"blocks-{side}", images.grid, side)
    store.folder.mkdir(exist_ok=True)
    windows = store.blocks()
    work = _Block(radiometry, detection, specs, store)
    missing = [window for window in windows if not work.is_done(window)]
    lazy = partial(images.each, work=work, halo=reach)
    if has_processes():
        compute_groups(lazy, squares(missing, side), progress, _place)
    else:
        done = 0
        for group in neighbours(missing, side, math.ceil(math.sqrt(_WAITING * worker_count()))):
            compute(*lazy(group), progress=PartOf(progress, done, len(group), len(missing)))
            done += len(group)
    counts = np.array([json.loads(work.note(window).read_text()) for window in windows]).sum(axis=0)
    shares = counts / float(np.prod(images.grid.shape))
    told = {
        name: round(float(share), 6) for name, share in zip(("before", "after", "both"), shares, strict=True)
    }
    return Written(store, specs, told)


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

    def note(self, window: Window) -> Path:
        """Says that a block is done, and how many of its pixels were observed before, after, and on both
        dates.
        """
        return self.store.folder / f"{window[0].start}_{window[1].start}.json"

    def is_done(self, window: Window) -> bool:
        """Whether a block and its note are there; after a power cut a file may have its name and no bytes."""
        written = (block_files(self.store, spec, window) for spec in self.specs.values())
        files = [self.note(window), *chain.from_iterable(written)]
        if self.detection is not None:
            files.append(self.detection.layers.path(window))
        return all(file.exists() and file.stat().st_size > 0 for file in files)

    def __call__(self, window: Window, inner: Window, pair: Pair) -> None:
        """Write the window's rasters, and then the note of it."""
        after, around = pair.after, _around(window, inner, pair.after.shape[1:])
        if self.radiometry is not None:
            after = self.radiometry.apply_array(after, *around)
        own = {"before": pair.before[:, *inner], "after": after[:, *inner]}
        for name in own.keys() & self.specs.keys():
            write_block(self.store, self.specs[name], window, self.specs[name].encode(own[name]))
        if self.detection is not None:
            origin = around[0].start, around[1].start
            layers = self.detection.detector(Pair(pair.before, after, pair.observed, pair.after), origin)
            self.detection.layers.write(window, layers[:, *inner])
        before_seen, after_seen = (~np.isnan(own[name]).any(axis=0) for name in ("before", "after"))
        counts = [int(seen.sum()) for seen in (before_seen, after_seen, before_seen & after_seen)]
        write_text(self.note(window), json.dumps(counts))


def squares(missing: list[Window], side: int) -> list[list[Window]]:
    """Blocks of `side` pixels in squares, each for one process: as large as leaves every one some, and in the
    order in which they are best begun.
    """
    workers = worker_count()
    together = min(math.isqrt(len(missing) // (_GROUPS * workers)) or 1, _TOGETHER)
    large = sorted(neighbours(missing, side, together), key=len, reverse=True)
    last: list[Window] = []
    while workers > 1 and large and len(last) + len(large[-1]) <= _LAST * len(missing):
        last += large.pop()
    return [*large, *neighbours(last, side, (together + 1) // 2)]


def _place(windows: list[Window]) -> str:
    """Where neighbouring blocks lie on the grid, in words."""
    (top, bottom), (left, right) = (
        (min(part.start for part in parts), max(part.stop for part in parts))
        for parts in zip(*windows, strict=True)
    )
    return f"the block of rows {top} to {bottom - 1}, columns {left} to {right - 1} of the grid"


def _around(window: Window, inner: Window, shape: tuple[int, ...]) -> Window:
    """Where a block with its halo lies on the grid; `inner` says where in it `window` is."""
    rows, cols = (
        slice(part.start - within.start, part.start - within.start + size)
        for part, within, size in zip(window, inner, shape, strict=True)
    )
    return rows, cols
