"""changes.gpkg: findings in the grid's CRS, with the style that QGIS draws them in."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import geopandas as gpd
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError, FeatureError

from pipeline.outputs.files import replacing
from pipeline.outputs.qgis import qml
from pipeline.outputs.vectors import typed

LAYER = "changes"
_CHANGED = "1970-01-01T00:00:00.000Z"
"""In place of the time at which the file was written: the same findings give the same bytes."""

_STYLES = """
CREATE TABLE layer_styles (
  id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, f_table_catalog TEXT(256), f_table_schema TEXT(256),
  f_table_name TEXT(256), f_geometry_column TEXT(256), styleName TEXT(30), styleQML TEXT, styleSLD TEXT,
  useAsDefault BOOLEAN, description TEXT, owner TEXT(30), ui TEXT(30), update_time DATETIME)
"""  # as QGIS makes it (QgsOgrProviderMetadata::saveStyle); it loads the default style with the layer


@contextmanager
def _as_os_error() -> Iterator[None]:
    """What GDAL and SQLite cannot write is the disk's fault: the table is of one form."""
    try:
        yield
    except (DataSourceError, DataLayerError, FeatureError, sqlite3.Error) as error:
        raise OSError(str(error)) from error


def write_geopackage(findings: gpd.GeoDataFrame, folder: Path) -> None:
    """Write `folder`/changes.gpkg (OGC GeoPackage 1.2, which older programs read too): a layer `changes` of
    MultiPolygons with the columns of `changes.geojson`, and QGIS's table `layer_styles` with its style.

    Raises OutputError.
    """
    table = typed(findings)
    with replacing(folder / "changes.gpkg") as part, _as_os_error():
        pyogrio.write_dataframe(
            table, part, layer=LAYER, driver="GPKG", geometry_type="MultiPolygon", promote_to_multi=True,
            layer_options={"FID": "fid", "GEOMETRY_NAME": "geom", "DESCRIPTION": "Findings by Groundbreak"},
            dataset_options={"VERSION": "1.2"},
        )  # fmt: skip
        style = qml(zip(table["kind"], table["direction"], strict=True))
        with closing(sqlite3.connect(part)) as database, database:
            database.execute(_STYLES)
            database.execute(
                "INSERT INTO layer_styles VALUES (1, '', '', ?, 'geom', ?, ?, NULL, 1, ?, '', NULL, ?)",
                (LAYER, LAYER, style, "By kind and direction", _CHANGED),
            )
            database.execute(
                "INSERT INTO gpkg_contents (table_name, data_type, identifier, description)"
                " VALUES ('layer_styles', 'attributes', 'layer_styles', '')"
            )
            database.execute("UPDATE gpkg_contents SET last_change = ?", (_CHANGED,))
        _forget_count(part)


def _forget_count(file: Path) -> None:
    """Of transactions, which hangs on when GDAL happened to commit; it stands in two places that must agree
    (SQLite's file format, 1.3: file change counter, version-valid-for).
    """
    with file.open("r+b") as database:
        for offset in (24, 92):
            database.seek(offset)
            database.write((1).to_bytes(4, "big"))
