"""The store's tables, the same in SQLite and PostGIS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import geopandas as gpd
import shapely
import sqlalchemy as sa
from sqlalchemy.types import UserDefinedType


class Outline(UserDefinedType[bytes]):
    """A geometry as EWKB: PostGIS's own type there, a blob in SQLite."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """The column's type."""
        return "geometry"

    def bind_processor(self, dialect: sa.Dialect) -> Callable[[Any], Any] | None:
        """PostGIS reads and writes hexadecimal text."""
        return bytes.hex if dialect.name == "postgresql" else None

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Callable[[Any], bytes] | None:
        """As it was given."""
        return bytes.fromhex if dialect.name == "postgresql" else None


def as_ewkb(shapes: gpd.GeoSeries) -> list[bytes]:
    """With the CRS's EPSG number, where it has one."""
    code = (shapes.crs.to_epsg() or 0) if shapes.crs is not None else 0
    code = 4326 if shapes.crs is not None and shapes.crs.to_string() == "OGC:CRS84" else code
    return list(shapely.to_wkb(shapely.set_srid(shapes.array, code), include_srid=True))


def _text(name: str, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, **options)


def _key(*names: str) -> list[sa.Column[Any]]:
    return [_text(name, primary_key=True) for name in names]


def _double(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Double)


METADATA = sa.MetaData()
PAIRS = sa.Table(
    "pairs", METADATA, *_key("site", "before", "after"),
    _text("fingerprint", nullable=False), _text("refused"), _text("crs"),
    _double("before_seen"), _double("after_seen"),
)  # fmt: skip
FINDINGS = sa.Table(
    "findings", METADATA, *_key("site", "before", "after"), sa.Column("id", sa.Integer, primary_key=True),
    _text("kind"), _text("direction"), _double("confidence"), _double("area_m2"), _double("length_m"),
    _double("width_m"), _text("zone"), sa.Column("outline", Outline),
)  # fmt: skip
SITES = sa.Table("sites", METADATA, *_key("site"), _text("digest", nullable=False))
THINGS = sa.Table(
    "timeline", METADATA, *_key("site", "id"),
    _text("kind"), _text("status"), _text("state"), _text("not_before"), _text("first_seen"),
    _text("last_seen"), _double("confidence"), _double("area_m2"), _text("zone"),
    sa.Column("outline", Outline),
)  # fmt: skip
HISTORY = sa.Table(
    "history", METADATA, *_key("site", "id", "date"),
    sa.Column("observed", sa.Boolean), sa.Column("present", sa.Boolean), _double("area_m2"),
)  # fmt: skip
