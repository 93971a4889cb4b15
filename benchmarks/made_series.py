"""Made sites of many dates, and how a timeline fares against what was really built there."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from pipeline.simulate.clouds import cast
from pipeline.simulate.scene import SceneSpec, cloud_cover, scene, truth
from pipeline.simulate.series import series_spec
from pipeline.simulate.things import Kind
from pipeline.simulate.write import write_raster, write_tiles

_WORKS: tuple[tuple[Kind, ...], ...] = (
    ("clearing", "road", "building"),
    ("clearing", "building", "building"),
    ("road", "clearing", "building", "earthwork"),
)
_MASKED = 0.1  # thickness of cloud, or of the cloud before the sun, from which the mask hides ground
_SIZE = 96  # pixels a side
_NEAR_M = 10.0  # a finding this near to what was built is of it


@dataclass(frozen=True)
class Site:
    """One made site; `works` in the CRS of its first date, `since` when they stand; may be empty."""

    name: str
    works: gpd.GeoDataFrame


def make_site(scratch: Path, seed: int, built: bool, dates: Sequence[str]) -> Site:
    """Images, masks and a site file."""
    print(f"  series {seed}", file=sys.stderr, flush=True)
    spec = series_spec(seed, tuple(dates), _WORKS[seed % len(_WORKS)] if built else (), _SIZE)
    name, images = f"site-{seed}", scratch / "images" / str(seed)
    for day in dates:
        made = scene(spec, day)
        write_tiles(images / day, "made", made, {}, tiles=1)
        write_raster(images / f"{day}-mask.tif", _mask(spec, day), made.geobox, ("mask",), {})
    text = f"id: {name}\nsource: {{files: '{images}/{{date}}/*.tif'}}\nmasks: '{images}/{{date}}-mask.tif'\n"
    path = scratch / "sites" / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return Site(name, _works(spec, dates))


def _mask(spec: SceneSpec, day: str) -> Any:
    if not spec.views[day].cloud:
        return np.zeros((1, *spec.geobox.shape), np.uint8)
    thick = cloud_cover(spec, day)
    hidden = (thick > _MASKED) | (cast(thick, spec.views[day].sun) > _MASKED)
    return hidden[None].astype(np.uint8)


def _works(spec: SceneSpec, dates: Sequence[str]) -> gpd.GeoDataFrame:
    since = {thing.name: thing.since for thing in spec.things if thing.name}
    works = truth(spec, dates[0], dates[-1])
    return works.assign(since=[since[name] for name in works["name"]])


@dataclass(frozen=True)
class Score:
    """`true`, `false`: findings that stand, on what was built and beside it. `off`: by how many clear dates
    the start was missed, None where nothing was found.
    """

    built: bool
    true: int
    false: int
    off: int | None = None


def score(site: Site, result: Path) -> tuple[Score, Score]:
    """Of the timeline, and of its pairs of successive dates taken alone."""
    things = gpd.read_file(result / "timeline.geojson").to_crs(site.works.crs)
    history = pd.read_csv(result / "timeline.csv", dtype={"id": str})
    sure = things[things["status"] == "confirmed"] if len(things) else things
    real = is_real(sure, site.works)
    off = _off(sure[real], history, site.works) if real.any() else None
    built = len(site.works) > 0
    followed = Score(built, int(real.sum()), int((~real).sum()), off)
    alone = [is_real(found, site.works) for found in _pairwise(result, site.works.crs)]
    hits = np.concatenate([np.zeros(0, bool), *alone])
    return followed, Score(built, int(hits.sum()), int((~hits).sum()))


def is_real(found: gpd.GeoDataFrame, works: gpd.GeoDataFrame) -> Any:
    ground = works.buffer(_NEAR_M).union_all()
    return np.array([shape.intersection(ground).area >= 0.2 * shape.area for shape in found.geometry], bool)


def _off(real: gpd.GeoDataFrame, history: pd.DataFrame, works: gpd.GeoDataFrame) -> int:
    """Clear dates between when building began and when it was first seen; negative: seen too early."""
    first = real.sort_values("first_seen").iloc[0]
    clear = sorted(history.loc[(history["id"] == first["id"]) & history["observed"], "date"])
    begun = [day for day in clear if day >= works["since"].min()]
    return clear.index(pd.Timestamp(first["first_seen"]).strftime("%Y-%m-%d")) - clear.index(begun[0])


def _pairwise(result: Path, crs: Any) -> Iterator[gpd.GeoDataFrame]:
    latest: dict[str, Path] = {}
    for folder in sorted(result.glob("????-??-??_????-??-??")):  # of one date the later before
        latest[folder.name.split("_")[1]] = folder
    for folder in latest.values():
        found = gpd.read_parquet(folder / "changes.parquet").to_crs(crs)
        yield found[found["direction"] != "removed"]
