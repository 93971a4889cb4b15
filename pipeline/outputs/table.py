"""The findings as a table in the terminal."""

from __future__ import annotations

import geopandas as gpd
from rich import box
from rich.table import Table
from rich.text import Text

from pipeline.outputs import style, words

_COLUMNS = (
    ("#", "right"), ("kind", "left"), ("direction", "left"), ("confidence", "right"), ("area", "right"),
    ("length", "right"), ("width", "right"), ("zone", "left"), ("latitude, longitude", "left"),
)  # fmt: skip


def findings_table(findings: gpd.GeoDataFrame, limit: int | None = None) -> Table:
    """A rich table, a row a finding in their order; beyond `limit` the caption says how many are left out.

    Names come from the user, so they are laid in as plain text: rich's markup in them is not read.
    """
    shown = findings if limit is None else findings.head(limit)
    table = Table(box=box.SIMPLE_HEAD, title=words.summary_sentence(findings), title_justify="left")
    for name, justify in _COLUMNS:
        table.add_column(name, justify="right" if justify == "right" else "left", no_wrap=name != "zone")
    for (_, row), (lon, lat) in zip(shown.iterrows(), words.centres(shown), strict=True):
        table.add_row(
            str(row["id"]),
            Text(str(row["kind"]), style=style.kind(row["kind"]).colour),
            Text(style.direction(row["direction"]).word),
            f"{row['confidence']:.2f}",
            words.square_metres(row["area_m2"]),
            words.metres(row["length_m"]),
            words.metres(row["width_m"]),
            Text(str(row["zone"]) if words.known(row["zone"]) else words.DASH),
            words.position(lon, lat),
        )
    if len(shown) < len(findings):
        table.caption = f"and {len(findings) - len(shown)} more in changes.geojson"
    return table
