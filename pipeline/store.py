"""What is known of sites' pairs of dates, and their timelines: one SQLite file a site, or a PostGIS for all.

Each pair is either compared, with its findings, or refused, with the reason; both with the fingerprint of the
inputs and settings that led to it. Every change is one transaction, so two monitors at once cannot mix their
rows, and writing what is there already changes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import CreateTable

from pipeline.errors import OutputError
from pipeline.outputs.vectors import to_lonlat
from pipeline.stages.track import COLUMNS, Comparison, Timeline
from pipeline.tables import FINDINGS, HISTORY, METADATA, PAIRS, SITES, THINGS, as_ewkb

WAIT_SECONDS = 60
FILE = "timeline.sqlite"
_COLUMNS = ("id", "kind", "direction", "confidence", "area_m2", "length_m", "width_m", "zone")


@dataclass(frozen=True)
class Known:
    """A pair that was dealt with: `refused` is the reason why it could not be compared, None where it was.

    `before_seen`, `after_seen`: share of the site that each date shows; `findings`: how many there are.
    """

    fingerprint: str
    refused: str | None
    before_seen: float
    after_seen: float
    findings: int


class Store:
    """What is known of one site. Raises OutputError where the database cannot be read or written."""

    def __init__(self, url: str, site: str, make: bool = True) -> None:
        """`url`: sqlite:///FILE, or postgresql://[USER@]HOST[:PORT]/DATABASE, whose password libpq finds in
        PGPASSWORD or ~/.pgpass. `make`: the tables, where they are not there.
        """
        self._site = site
        try:
            address = sa.make_url(url)
            self._engine = _engine(address)
        except (ArgumentError, ImportError) as error:
            shown = "the store's address" if isinstance(error, ArgumentError) else _shown(url)
            raise OutputError(
                f"{shown}: no database that can be used ({error});"
                " write sqlite:///FILE or postgresql://HOST/DATABASE"
            ) from error
        if not make:
            return
        with self._change() as connection:
            if self._postgres:  # two that start at once would both create the tables
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_key("tables"))))
            for table in METADATA.sorted_tables:
                connection.execute(CreateTable(table, if_not_exists=True))

    @classmethod
    def beside(cls, folder: Path, site: str) -> Store:
        """The embedded one: FOLDER/timeline.sqlite."""
        folder.mkdir(parents=True, exist_ok=True)
        return cls(f"sqlite:///{folder / FILE}", site)

    @classmethod
    def existing(cls, address: str | None, folder: Path, site: str) -> Store | None:
        """The one at `address`, else the embedded one, if it is there; nothing is made."""
        if address is None and not (folder / FILE).exists():
            return None
        store = cls(address or f"sqlite:///{folder / FILE}", site, make=False)
        with store._change() as connection:
            return store if sa.inspect(connection).has_table(PAIRS.name) else None

    @property
    def _postgres(self) -> bool:
        return self._engine.dialect.name == "postgresql"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other monitors, on any machine, from this site. Raises OutputError where one is at it.

        An embedded store lies in the folder of the results, which whoever writes there has locked.
        """
        if not self._postgres:
            yield
            return
        with self._told_as_ours(), self._engine.connect() as connection:
            if not connection.scalar(sa.select(sa.func.pg_try_advisory_lock(_key(self._site)))):
                raise OutputError(f"{self._site}: another monitor is at it in this store; wait for it")
            yield  # closing the connection lets go

    def known(self, before: str, after: str) -> Known | None:
        """What became of a pair, or None where it was never tried."""
        count = sa.select(sa.func.count()).where(*self._pair(FINDINGS, before, after)).scalar_subquery()
        columns = (PAIRS.c.fingerprint, PAIRS.c.refused, PAIRS.c.before_seen, PAIRS.c.after_seen, count)
        with self._change() as connection:
            row = connection.execute(sa.select(*columns).where(*self._pair(PAIRS, before, after))).first()
        return None if row is None else Known(*row)

    def compared(
        self,
        before: str,
        after: str,
        fingerprint: str,
        findings: gpd.GeoDataFrame,
        seen: tuple[float, float] = (1.0, 1.0),
    ) -> None:
        """Record a pair's findings, in place of whatever was known of it. `findings` needs a CRS."""
        rows = findings.reindex(columns=list(_COLUMNS)).astype(object)
        records = rows.where(rows.notna(), None).to_dict("records")
        shared = {"site": self._site, "before": before, "after": after}
        outlines = as_ewkb(findings.geometry)
        lines = [
            {**shared, **row, "outline": outline} for row, outline in zip(records, outlines, strict=True)
        ]
        pair = {
            **shared, "fingerprint": fingerprint, "refused": None, "crs": findings.crs.to_wkt(),
            "before_seen": seen[0], "after_seen": seen[1],
        }  # fmt: skip
        with self._write() as connection:
            self._forget(connection, before, after)
            connection.execute(PAIRS.insert(), pair)
            if lines:
                connection.execute(FINDINGS.insert(), lines)

    def refused(self, before: str, after: str, fingerprint: str, reason: str) -> None:
        """Record that a pair cannot be compared, so that it need not be tried again."""
        pair = {
            "site": self._site, "before": before, "after": after, "fingerprint": fingerprint,
            "refused": reason, "crs": None, "before_seen": 0.0, "after_seen": 0.0,
        }  # fmt: skip
        with self._write() as connection:
            self._forget(connection, before, after)
            connection.execute(PAIRS.insert(), pair)

    def comparisons(self) -> dict[tuple[str, str], Comparison]:
        """All compared pairs by their dates, the findings of each by id, in their own CRS."""
        names = ["before", "after", *_COLUMNS, "outline"]
        order = (FINDINGS.c.before, FINDINGS.c.after, FINDINGS.c.id)
        query = sa.select(*(FINDINGS.c[name] for name in names)).where(FINDINGS.c.site == self._site)
        compared = sa.select(PAIRS.c.before, PAIRS.c.after, PAIRS.c.crs).where(
            PAIRS.c.site == self._site, PAIRS.c.refused.is_(None)
        )
        with self._change() as connection:
            crs = {(row.before, row.after): row.crs for row in connection.execute(compared)}
            rows = [tuple(row) for row in connection.execute(query.order_by(*order))]
        frame = pd.DataFrame(rows, columns=names).astype({"zone": object})
        lines = frame.groupby(["before", "after"]).indices
        outlines, findings = gpd.GeoSeries.from_wkb(frame["outline"]), frame[list(_COLUMNS)]
        within = {
            wkt: gpd.GeoDataFrame(findings, geometry=outlines.set_crs(wkt, allow_override=True))
            for wkt in set(crs.values())
        }
        return {pair: Comparison(*pair, within[wkt].iloc[lines.get(pair, [])]) for pair, wkt in crs.items()}

    def keep_only(self, pairs: set[tuple[str, str]]) -> None:
        """Forget all other pairs of the site: their dates were withdrawn, or others came between them."""
        with self._write() as connection:
            query = sa.select(PAIRS.c.before, PAIRS.c.after).where(PAIRS.c.site == self._site)
            for before, after in {(row.before, row.after) for row in connection.execute(query)} - pairs:
                self._forget(connection, before, after)

    def followed(self, timeline: Timeline) -> None:
        """Record the site's timeline, for whoever reads the database: outlines in longitude and latitude."""
        things, history = self._rows(timeline)
        digest = hashlib.sha256(repr((things, history)).encode()).hexdigest()
        with self._write() as connection:
            last = connection.scalar(sa.select(SITES.c.digest).where(SITES.c.site == self._site))
            if last == digest:
                return
            for table in (THINGS, HISTORY, SITES):
                connection.execute(table.delete().where(table.c.site == self._site))
            connection.execute(SITES.insert(), {"site": self._site, "digest": digest})
            for table, rows in ((THINGS, things), (HISTORY, history)):
                if rows:
                    connection.execute(table.insert(), rows)

    def _rows(self, timeline: Timeline) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        table = timeline.findings[list(COLUMNS)].astype(object)
        things = table.where(table.notna(), None).to_dict("records")
        outlines = as_ewkb(to_lonlat(timeline.findings)) if len(table) else []
        dates = timeline.history.astype(object)
        lines = dates.where(dates.notna(), None).to_dict("records")
        site = {"site": self._site}
        return (
            [{**site, **row, "outline": outline} for row, outline in zip(things, outlines, strict=True)],
            [{**site, **row} for row in lines],
        )

    def _pair(self, table: sa.Table, before: str, after: str) -> tuple[sa.ColumnElement[bool], ...]:
        return table.c.site == self._site, table.c.before == before, table.c.after == after

    def _forget(self, connection: sa.Connection, before: str, after: str) -> None:
        for table in (PAIRS, FINDINGS):
            connection.execute(table.delete().where(*self._pair(table, before, after)))

    @contextmanager
    def _change(self) -> Iterator[sa.Connection]:
        """One transaction: all of it or none. Between them the database is left alone."""
        with self._told_as_ours(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _write(self) -> Iterator[sa.Connection]:
        """A transaction that writes, one at a time a site: SQLite sees to that itself."""
        with self._change() as connection:
            if self._postgres:
                lock = sa.func.pg_advisory_xact_lock(_key(f"rows of {self._site}"))
                connection.execute(sa.select(lock))
            yield connection

    @contextmanager
    def _told_as_ours(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            what = str(getattr(error, "orig", None) or error).splitlines()[0]
            mend = (
                "check its address, PGPASSWORD and that it has PostGIS (CREATE EXTENSION postgis)"
                if self._postgres
                else "delete it and run again, it is remade from the results"
            )
            shown = self._engine.url.render_as_string() if self._postgres else self._engine.url.database
            raise OutputError(f"{shown}: not usable as the site's store ({what}); {mend}") from error


def _engine(address: sa.URL) -> sa.Engine:
    """Connections are not kept: a monitor may be one of many, and rests for hours."""
    if address.get_backend_name() == "postgresql":
        return sa.create_engine(address.set(drivername="postgresql+psycopg"), poolclass=NullPool)
    if address.get_backend_name() != "sqlite":
        raise ArgumentError(f"{address.drivername} is neither sqlite nor postgresql")
    return sa.create_engine(address, poolclass=NullPool, connect_args={"timeout": WAIT_SECONDS})


def _shown(url: str) -> str:
    """Without its password."""
    return sa.make_url(url).render_as_string()


def _key(name: str) -> int:
    """A PostgreSQL advisory lock's number."""
    return int.from_bytes(hashlib.sha256(f"groundbreak {name}".encode()).digest()[:8], signed=True)
