"""Numbers, dates and findings as people write them; shared by the terminal, the figure and the report."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from pipeline.outputs import style

MINUS = "\u2212"
THIN = "\u202f"  # narrow no-break space: between thousands, and before a unit
DASH = "\u2013"


def known(value: Any) -> bool:
    """Whether a value is there: not None, not NaN, not pandas' NA."""
    return value is not None and value is not pd.NA and not (isinstance(value, float) and math.isnan(value))


def number(value: Any, digits: int = 0) -> str:
    """A number with thin spaces between thousands and a true minus; a dash where it is not known."""
    if not known(value):
        return DASH
    return f"{round(float(value), digits) + 0.0:,.{digits}f}".replace(",", THIN).replace("-", MINUS)


def metres(value: Any) -> str:
    """A length: one decimal below 100 m, where it says something."""
    return f"{number(value, 1 if abs(float(value)) < 100 else 0)}{THIN}m" if known(value) else DASH


def nice_length(span: float) -> float:
    """The largest of 1, 2, 5 times a power of ten that is at most `span`."""
    power = 10.0 ** np.floor(np.log10(span))
    return float(max(step * power for step in (1, 2, 5) if step * power <= span * (1 + 1e-9)))


def length_text(length: float) -> str:
    """A round length as a scale bar says it."""
    return f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"


def square_metres(value: Any) -> str:
    """An area in square metres; in hectares from 10 hectares on."""
    if not known(value):
        return DASH
    return (
        f"{number(value)}{THIN}m²"
        if float(value) < 100_000
        else f"{number(float(value) / 10_000, 1)}{THIN}ha"
    )


def percent(share: Any, digits: int = 0) -> str:
    """A share of 1 as percent; never rounded up to all or down to none."""
    if not known(share):
        return DASH
    value = float(share) * 100
    edge = 10.0**-digits
    if 0 < value < edge / 2:
        return f"<{THIN}{edge:.{digits}f}{THIN}%"
    if 100 - edge / 2 < value < 100:
        return f">{THIN}{100 - edge:.{digits}f}{THIN}%"
    return f"{value:.{digits}f}{THIN}%"


def position(lon: float, lat: float, digits: int = 5) -> str:
    """A place as latitude and longitude with their hemispheres, as maps and field notes write it."""
    north, east = ("N" if lat >= 0 else "S"), ("E" if lon >= 0 else "W")
    return f"{abs(lat):.{digits}f}°{THIN}{north}, {abs(lon):.{digits}f}°{THIN}{east}"


def long_date(iso: str | None) -> str:
    """`9 September 2019` for `2019-09-09`."""
    if not iso:
        return "date unknown"
    day = date.fromisoformat(iso[:10])
    return f"{day.day} {day:%B %Y}"


def days_apart(before: str | None, after: str | None) -> int | None:
    """Days between two ISO dates, None where one is not known."""
    if not before or not after:
        return None
    return abs((date.fromisoformat(after[:10]) - date.fromisoformat(before[:10])).days)


def listed(parts: Sequence[str]) -> str:
    """`a, b and c`."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def counts(values: Sequence[str], order: Mapping[str, Any]) -> dict[str, int]:
    """How often each value occurs: known ones in their order, then any other by name; none that is zero."""
    names = [*order, *sorted(set(values) - set(order))]
    return {name: n for name in names if (n := sum(value == name for value in values))}


def summary_sentence(findings: gpd.GeoDataFrame) -> str:
    """One sentence on what was found, the same in the terminal and at the head of the report."""
    if not len(findings):
        return "No change found."
    by_kind = counts(list(findings["kind"]), style.KINDS)
    by_direction = counts(list(findings["direction"]), style.DIRECTIONS)
    kinds = [
        f"{n} {style.kind(name).one if n == 1 else style.kind(name).many}" for name, n in by_kind.items()
    ]
    ways = [f"{n} {style.direction(name).word}" for name, n in by_direction.items()]
    total = square_metres(float(findings["area_m2"].sum()))
    what = "1 change" if len(findings) == 1 else f"{number(len(findings))} changes"
    only = next(iter(by_direction)) if len(by_direction) == 1 else None
    way = listed(ways) if only is None else only if len(findings) == 1 else f"all {only}"
    return f"{what} found: {listed(kinds)}; {way}; {total} in all."


_LEFT_ALONE = {
    "mask given": "it came with a mask of its own",
    "switched off": "the settings say so",
    "too few bands": "it has no visible band",
    "nothing observed": "it shows nothing of the other date's ground",
    "no common ground": "it could not be compared with the other date's brightness",
}


def screened(screen: Mapping[str, Any], side: str) -> str:
    """What the screen for clouds found on one date, or why it did not look; empty where a run told nothing.

    `screen` is that of run.json, `side` is before or after.
    """
    told = screen.get(side)
    if not told:
        return ""
    if not told["used"]:
        return f"{side} was not screened for clouds: {_LEFT_ALONE.get(told['why'], told['why'])}"
    if not told["cloud_share"]:
        return f"{side} was screened for clouds, and none were found"
    cloud, shadow = (percent(told[key], 1) for key in ("cloud_share", "shadow_share"))
    return f"{side} was screened: {cloud} cloud and {shadow} cloud shadow, blank here with a margin around"


def detector(told: Mapping[str, Any]) -> str:
    """Which detector it was, and what it says of its own errors; `told` is that of run.json."""
    name = told.get("name")
    if not known(name):
        return "Which detector it was is not known."
    parts = [f"Detector: {name}"]
    if known(told.get("false_alarm_rate")):
        parts.append(f"of unchanged pixels it takes {percent(told['false_alarm_rate'], 1)} for changed")
    parts += [part for model in told.get("models", ()) for part in _model(model)]
    return "; ".join(parts) + "."


def _model(told: Mapping[str, Any]) -> list[str]:
    """A file of weights, and what its card says."""
    name = str(told["file"]).rsplit("/", 1)[-1].removeprefix("package:")
    card = told.get("card") or {}
    said = [f"{key}: {value}" for key, value in card.items() if isinstance(value, str | int | float)]
    return [f"model {name} {str(told['sha256'])[:8]}", *said]


def clouds(screen: Mapping[str, Any]) -> str:
    """How much of which date was screened as cloud or shadow; empty where nothing was."""
    shares = {
        side: told["cloud_share"] + told["shadow_share"]
        for side in ("before", "after")
        if (told := screen.get(side))
    }
    return listed([f"{percent(share)} of the image {side}" for side, share in shares.items() if share])


def centres(findings: gpd.GeoDataFrame) -> list[tuple[float, float]]:
    """(lon, lat) of a point on each finding: its centroid, or a point inside it where that lies outside."""
    if not len(findings):
        return []
    shapes = findings.geometry
    points = shapes.centroid.where(shapes.contains(shapes.centroid), shapes.representative_point())
    lonlat = points.to_crs("OGC:CRS84")
    return list(zip(np.asarray(lonlat.x).tolist(), np.asarray(lonlat.y).tolist(), strict=True))
