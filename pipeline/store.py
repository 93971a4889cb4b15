"""What is known of a site's pairs of dates: one SQLite file beside its outputs.

Each pair is either compared, with its findings, or refused, with the reason; both with the fingerprint of the
inputs and settings that led to it. Every change is one transaction, so two monitors at once cannot mix their
rows, and writing what is there already changes nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import pandas as pd

from pipeline.errors import OutputError
from pipeline.stages.track import Comparison

WAIT_SECONDS = 60

_SCHEMA = """
CREATE TABLE IF NOT EXISTS pairs (
    before TEXT NOT NULL, after TEXT NOT NULL, fingerprint TEXT NOT NULL, refused TEXT, crs TEXT,
    PRIMARY KEY (before, after)
);
CREATE TABLE IF NOT EXISTS findings (
    before TEXT NOT NULL, after TEXT NOT NULL, id INTEGER NOT NULL, kind TEXT NOT NULL,
    direction TEXT NOT NULL, confidence REAL NOT NULL, area_m2 REAL, length_m REAL, width_m REAL, zone TEXT,
    outline BLOB NOT NULL, PRIMARY KEY (before, after, id)
);
"""
_COLUMNS = ("id", "kind", "direction", "confidence", "area_m2", "length_m", "width_m", "zone")


@dataclass(frozen=True)
class Known:
    """A pair that was dealt with: `refused` is the reason why it could not be compared, None where it was."""

    fingerprint: str
    refused: str | None


class Store:
    """The pairs and findings of one site. Raises OutputError where the file cannot be read or written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._change() as connection:
            connection.executescript(_SCHEMA)

    def known(self, before: str, after: str) -> Known | None:
        """What became of a pair, or None where it was never tried."""
        query = "SELECT fingerprint, refused FROM pairs WHERE before = ? AND after = ?"
        with self._change() as connection:
            row = connection.execute(query, (before, after)).fetchone()
        return None if row is None else Known(*row)

    def compared(self, before: str, after: str, fingerprint: str, findings: gpd.GeoDataFrame) -> None:
        """Record a pair's findings, in place of whatever was known of it. `findings` needs a CRS."""
        rows = findings.reindex(columns=list(_COLUMNS)).astype(object)
        rows = rows.where(rows.notna(), None)
        outlines = findings.geometry.to_wkb()
        records = [
            (before, after, *row, wkb) for row, wkb in zip(rows.to_numpy().tolist(), outlines, strict=True)
        ]
        with self._change() as connection:
            self._forget(connection, before, after)
            pair = (before, after, fingerprint, None, findings.crs.to_wkt())
            connection.execute("INSERT INTO pairs VALUES (?, ?, ?, ?, ?)", pair)
            connection.executemany(f"INSERT INTO findings VALUES ({', '.join('?' * 11)})", records)

    def refused(self, before: str, after: str, fingerprint: str, reason: str) -> None:
        """Record that a pair cannot be compared, so that it need not be tried again."""
        with self._change() as connection:
            self._forget(connection, before, after)
            pair = (before, after, fingerprint, reason, None)
            connection.execute("INSERT INTO pairs VALUES (?, ?, ?, ?, ?)", pair)

    def comparison(self, before: str, after: str) -> Comparison:
        """The findings of a compared pair, by id, in their own CRS. KeyError where it was not compared."""
        columns = ", ".join(_COLUMNS)
        query = f"SELECT {columns}, outline FROM findings WHERE before = ? AND after = ? ORDER BY id"
        with self._change() as connection:
            pair = connection.execute("SELECT crs FROM pairs WHERE before = ? AND after = ?", (before, after))
            crs = pair.fetchone()
            rows = connection.execute(query, (before, after)).fetchall()
        if crs is None or crs[0] is None:
            raise KeyError((before, after))
        frame = pd.DataFrame(rows, columns=[*_COLUMNS, "outline"]).astype({"zone": object})
        outlines = gpd.GeoSeries.from_wkb(frame.pop("outline"), crs=crs[0])
        return Comparison(before, after, gpd.GeoDataFrame(frame, geometry=outlines.rename("geometry")))

    @staticmethod
    def _forget(connection: sqlite3.Connection, before: str, after: str) -> None:
        for table in ("pairs", "findings"):
            connection.execute(f"DELETE FROM {table} WHERE before = ? AND after = ?", (before, after))

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it or none. Between them the file is closed, free for other processes."""
        try:
            connection = sqlite3.connect(self._path, timeout=WAIT_SECONDS)
            try:
                with connection:
                    yield connection
            finally:
                connection.close()
        except sqlite3.Error as error:
            mend = "delete it and run again, it is remade from the results"
            raise OutputError(f"{self._path}: not usable as the site's store ({error}); {mend}") from error
