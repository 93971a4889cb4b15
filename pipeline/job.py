"""What is asked for, and what it is asked of: two dates as delivered, and the grid they are compared on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pystac
import xarray as xr
from odc.geo import Geometry
from odc.geo.geobox import GeoBox

from pipeline.aligned import AlignedImages
from pipeline.compute import compute
from pipeline.config import Settings
from pipeline.errors import AlignmentRejectedError, NoOverlapError, NothingObservedError
from pipeline.grid import crop, native_grid, site_grid
from pipeline.secrecy import without_secrets
from pipeline.shift import ShiftField
from pipeline.stages.align import Alignment
from pipeline.stages.load import Load, common_bands
from pipeline.stages.warp import Warp

_MARGIN_PX = (
    96  # delivered pixels kept around the area of interest, so that a misaligned image still covers it
)


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
    exclude: Mapping[str, Geometry] | None = None
    bands: tuple[str, ...] | None = None


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

    @property
    def tags(self) -> dict[str, str]:
        """What every raster of a result carries."""
        return {"GROUNDBREAK_MADE": "YES"} if self.made else {}


def load(job: Job) -> Scene:
    """Describe both dates on their own grids and choose the grid to compare them on. Reads no pixels."""
    bands = common_bands(job.before, job.after, job.bands)
    natives = native_grid(job.before, bands), native_grid(job.after, bands)
    grid = site_grid(natives[0], job.aoi, crs=job.settings.crs, resolution=job.settings.resolution)
    stage = Load(bands)
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


def aligned(job: Job, scene: Scene, field: ShiftField) -> AlignedImages:
    """Both dates on the site's grid, lazily; `field` says how far the after image is off."""
    return AlignedImages.of(scene.before, scene.after, scene.grid, field, Warp(job.settings.compute.kernel))


def _named(items: Sequence[pystac.Item]) -> str:
    assets = [asset for item in items for asset in item.assets.values()]
    hrefs = [without_secrets(asset.get_absolute_href() or asset.href) for asset in assets]
    return hrefs[0] if len(hrefs) == 1 else f"{Path(hrefs[0]).parent} ({len(hrefs)} files)"
