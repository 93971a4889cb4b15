"""A site that `monitor` watches, opened from its folder: what is followed, its phases, its comparisons."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path

import geopandas as gpd
import pandas as pd

from pipeline.api.html import site_html
from pipeline.api.result import Result, open_result
from pipeline.errors import SourceNotFoundError
from pipeline.remote import absolute, fetch, is_url, share_endpoint
from pipeline.results import pair_results
from pipeline.stages.track import COLUMNS
from pipeline.timeline import CSV, GEOJSON, PHASES_CSV

_DAYS = ("not_before", "first_seen", "last_seen")


@dataclass(frozen=True, eq=False)
class SiteResult:
    """A site over all its dates; `folder` is an absolute path or a URL."""

    folder: str

    @property
    def id(self) -> str:
        """Of the site."""
        return self.folder.rsplit("/", 1)[-1]

    @cached_property
    def timeline(self) -> gpd.GeoDataFrame:
        """A row a thing that is followed, longitude and latitude: `id`, `kind`, `status` (`candidate`,
        `confirmed`, `refuted`, `removed`), `state`, `not_before`, `first_seen`, `last_seen` (days),
        `confidence`, `area_m2`, `zone`, and its outline as last seen.
        """
        told = json.loads(fetch(f"{self.folder}/{GEOJSON}"))
        columns = [*COLUMNS, "geometry"]
        if not told["features"]:
            return gpd.GeoDataFrame(columns=columns, geometry="geometry", crs="OGC:CRS84")
        table = gpd.GeoDataFrame.from_features(told["features"], crs="OGC:CRS84", columns=columns)
        return table.assign(**{name: pd.to_datetime(table[name]) for name in _DAYS})

    @cached_property
    def history(self) -> pd.DataFrame:
        """A row a thing and date: `id`, `date`, `observed`, `present`, `area_m2` (missing where the thing was
        not observed).
        """
        types = {"id": "string", "observed": "boolean", "present": "boolean"}
        return pd.read_csv(BytesIO(fetch(f"{self.folder}/{CSV}")), dtype=types, parse_dates=["date"])

    @cached_property
    def phases(self) -> pd.DataFrame:
        """A row a date: `date`, and the site's `phase` by what is confirmed."""
        return pd.read_csv(BytesIO(fetch(f"{self.folder}/{PHASES_CSV}")), parse_dates=["date"])

    @property
    def results(self) -> dict[tuple[str, str], Result]:
        """The comparisons that it follows from, by their two dates (YYYY-MM-DD).

        Raises SourceNotFoundError where the site is at a URL, at which folders cannot be listed.
        """
        if is_url(self.folder):
            raise SourceNotFoundError(
                f"{self.folder}: the comparisons of a site are found in folders only;"
                " open one of them by open_result('.../BEFORE_AFTER')"
            )
        pairs = pair_results(Path(self.folder))
        return {(pair.before, pair.after): open_result(pair.folder) for pair in pairs}

    def _repr_html_(self) -> str:
        return site_html(self)

    def __repr__(self) -> str:
        return f"<SiteResult {self.id!r}: {len(self.timeline)} things followed, {self.folder}>"


def open_site(folder: str | Path) -> SiteResult:
    """A site's folder, `OUT/<site id>`, or its URL.

    Raises SourceNotFoundError where `monitor` left nothing.
    """
    share_endpoint()
    site = SiteResult(absolute(folder))
    try:
        fetch(f"{site.folder}/{PHASES_CSV}")  # written last
    except SourceNotFoundError as error:
        raise SourceNotFoundError(f"{error}; name the folder of one site that monitor wrote") from None
    return site
