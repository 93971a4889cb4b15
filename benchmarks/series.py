"""Made series of 24 dates: what following findings over dates is worth, against pairs alone; and its cost."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from benchmarks.command import groundbreak
from benchmarks.options import Options
from benchmarks.report import Row, Table
from benchmarks.shared import MissingDataError, shared
from pipeline.simulate.clouds import cast
from pipeline.simulate.scene import SceneSpec, cloud_cover, scene, truth
from pipeline.simulate.series import monthly, series_spec
from pipeline.simulate.things import Kind
from pipeline.simulate.write import write_raster, write_tiles

TITLE = "findings followed over many dates"
FIRST_SEED = 910_000  # no parameter was chosen on these
DATES = monthly(24)
_WORKS: tuple[tuple[Kind, ...], ...] = (
    ("clearing", "road", "building"),
    ("clearing", "building", "building"),
    ("road", "clearing", "building", "earthwork"),
)
_MASKED = 0.1  # thickness of cloud, or of the cloud before the sun, from which the mask hides ground
_SIZE = 96  # pixels a side
_NEAR_M = 10.0  # a finding this near to what was built is of it
NOTES = (
    "Each site is 0.96 km a side. A mask hides clouds and shadows, as the scene classification of Sentinel-2 "
    "does, but not their thin rims. `pairwise`: every finding of successive clear dates, `new` or `altered`, "
    "as if each pair stood alone.",
    "`start`: sites where first_seen is the first clear date with the first work, or one clear date off.",
)


@dataclass(frozen=True)
class Site:
    """One made site; `works` in the CRS of its first date, `since` when they stand; may be empty."""

    name: str
    works: gpd.GeoDataFrame


def tables(options: Options) -> list[Table]:
    """The series; what it costs to add a date; real quiet ground as a series."""
    count = 3 if options.quick else 15
    return [
        series(options.scratch / "series", FIRST_SEED, count),
        cost(options.scratch / "cost", 12 if options.quick else 50),
        *quiet(options.scratch / "quiet"),
    ]


def series(scratch: Path, first_seed: int, count: int) -> Table:
    """`count` sites that are built on, and as many that are not."""
    sites = [make_site(scratch, first_seed + n, n < count, DATES) for n in range(2 * count)]
    done = groundbreak("monitor", scratch / "sites", "--out", scratch / "out", "--quiet")
    scored = [score(site, scratch / "out" / site.name) for site in sites]
    rows = [
        _summary("followed", [one[0] for one in scored]),
        _summary("pairwise", [one[1] for one in scored]),
    ]
    failures = [] if done.status == 0 else [f"monitor: {done.reason}"]
    title = f"{2 * count} sites of {len(DATES)} dates at 10 m, {count} of them built on"
    return Table(title, rows, (*NOTES, *_told(sites, scored)), failures)


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
    real = _real(sure, site.works)
    off = _off(sure[real], history, site.works) if real.any() else None
    built = len(site.works) > 0
    followed = Score(built, int(real.sum()), int((~real).sum()), off)
    alone = [_real(found, site.works) for found in _pairwise(result, site.works.crs)]
    hits = np.concatenate([np.zeros(0, bool), *alone])
    return followed, Score(built, int(hits.sum()), int((~hits).sum()))


def _real(found: gpd.GeoDataFrame, works: gpd.GeoDataFrame) -> Any:
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


def _summary(name: str, scores: Sequence[Score]) -> Row:
    built = [one for one in scores if one.built]
    known = [abs(one.off) for one in built if one.off is not None]
    return {
        "way": name,
        "sites built on": len(built),
        "found": sum(one.true > 0 for one in built),
        "true findings": sum(one.true for one in scores),
        "false findings": sum(one.false for one in scores),
        "sites with false": sum(one.false > 0 for one in scores),
        "start": sum(off <= 1 for off in known) if name == "followed" else None,
        "start exact": sum(off == 0 for off in known) if name == "followed" else None,
    }


def _told(sites: Sequence[Site], scored: Sequence[tuple[Score, Score]]) -> list[str]:
    missed = [s.name for s, (one, _) in zip(sites, scored, strict=True) if one.built and not one.true]
    return [f"Missed: {', '.join(missed)}."] if missed else []


def cost(scratch: Path, count: int) -> Table:
    """One more date on a site that has many, against one pair; start of Python included in both."""
    start = date(2021, 1, 12)
    dates = [(start + timedelta(days=10 * n)).isoformat() for n in range(count + 1)]
    site = make_site(scratch, FIRST_SEED + 900, True, dates)
    path, images, last = scratch / "sites" / f"{site.name}.yaml", scratch / "images", dates[-1]
    away = scratch / "away"
    for part in sorted(images.glob(f"*/{last}*")):
        away.mkdir(exist_ok=True)
        shutil.move(part, away / part.name)
    first = groundbreak("monitor", path, "--out", scratch / "out", "--quiet")
    for part in sorted(away.iterdir()):
        shutil.move(part, images / str(FIRST_SEED + 900) / part.name)
    added = groundbreak("monitor", path, "--out", scratch / "out", "--quiet", "--json")
    done = json.loads(added.stdout)["done"] if added.status == 0 else None
    again = groundbreak("monitor", path, "--out", scratch / "out", "--quiet")
    pairs = [
        groundbreak(
            "run", path, "--before", dates[0], "--after", last, "--out", scratch / f"pair-{n}", "--quiet"
        )
        for n in range(3)
    ]
    pair = sorted(one.seconds for one in pairs)[1]
    ratio = added.seconds / pair
    rows: list[Row] = [
        {"what": f"all {count} dates", "seconds": first.seconds},
        {"what": "one date more", "seconds": added.seconds, "comparisons": done, "times one pair": ratio},
        {"what": "nothing new", "seconds": again.seconds, "times one pair": again.seconds / pair},
        {"what": "one pair (median of 3)", "seconds": pair},
    ]
    failures = [f"one date more took {ratio:.2f} times one pair"] if ratio > 2 else []
    return Table(f"One date more on a site of {count}", rows, failures=failures)


def quiet(scratch: Path) -> list[Table]:
    """The dates of naip_quiet as one series; nothing was built there."""
    try:
        images = shared("real") / "naip_quiet"
    except MissingDataError:
        return []
    scratch.mkdir(parents=True, exist_ok=True)
    path = scratch / "quiet.yaml"
    path.write_text(f"id: quiet\nsource: {{files: '{images}/{{date}}.tif'}}\n", encoding="utf-8")
    done = groundbreak("monitor", path, "--out", scratch / "out", "--quiet")
    told = json.loads((scratch / "out" / "quiet" / "timeline.geojson").read_text(encoding="utf-8"))
    status = [feature["properties"]["status"] for feature in told["features"]]
    row: Row = {name: status.count(name) for name in ("candidate", "confirmed", "refuted", "removed")}
    wrong = int(row["confirmed"] or 0) + int(row["removed"] or 0)  # type: ignore[call-overload]
    failures = [f"{wrong} confirmed or removed"] if wrong else []
    failures += [] if done.status == 0 else [f"monitor: {done.reason}"]
    return [Table("naip_quiet as one series: nothing was built", [row], failures=failures)]
