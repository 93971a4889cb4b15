"""One pair of dates, start to end: the one place that orders the stages.

Pass one reads a sample and ends in small values (shift field, gains, change model); pass two is one fused
task a block that reads, warps, normalises, detects and writes. A result becomes visible in its folder only
when all of it is there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pystac
import xarray as xr
from numpy.typing import NDArray
from odc.geo import Geometry
from odc.geo.geobox import GeoBox

from pipeline.aligned import AlignedImages, Window
from pipeline.cluster import compute
from pipeline.config import Settings
from pipeline.errors import AlignmentRejectedError, NoOverlapError, NothingObservedError
from pipeline.fuse import write_rasters
from pipeline.grid import blocks, crop, native_grid, pixel_size, site_grid
from pipeline.outputs import write_products, write_run
from pipeline.outputs.rasters import PairReader, RasterSpec, image_spec, read_percent, write_cog
from pipeline.outputs.staging import staging
from pipeline.pair import Pair
from pipeline.progress import Progress
from pipeline.shift import ShiftField
from pipeline.stages.align import Alignment
from pipeline.stages.detect import NOT_OBSERVED
from pipeline.stages.load import Load, common_bands
from pipeline.stages.normalize import Radiometry
from pipeline.stages.warp import Warp
from pipeline.summary import findings_summary, summarise

_MARGIN_PX = (
    96  # delivered pixels kept around the area of interest, so that a misaligned image still covers it
)
_SAMPLE_WINDOW = 256
_SAMPLE_WINDOWS = 64
_SAMPLE_PIXELS = 400_000
Sampled = tuple[Window, Pair]


@dataclass(frozen=True)
class Job:
    """What to compare and where the result goes: `out` gets the files themselves."""

    site_id: str
    site_name: str
    out: Path
    before: tuple[pystac.Item, ...]
    after: tuple[pystac.Item, ...]
    settings: Settings
    before_mask: Path | Sequence[Path] | None = None
    after_mask: Path | Sequence[Path] | None = None
    aoi: Geometry | None = None
    zones: Mapping[str, Geometry] | None = None
    bands: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Result:
    """A finished comparison: its folder, the findings in the grid's CRS, and what run.json says."""

    folder: Path
    findings: gpd.GeoDataFrame
    summary: dict[str, Any]


@dataclass(frozen=True, eq=False)
class Scene:
    """Both dates as delivered (lazy), the bands they share, and the grid they are compared on."""

    before: xr.Dataset
    after: xr.Dataset
    grid: GeoBox
    bands: tuple[str, ...]

    @property
    def made(self) -> bool:
        """Whether either image is simulated, by its own metadata."""
        return bool(self.before.attrs["made"] or self.after.attrs["made"])


def run(job: Job, progress: Progress) -> Result:
    """Compare the two dates and write everything that a run leaves behind.

    Raises a GroundbreakError (bad input, NoOverlapError, AlignmentRejectedError, NothingObservedError, ...)
    and then leaves the folder as it was.
    """
    with staging(job.out) as folder:
        with progress.stage("load"):
            scene = load(job)
        with progress.stage("align"):
            alignment = align(job, scene)
        images = _aligned(job, scene, alignment.field)
        with progress.stage("normalize"):
            sample = _sample(images)
            radiometry = _radiometry(job, scene, sample)
        with progress.stage("detect"):
            model = job.settings.detect.fit(
                _normalised(sample, radiometry), scene.bands, pixel_size(scene.grid)
            )
            specs = _specs(scene)
            chunk = job.settings.compute.chunk_size
            observed = write_rasters(
                images, alignment.field, folder, specs, chunk, progress, radiometry=radiometry, model=model
            )
        with progress.stage("flag"):
            percent = read_percent(folder / "change.tif")
            flagged = job.settings.flag(percent, PairReader(folder), scene.grid, scene.bands, job.zones or {})
            write_cog(folder / "change.tif", specs["change"], scene.grid, flagged.percent[None])
        with progress.stage("report"):
            summary = summarise(
                job,
                scene,
                alignment,
                observed,
                radiometry=radiometry.as_dict(),
                detector=model.as_dict(),
                findings=findings_summary(flagged.findings),
                stages=progress.stages,
            )
            write_products(folder, flagged.findings, summary)
        write_run(folder, summary)
    return Result(job.out, flagged.findings, summary)


def align_only(job: Job, progress: Progress, warp: bool) -> Result:
    """Only shift.tif and run.json, and with `warp` the aligned after.tif."""
    with staging(job.out) as folder:
        with progress.stage("load"):
            scene = load(job)
        with progress.stage("align"):
            alignment = align(job, scene)
        images = _aligned(job, scene, alignment.field)
        with progress.stage("write"):
            names = ("after", "shift") if warp else ("shift",)
            specs = {name: spec for name, spec in _specs(scene).items() if name in names}
            chunk = job.settings.compute.chunk_size
            observed = write_rasters(images, alignment.field, folder, specs, chunk, progress)
        summary = summarise(job, scene, alignment, observed, stages=progress.stages)
        write_run(folder, summary)
    return Result(job.out, gpd.GeoDataFrame(geometry=[], crs=str(scene.grid.crs)), summary)


def load(job: Job) -> Scene:
    """Describe both dates on their own grids and choose the grid to compare them on. Reads no pixels."""
    bands = common_bands(job.before, job.after, job.bands)
    natives = native_grid(job.before, bands), native_grid(job.after, bands)
    grid = site_grid(natives[0], job.aoi, crs=job.settings.crs, resolution=job.settings.resolution)
    stage = Load(bands, job.settings.compute.chunk_size)
    images = []
    for items, native, mask in zip(
        (job.before, job.after), natives, (job.before_mask, job.after_mask), strict=True
    ):
        try:
            part = crop(native, grid.extent, _MARGIN_PX)
        except NoOverlapError as error:
            raise NoOverlapError(
                f"{_named(items)} lies outside the ground that {_named(job.before)} shows;"
                " name images of one place"
            ) from error
        images.append(stage(items, part, mask))
    return Scene(images[0], images[1], grid, bands)


def align(job: Job, scene: Scene) -> Alignment:
    """Find how far the after image is off; raises NothingObservedError where that is for want of any
    pixel.
    """
    try:
        return job.settings.align(scene.before, scene.after, scene.grid)
    except AlignmentRejectedError:
        for image, items in ((scene.before, job.before), (scene.after, job.after)):
            if not bool(compute(image["observed"].any().data)[0]):
                raise NothingObservedError(
                    f"{_named(items)}: no pixel is usable (clouds, mask or nodata cover all of it);"
                    " take another date"
                ) from None
        raise


def _named(items: Sequence[pystac.Item]) -> str:
    hrefs = [asset.get_absolute_href() or asset.href for item in items for asset in item.assets.values()]
    return hrefs[0] if len(hrefs) == 1 else f"{Path(hrefs[0]).parent} ({len(hrefs)} files)"


def _aligned(job: Job, scene: Scene, field: ShiftField) -> AlignedImages:
    return AlignedImages.of(scene.before, scene.after, scene.grid, field, Warp(job.settings.compute.kernel))


def _sample(images: AlignedImages) -> list[Sampled]:
    """Windows spread evenly over the grid; all of it where the grid is small."""
    windows = blocks(images.grid, _SAMPLE_WINDOW)
    chosen = [
        windows[i] for i in np.unique(np.linspace(0, len(windows) - 1, _SAMPLE_WINDOWS).round().astype(int))
    ]
    sample: list[Sampled] = list(compute(*images.each(chosen, _keep)))
    if not any(pair.observed.any() for _, pair in sample):
        raise NothingObservedError(
            "no pixel was observed on both dates (clouds, masks or nodata cover one or the other);"
            " take other dates"
        )
    return sample


def _keep(window: Window, _: Window, pair: Pair) -> Sampled:
    return window, pair


def _radiometry(job: Job, scene: Scene, sample: Sequence[Sampled]) -> Radiometry:
    """Fitted to every so many of the sample's observed pixels."""
    before, after = (
        np.concatenate(part, axis=1) for part in zip(*(pair.pixels() for _, pair in sample), strict=True)
    )
    rows, cols = np.concatenate(
        [np.argwhere(pair.observed).T + _corner(window) for window, pair in sample], axis=1
    )
    some = slice(None, None, max(1, before.shape[1] // _SAMPLE_PIXELS))
    shape = int(scene.grid.shape[0]), int(scene.grid.shape[1])
    return job.settings.normalize(before[:, some], after[:, some], scene.bands, rows[some], cols[some], shape)


def _corner(window: Window) -> NDArray[np.intp]:
    """First row and column, (2, 1)."""
    return np.array([[part.start] for part in window])


def _normalised(sample: Sequence[Sampled], radiometry: Radiometry) -> list[Pair]:
    return [
        Pair(pair.before, radiometry.apply_array(pair.after, *window), pair.observed)
        for window, pair in sample
    ]


def _specs(scene: Scene) -> dict[str, RasterSpec]:
    """The rasters of a result, by name."""
    tags = {"GROUNDBREAK_MADE": "YES"} if scene.made else {}
    return {
        "change": RasterSpec("change", ("change",), "uint8", NOT_OBSERVED, overviews="nearest", tags=tags),
        "before": image_spec("before", scene.before.attrs, scene.bands, tags),
        "after": image_spec("after", scene.after.attrs, scene.bands, tags),
        "shift": RasterSpec("shift", ("dx", "dy"), "float32", float("nan"), tags=tags),
    }
