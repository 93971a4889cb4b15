"""How much stands in each zone of a site, by kind and date: `zones.csv` and `zones.parquet`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from affine import Affine
from rasterio.features import rasterize
from shapely.geometry.base import BaseGeometry

from pipeline.outputs.files import replacing, write_text
from pipeline.outputs.sheets import csv_text
from pipeline.stages.flag.shape import measure_shape
from pipeline.stages.track import Timeline

CSV, PARQUET = "zones.csv", "zones.parquet"
LINES = ("road", "earthwork")
"""Kinds whose length says more than their number: metres of road and of berm."""

_TYPES = {
    "date": "string", "zone": "string", "kind": "string", "count": "int64", "confirmed": "int64",
    "observed": "int64", "area_m2": "float64", "length_m": "float64",
}  # fmt: skip


def summarise_zones(timeline: Timeline, pixel_m: float) -> pd.DataFrame:
    """A row a zone, kind and date, zeros too, for each zone and kind that the timeline knows of.

    `count`: things that stand there, refuted ones left out; `confirmed`: how many of them are. A thing that
    could not be seen on a date counts as it was seen last, and `observed` is how many were seen. `area_m2`:
    their ground. `length_m`: of `LINES`, as `flag` measures it on pixels of `pixel_m` metres, null for other
    kinds; of what grew, a length grows as its area. `zone` is null outside all zones.
    """
    things = _standing(timeline, pixel_m)
    rows = things.groupby(["date", "zone", "kind"], dropna=False, as_index=False).sum()
    rows["length_m"] = rows["length_m"].where(rows["kind"].isin(LINES))
    rows = rows.sort_values(["date", "zone", "kind"], na_position="last").reset_index(drop=True)
    return rows[list(_TYPES)].astype(_TYPES).round({"area_m2": 1, "length_m": 1})


def _standing(timeline: Timeline, pixel_m: float) -> pd.DataFrame:
    """A row a thing and date: what it adds to the totals of its zone and kind."""
    things = timeline.findings[timeline.findings["status"] != "refuted"]
    lengths = {
        row.id: _length(row.geometry, pixel_m) if row.kind in LINES else 0.0 for row in things.itertuples()
    }
    histories = dict(list(timeline.history.sort_values("date").groupby("id")))
    rows = [
        {
            "date": date, "zone": row.zone if pd.notna(row.zone) else None, "kind": row.kind,
            "count": int(area > 0), "confirmed": int(area > 0 and row.status != "candidate"),
            "observed": int(area > 0 and seen), "area_m2": area,
            "length_m": lengths[row.id] * _share(area, row.geometry.area),
        }
        for row in things.itertuples()
        for date, area, seen in _areas(histories[row.id])
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(_TYPES)).astype(_TYPES)


def _areas(history: pd.DataFrame) -> Iterator[tuple[str, float, bool]]:
    """(date, square metres that stand, whether they were seen), by date."""
    area = 0.0
    for line in history.to_dict("records"):
        if line["observed"]:
            area = float(line["area_m2"]) if line["present"] else 0.0
        yield str(line["date"]), area, bool(line["observed"])


def _share(area: float, whole: float) -> float:
    return min(area / whole, 1.0) if whole > 0 else 0.0


def _length(outline: BaseGeometry, pixel_m: float) -> float:
    """Metres along the outline's centre line."""
    west, south, east, north = outline.bounds
    rows, cols = (int((high - low) / pixel_m) + 2 for low, high in ((south, north), (west, east)))
    transform = Affine(pixel_m, 0, west - pixel_m / 2, 0, -pixel_m, north + pixel_m / 2)
    inside = rasterize([outline], (rows, cols), transform=transform, dtype="uint8").astype(bool)
    return measure_shape(inside, pixel_m).length_m if inside.any() else 0.0


def write_zones(folder: Path, timeline: Timeline, pixel_m: float) -> None:
    """Write `zones.csv` and `zones.parquet` into a site's folder. Raises OutputError."""
    rows = summarise_zones(timeline, pixel_m)
    write_text(folder / CSV, csv_text(rows))
    with replacing(folder / PARQUET) as part:
        rows.to_parquet(part, index=False, compression="zstd")
