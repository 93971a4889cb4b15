"""What a site's folder tells of its past: comparisons, things followed, phases, totals."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from pipeline.outputs import style
from pipeline.outputs.item import footprint
from pipeline.results import PairResult, pair_results, showing
from pipeline.timeline import GEOJSON, PHASES_CSV
from pipeline.zones import CSV as ZONES_CSV

STATUSES = {
    "confirmed": "seen again on later clear dates",
    "removed": "stood there, and is surely gone",
    "candidate": "not sure yet",
    "refuted": "later dates were clear, and it was not there",
}


@dataclass(frozen=True)
class Thing:
    """One thing that is followed, as timeline.geojson has it; `outline` is in longitude and latitude."""

    id: str
    kind: str
    status: str
    state: str | None
    not_before: str | None
    first_seen: str
    last_seen: str
    confidence: float
    area_m2: float
    zone: str | None
    outline: BaseGeometry

    @property
    def sure(self) -> bool:
        """Whether it counts as built, or as taken away."""
        return self.status in {"confirmed", "removed"}


@dataclass(frozen=True)
class History:
    """A site's past. Without a timeline (a site that was never monitored) there are comparisons alone.

    `dates`: all days compared, in order; `phases`: the site's phase by day; `standing`: a row a day and kind,
    `date`, `kind`, `area_m2` (of what stands, refuted things left out); `footprint`: lon/lat.
    """

    folder: Path
    id: str
    name: str
    made: bool
    dates: tuple[str, ...]
    pairs: tuple[PairResult, ...]
    things: tuple[Thing, ...]
    phases: dict[str, str]
    standing: pd.DataFrame
    footprint: BaseGeometry

    @property
    def followed(self) -> bool:
        """Whether there is a timeline."""
        return bool(self.phases)

    @property
    def phase(self) -> str | None:
        """The latest one."""
        return self.phases[max(self.phases)] if self.phases else None

    @property
    def counts(self) -> dict[str, int]:
        """Things by status; those that there are none of are left out."""
        found = Counter(thing.status for thing in self.things)
        return {status: found[status] for status in STATUSES if found[status]}

    @property
    def last_activity(self) -> str | None:
        """The last day that first shows something surely built, or a place surely cleared; of a site that is
        not followed, the later day of its last comparison that found anything.
        """
        if not self.followed:
            active = (pair.after for pair in self.pairs if found_by(pair))
            return max(active, default=None)
        return max((day for thing in self.things if (day := self.happened(thing))), default=None)

    @property
    def built_m2(self) -> float | None:
        """Ground of what stands on the last day; None for a site that is not followed."""
        if not self.followed:
            return None
        last = self.standing[self.standing["date"] == self.dates[-1]]
        return float(last["area_m2"].sum())

    def happened(self, thing: Thing) -> str | None:
        """The day that first shows what became of a thing that is sure: it stands, or it is gone."""
        if thing.status == "removed":
            return next((day for day in self.dates if day > thing.last_seen), None)
        return thing.first_seen if thing.sure else None

    def shown_by(self, thing: Thing) -> PairResult | None:
        """The comparison that shows best what became of a thing."""
        if thing.status == "removed":
            gone = self.happened(thing)
            ending = [pair for pair in self.pairs if pair.after == gone and pair.before <= thing.last_seen]
            return max(ending, key=lambda pair: pair.before, default=None)
        return showing(self.pairs, self.dates[0], thing.not_before, thing.first_seen)


def found_by(pair: PairResult) -> int:
    """How many findings a comparison has."""
    return int(pair.told.get("findings", {}).get("count", 0))


def read_history(folder: Path, also: Collection[str] = ()) -> History | None:
    """Read it from what was left in `folder`; None where no comparison is whole.

    Comparisons of days that the timeline does not know were withdrawn, and are left out, but for the days in
    `also`.
    """
    phases = _phases(folder)
    known = {*phases, *also}
    pairs = [pair for pair in pair_results(folder) if not phases or {pair.before, pair.after} <= known]
    if not pairs:
        return None
    return History(
        folder=folder,
        id=folder.name,
        name=str(pairs[-1].told.get("site", {}).get("name") or folder.name),
        made=any(pair.told.get("made") for pair in pairs),
        dates=tuple(sorted({day for pair in pairs for day in (pair.before, pair.after)})),
        pairs=tuple(pairs),
        things=tuple(_things(folder)) if phases else (),
        phases=phases,
        standing=_standing(folder),
        footprint=footprint(pairs[0].folder / "change.tif"),
    )


def _phases(folder: Path) -> dict[str, str]:
    path = folder / PHASES_CSV
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        return {row["date"]: row["phase"] for row in csv.DictReader(file)}


def _things(folder: Path) -> list[Thing]:
    told = json.loads((folder / GEOJSON).read_text(encoding="utf-8"))
    return [
        Thing(**{**feature["properties"], "kind": _kind(feature)}, outline=_outline(feature))
        for feature in told["features"]
    ]


def _kind(feature: dict[str, Any]) -> str:
    named = feature["properties"]["kind"]
    return named if named in style.KINDS else "other"


def _outline(feature: dict[str, Any]) -> BaseGeometry:
    return shapely.geometry.shape(feature["geometry"])


def _standing(folder: Path) -> pd.DataFrame:
    path = folder / ZONES_CSV
    if not path.is_file():
        return pd.DataFrame({"date": [], "kind": [], "area_m2": []})
    rows = pd.read_csv(
        path, dtype={"date": str, "kind": str, "zone": str}, keep_default_na=False, na_values={}
    )
    rows["area_m2"] = rows["area_m2"].astype(float)
    return rows.groupby(["date", "kind"])[["area_m2"]].sum().reset_index()
