"""A finished comparison, opened from where it lies: findings, images, provenance, read when asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import xarray as xr
from pydantic import ValidationError

from pipeline.api.html import result_html
from pipeline.errors import SourceNotFoundError, SourceUnreadableError
from pipeline.grid import native_grid
from pipeline.outputs.provenance import RUN_FILE
from pipeline.record import Run
from pipeline.remote import absolute, fetch, is_url, share_endpoint
from pipeline.scenes import band_names, describe
from pipeline.scenes.counts import Counts
from pipeline.stages.load import Load

if TYPE_CHECKING:
    import folium

CHUNK = 1024  # pixels a side; tiles of the files are 512


@dataclass(frozen=True, eq=False)
class Result:
    """What a comparison left behind. Nothing but run.json is read before it is asked for; a file that is not
    there raises SourceNotFoundError then.
    """

    folder: str
    """absolute path of the folder, or its URL"""
    run: Run
    """how the result came about: inputs, alignment, what was observed, settings, versions"""

    @cached_property
    def findings(self) -> gpd.GeoDataFrame:
        """A row a finding, the surest first, in the grid's CRS: `id`, `kind`, `direction`, `confidence`,
        `area_m2`, `length_m`, `width_m`, `zone`, and the outline.
        """
        return gpd.read_parquet(BytesIO(fetch(self._file("changes.parquet"))))

    @cached_property
    def images(self) -> xr.Dataset:
        """Both images on one grid, aligned and normalised, lazy: `before`, `after` (band, y, x) float32,
        physical values, NaN where not observed; `observed` (y, x) bool, on both dates.
        """
        dates = {"before": self.run.before, "after": self.run.after}
        each = {name: self._raster(f"{name}.tif") for name in dates}
        pixels = {
            name: image["image"].assign_attrs(date=dates[name].date, made=self.run.made)
            for name, image in each.items()
        }
        observed = each["before"]["observed"] & each["after"]["observed"]
        return xr.Dataset({**pixels, "observed": observed})

    @cached_property
    def change(self) -> xr.DataArray:
        """Probability of new construction, lazy: (y, x) float32, percent, NaN where not observed."""
        change = self._raster("change.tif", "change")["image"].isel(band=0, drop=True)
        return change.rename("change").assign_attrs(units="%")

    @cached_property
    def shift(self) -> xr.Dataset:
        """How far the after image was off, lazy: `dx`, `dy` (y, x) float32, metres east and north. What lies
        at (X, Y) in the image before was seen at (X + dx, Y + dy) in the image after as delivered.
        """
        both = self._raster("shift.tif", "dx", "dy")["image"]
        parts = {str(name): both.sel(band=name, drop=True) for name in both["band"].values}
        return xr.Dataset({name: part.assign_attrs(units="m") for name, part in parts.items()})

    @property
    def report(self) -> Path | str:
        """Where the report for people is; a URL where the result is at one."""
        file = self._file("report.html")
        return file if is_url(file) else Path(file)

    def explore(self, **options: Any) -> folium.Map:
        """The findings on a map to pan and zoom in a notebook, over both images, which can be switched.

        Needs `pip install 'groundbreak[notebook]'`; the page that it makes loads Leaflet from the web.
        `options` are those of `GeoDataFrame.explore`; there is no background map unless `tiles` names one.
        """
        from pipeline.api.map import explore

        return explore(self.findings, self.images, options)

    def _repr_html_(self) -> str:
        return result_html(self)

    def __repr__(self) -> str:
        count = self.run.findings.count if self.run.findings else 0
        dates = f"{self.run.before.date} to {self.run.after.date}"
        return f"<Result {self.run.site.name!r}, {dates}: {count} findings, {self.folder}>"

    def _file(self, name: str) -> str:
        return f"{self.folder}/{name}"

    def _raster(self, name: str, *bands: str) -> xr.Dataset:
        """A raster of the result; its bands are called so, or as the file says."""
        place = self._file(name)
        items = describe(place, bands=bands, counts=Counts(1.0, 0.0)) if bands else describe(place)
        names = bands or band_names(items)
        return Load(names, CHUNK)(items, native_grid(items, names))


def open_result(folder: str | Path) -> Result:
    """The result in a folder, or at a URL (`https://`, `s3://`), that `compare`, `run` or `monitor` wrote.

    Raises SourceNotFoundError where there is no finished result, SourceUnreadableError where run.json is not
    one of Groundbreak's.
    """
    share_endpoint()
    place = absolute(folder)
    try:
        text = fetch(f"{place}/{RUN_FILE}")
    except SourceNotFoundError as error:
        raise SourceNotFoundError(f"{error}; only a folder with {RUN_FILE} holds a finished result") from None
    try:
        return Result(place, Run.model_validate_json(text))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise SourceUnreadableError(
            f"{place}/{RUN_FILE}: not a record of Groundbreak ({where}: {first['msg']}); name another folder"
        ) from None
