"""Made scenes that nothing was fitted on, one difficulty at a time: sun, season, cloud, 8 bits, side view."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zlib import crc32

import geopandas as gpd
import numpy as np

from benchmarks.command import groundbreak
from benchmarks.options import Options
from benchmarks.report import Row, Table
from pipeline.evaluate import evaluate
from pipeline.simulate import PairStyle, simulate_pair
from pipeline.simulate.light import Sun
from pipeline.simulate.season import Season

TITLE = "findings on made scenes, one difficulty at a time"
FIRST_SEED = 920_000  # nothing is fitted on seeds from 900 000 on
SIZE = 512
LEAST_SIDE_PX = 5.0
PLACES = (("steppe", 0.5), ("town", 0.5), ("steppe", 1.5), ("town", 1.5), ("steppe", 3.0), ("steppe", 10.0))
_SIDE = ((0.05, 0.0), (-0.22, 0.12))
CONDITIONS = {
    "plain": PairStyle(),
    "low sun": PairStyle(suns=(Sun(58, 150), Sun(24, 205))),
    "another season": PairStyle(seasons=(Season(0.0, 0.03), Season(0.9, 0.12))),
    "15 % cloud": PairStyle(cloud=0.15),
    "8-bit RGB": PairStyle(bands=("red", "green", "blue"), dtype="uint8"),
    "from the side": PairStyle(leans=_SIDE),
}


@dataclass(frozen=True)
class Outcome:
    """One scene: large new buildings and other things with how many of them were found, and what else was."""

    buildings: tuple[int, int] = (0, 0)
    others: tuple[int, int] = (0, 0)
    findings: int = 0
    false: int = 0
    km2: float = 0.0
    kinds: tuple[int, int] = (0, 0)  # right, of
    refused: str = ""


def tables(options: Options) -> list[Table]:
    """By condition and by place; and scenes where nothing was built, under all conditions at once."""
    places = PLACES[:2] if options.quick else PLACES
    scenes = 2 if options.large else 1
    done = {
        (condition, place, metres): [
            _compared(style, place, metres, seed, options.scratch)
            for seed in range(FIRST_SEED, FIRST_SEED + scenes)
        ]
        for condition, style in CONDITIONS.items()
        for place, metres in places
    }
    quiet = {
        (place, metres): [_quiet(place, metres, n, options.scratch) for n in range(scenes)]
        for place, metres in places
    }
    by_condition = [
        {"condition": name, **_row([one for key, every in done.items() if key[0] == name for one in every])}
        for name in CONDITIONS
    ]
    by_place = [
        {
            "place": f"{place}, {metres:g} m",
            **_row([one for key, every in done.items() if key[1:] == (place, metres) for one in every]),
        }
        for place, metres in places
    ]
    none = [{"place": f"{place}, {metres:g} m", **_alarms(every)} for (place, metres), every in quiet.items()]
    refused = sorted(
        {one.refused for every in (*done.values(), *quiet.values()) for one in every if one.refused}
    )
    return [
        Table("By difficulty", by_condition, [_NOTE, *(f"Refused: {text}" for text in refused)]),
        Table("By place", by_place),
        Table("Nothing was built; low sun, another season and a look from the side at once", none),
    ]


_NOTE = (
    f"Scenes of {SIZE} px. Buildings: new ones of {LEAST_SIDE_PX:g} x {LEAST_SIDE_PX:g} px or more; others:"
    " all else that was built, removed or altered. What clouds hide, half of it or more, is not counted."
)


def _compared(style: PairStyle, place: str, metres: float, seed: int, scratch: Path) -> Outcome:
    style = replace(style, town="growing") if place == "town" else style
    return _outcome(style, metres, seed, scratch)


def _quiet(place: str, metres: float, number: int, scratch: Path) -> Outcome:
    style = PairStyle(
        works=(),
        town="quiet" if place == "town" else None,
        suns=(Sun(58, 150), Sun(30, 200)),
        seasons=(Season(0.1, 0.03), Season(0.8, 0.1)),
        leans=_SIDE,
    )
    return _outcome(style, metres, FIRST_SEED + 500 + number, scratch)


def _outcome(style: PairStyle, metres: float, seed: int, scratch: Path) -> Outcome:
    folder = scratch / f"{seed}_{metres:g}_{crc32(repr(style).encode()):x}"
    simulate_pair(folder, seed, SIZE, metres, style)
    result = folder / "result"
    done = groundbreak("compare", folder / "before", folder / "after", "--out", result, "--quiet")
    if done.status:
        return Outcome(refused=f"{metres:g} m: {done.reason}")
    truth = gpd.read_file(folder / "truth.geojson")
    scores = evaluate(result, folder / "truth.geojson")["objects"]
    told = json.loads((result / "run.json").read_text(encoding="utf-8"))
    km2 = (SIZE * metres) ** 2 * told["observed"]["both"] / 1e6
    return _counted(truth.to_crs(told["grid"]["crs"]), scores, metres, km2)


def _counted(truth: gpd.GeoDataFrame, scores: dict[str, Any], metres: float, km2: float) -> Outcome:
    missed = Counter(one["name"] for one in scores["missed"])
    large, other = _groups(truth, metres)
    right = sum(row.get(kind, 0) for kind, row in scores["confusion"].items())
    told = sum(sum(row.values()) for row in scores["confusion"].values())
    return Outcome(
        (len(large), sum(not missed[name] for name in large)),
        (len(other), sum(not missed[name] for name in other)),
        scores["findings"],
        scores["false"],
        km2,
        (right, told),
    )


def _groups(truth: gpd.GeoDataFrame, metres: float) -> tuple[list[str], list[str]]:
    """Names of large new buildings, and of all other things but small new buildings."""
    large, other = [], []
    for thing in truth.itertuples():
        if thing.kind != "building" or thing.direction != "new":
            other.append(thing.name)
        elif _least_side(thing.geometry) >= LEAST_SIDE_PX * metres:
            large.append(thing.name)
    return large, other


def _least_side(shape: Any) -> float:
    corners = np.array(shape.minimum_rotated_rectangle.exterior.coords)
    return float(min(np.hypot(*(corners[1] - corners[0])), np.hypot(*(corners[2] - corners[1]))))


def _row(outcomes: Sequence[Outcome]) -> Row:
    done = [one for one in outcomes if not one.refused]
    buildings, others, kinds = (
        _sums(getattr(one, name) for one in done) for name in ("buildings", "others", "kinds")
    )
    km2, false = sum(one.km2 for one in done), sum(one.false for one in done)
    return {
        "refused": len(outcomes) - len(done),
        "buildings": buildings[0],
        "found": _share(buildings[1], buildings[0]),
        "others": others[0],
        "others found": _share(others[1], others[0]),
        "kind right": _share(kinds[0], kinds[1]),
        "findings": sum(one.findings for one in done),
        "false": false,
        "false/km2": false / km2 if km2 else None,
    }


def _alarms(outcomes: Sequence[Outcome]) -> Row:
    done = [one for one in outcomes if not one.refused]
    return {
        "refused": len(outcomes) - len(done),
        "findings": sum(one.findings for one in done),
        "km2": sum(o.km2 for o in done),
    }


def _sums(pairs: Iterable[tuple[int, int]]) -> tuple[int, int]:
    first, second = zip(*pairs, strict=True)
    return sum(first), sum(second)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
