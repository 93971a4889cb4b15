"""One pair of dates, start to end: the one place that orders the stages.

Pass one reads a sample and ends in small values (shift field, clouds, gains, change model); pass two is one
fused task a block that reads, warps, normalises, detects and writes. A result becomes visible in its folder
only when all of it is there; what a killed run had written of pass two is not done again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
from dask.delayed import delayed
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from pipeline.aligned import AlignedImages, Window
from pipeline.budget import Budget
from pipeline.compute import (
    compute_groups,
    even_groups,
    free_memory,
    has_processes,
    meanwhile,
    worker_count,
)
from pipeline.digests import remember
from pipeline.errors import NothingObservedError, SourceUnreadableError
from pipeline.fingerprint import fingerprint
from pipeline.fuse import Detection, write_blocks
from pipeline.grid import blocks, pixel_size
from pipeline.inputs import Inputs
from pipeline.job import Job, Scene, align, aligned, load
from pipeline.outputs.cog import write_cog
from pipeline.outputs.files import writing
from pipeline.outputs.layers import LayerStore
from pipeline.outputs.picture import Comparison, read_comparison
from pipeline.outputs.products import write_products
from pipeline.outputs.provenance import write_run
from pipeline.outputs.rasters import RasterSpec, image_spec
from pipeline.outputs.shift_raster import write_shift
from pipeline.outputs.staging import staging
from pipeline.pair import Pair, thinned
from pipeline.progress import Progress
from pipeline.screening import averaged, screen
from pipeline.stages.detect.detector import NOT_OBSERVED
from pipeline.stages.flag.segment import Strip
from pipeline.stages.normalize import Radiometry
from pipeline.summary import findings_summary, summarise

_SAMPLE_WINDOW = 256
_SAMPLE_WINDOWS = 64
_SAMPLE_PIXELS = 150_000
Sampled = tuple[Window, Pair]


@dataclass(frozen=True)
class Result:
    """A finished comparison: its folder, the findings in the grid's CRS, and what run.json says."""

    folder: Path
    findings: gpd.GeoDataFrame
    summary: dict[str, Any]


def run(job: Job, progress: Progress) -> Result:
    """Compare the two dates and write everything that a run leaves behind.

    Raises a GroundbreakError (bad input, NoOverlapError, AlignmentRejectedError, NothingObservedError, ...)
    and then leaves the folder as it was.
    """
    inputs = Inputs.of(job).begin()
    with staging(job.out, inputs.mark(fingerprint(job))) as folder:
        with progress.stage("load"):
            job.settings.detect.check()
            scene = load(job)
            chunk = _planned(job, scene, progress)
        with progress.stage("align"), meanwhile(*averaged(job, scene)) as read:
            alignment = align(job, scene)
        with progress.stage("screen"):
            screened = screen(job, scene, alignment.field, read)
        images = aligned(job, scene, alignment.field).without(screened)
        with progress.stage("normalize"):
            sample = _sample(images, folder)
            radiometry = _radiometry(job, scene, sample)
        with progress.stage("detect"):
            detector = job.settings.detect.fit(
                _normalised(sample, radiometry), scene.bands, pixel_size(scene.grid)
            )
            side = -(-chunk // detector.tile) * detector.tile
            layers = LayerStore.of(folder, scene.grid, detector.layers, side, detector.name)
            written = write_blocks(
                images,
                folder,
                _image_specs(scene),
                side,
                progress,
                radiometry=radiometry,
                detection=Detection(detector, layers),
            )
            write_shift(folder / "shift.tif", alignment.field, scene.grid, scene.tags)
        with progress.stage("flag"):
            with meanwhile(*written.joined(folder)) as joined:
                flagged = job.settings.flag(
                    layers, written.reader(), scene.grid, scene.bands, job.zones or {}, job.exclude or {}
                )
            for path, digest in joined:
                remember(path, digest)
            with meanwhile(_changed(folder, scene, flagged.percent)) as views:
                findings = flagged.findings
        with progress.stage("report"):
            inputs.check()
            summary = summarise(
                job,
                scene,
                alignment,
                inputs,
                progress.now(),
                screen=screened.as_dict(),
                observed=written.observed,
                radiometry=radiometry.as_dict(),
                detector=detector.as_dict(),
                findings=findings_summary(findings),
                excluded=flagged.excluded.as_dict(),
                stages=progress.stages,
            )
            write_products(folder, findings, summary, job.settings.pictures, *views)
        write_run(folder, summary)
    return Result(job.out, findings, summary)


def _planned(job: Job, scene: Scene, progress: Progress) -> int:
    """The side of a block for which there is memory; says what the run will take."""
    workers = worker_count()
    planned = Budget.of(scene, workers, workers if has_processes() else 0)
    planned.check_disk(job.out)
    chunk = planned.fitting(job.settings.compute.chunk_size, free_memory())
    progress.note(f"  {planned.told(chunk)}")
    return chunk


def _sample(images: AlignedImages, folder: Path) -> list[Sampled]:
    """Windows spread evenly over the grid; all of it where the grid is small. Other processes leave them in
    `folder`, since no image passes through the scheduler.
    """
    windows = blocks(images.grid, _SAMPLE_WINDOW)
    chosen = [
        windows[i] for i in np.unique(np.linspace(0, len(windows) - 1, _SAMPLE_WINDOWS).round().astype(int))
    ]
    keep = partial(_keep_in, folder) if has_processes() else _keep
    kept = compute_groups(partial(images.each, work=keep), even_groups(chosen))
    sample: list[Sampled] = [_kept(*one) for one in kept] if has_processes() else kept
    if not any(pair.observed.any() for _, pair in sample):
        raise NothingObservedError(
            "no pixel was observed on both dates (clouds, masks or nodata cover one or the other);"
            " take other dates"
        )
    _check_light(sample)
    return sample


def _check_light(sample: Sequence[Sampled]) -> None:
    """Raises SourceUnreadableError where an image holds no amounts of light, such as decibels."""
    for date in ("before", "after"):
        images = (getattr(pair, date) for _, pair in sample)
        brightest = float(np.fmax.reduce([np.fmax.reduce(image, axis=None) for image in images]))
        if brightest < 0:
            raise SourceUnreadableError(
                f"the {date} image: all values are below 0 ({brightest:.3g} at most), which light is not; "
                "give --scale and --offset, or take another product"
            )


def _keep(window: Window, _: Window, pair: Pair) -> Sampled:
    return window, pair


def _keep_in(folder: Path, window: Window, _: Window, pair: Pair) -> tuple[Window, Path]:
    path = folder / f".sample-{window[0].start}_{window[1].start}.npy"
    with writing(path):
        np.save(path, np.stack([pair.before, pair.after]))
    return window, path


def _kept(window: Window, path: Path) -> Sampled:
    before, after = np.load(path)
    path.unlink()
    return window, Pair.of(before, after)


def _radiometry(job: Job, scene: Scene, sample: Sequence[Sampled]) -> Radiometry:
    """Fitted to every so many of the sample's observed pixels."""
    pairs = [pair for _, pair in sample]
    some = thinned(pairs, _SAMPLE_PIXELS)
    before, after = _joined(pair.at(places) for pair, places in zip(pairs, some, strict=True))
    rows, cols = _joined(_on_grid(window, places) for (window, _), places in zip(sample, some, strict=True))
    shape = int(scene.grid.shape[0]), int(scene.grid.shape[1])
    return job.settings.normalize(before, after, scene.bands, rows, cols, shape)


def _joined(parts: Iterable[tuple[NDArray[Any], NDArray[Any]]]) -> list[NDArray[Any]]:
    return [np.concatenate(part, axis=-1) for part in zip(*parts, strict=True)]


def _on_grid(window: Window, places: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of the grid of pixels of a window, counted row by row."""
    rows, cols = np.unravel_index(places, [part.stop - part.start for part in window])
    return rows + window[0].start, cols + window[1].start


def _normalised(sample: Sequence[Sampled], radiometry: Radiometry) -> list[Pair]:
    return [
        Pair(pair.before, radiometry.apply_array(pair.after, *window), pair.observed, pair.after)
        for window, pair in sample
    ]


def _image_specs(scene: Scene) -> dict[str, RasterSpec]:
    """Both images of a result, by name."""
    return {
        "before": image_spec("before", scene.before.attrs, scene.bands, scene.tags),
        "after": image_spec("after", scene.after.attrs, scene.bands, scene.tags),
    }


def _changed(folder: Path, scene: Scene, percent: Strip) -> Any:
    """Write change.tif, the last of the rasters, as a lazy task that gives what all look like; unless that
    would travel between processes.
    """
    spec = RasterSpec("change", ("change",), "uint8", NOT_OBSERVED, overviews="nearest", tags=scene.tags)
    return delayed(partial(_write_change, folder, spec, scene.grid, percent, not has_processes()))()


def _write_change(
    folder: Path, spec: RasterSpec, grid: GeoBox, percent: Strip, shown: bool
) -> Comparison | None:
    write_cog(folder / "change.tif", spec, grid, lambda rows: percent(rows)[None])
    return read_comparison(folder) if shown else None
