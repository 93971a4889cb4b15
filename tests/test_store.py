"""The store, embedded and in PostGIS: the same tests on both."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from shapely.geometry import box

from pipeline.config import load_site
from pipeline.errors import ConfigError, OutputError
from pipeline.stages.track import Comparison, Seen, Timeline, Track
from pipeline.store import Store
from pipeline.timeline import follow

CRS, HOUSE = "EPSG:32637", box(600_010, 3_799_980, 600_020, 3_799_990)
PAIR = ("2019-08-20", "2019-09-09")


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 's.sqlite'}"
    else:
        yield request.getfixturevalue("database")


def findings(count: int = 2) -> gpd.GeoDataFrame:
    columns = {"kind": "road", "direction": "new", "confidence": 0.7, "length_m": 41.5, "zone": None}
    rows = gpd.GeoDataFrame({"id": range(count, 0, -1), **columns}, geometry=[HOUSE] * count, crs=CRS)
    rows.loc[0, "zone"] = "gate"
    return rows


def test_it_keeps_what_it_is_given(url: str) -> None:
    store = Store(url, "yard")
    assert store.known(*PAIR) is None
    for _ in range(2):
        store.compared(*PAIR, "mark", findings(), (0.9, 0.4))
    back = Store(url, "yard").comparisons()[PAIR].findings
    assert list(back["id"]) == [1, 2]
    assert pd.isna(back["zone"][0])
    assert back["zone"][1] == "gate"
    assert pd.isna(back["width_m"]).all()
    assert back.geometry[1].equals(HOUSE)
    assert back.crs.to_epsg() == 32637
    known = store.known(*PAIR)
    assert known is not None
    assert (known.fingerprint, known.refused, known.before_seen, known.after_seen, known.findings) == (
        "mark", None, 0.9, 0.4, 2,
    )  # fmt: skip


def test_no_findings_are_kept_too(url: str) -> None:
    store = Store(url, "yard")
    store.compared(*PAIR, "mark", findings().iloc[:0])
    back = store.comparisons()[PAIR].findings
    assert len(back) == 0
    assert back.crs.to_epsg() == 32637


def test_a_refusal_takes_the_place_of_findings(url: str) -> None:
    store = Store(url, "yard")
    store.compared(*PAIR, "mark", findings())
    store.refused(*PAIR, "other mark", "clouds")
    known = store.known(*PAIR)
    assert known is not None
    assert (known.fingerprint, known.refused, known.findings) == ("other mark", "clouds", 0)
    assert store.comparisons() == {}


def test_each_pair_has_its_own_findings_in_its_own_crs(url: str) -> None:
    store, later = Store(url, "yard"), ("2019-09-09", "2019-09-21")
    store.compared(*PAIR, "mark", findings(3))
    store.compared(*later, "mark", findings(1).to_crs("EPSG:32638"))
    store.compared(PAIR[0], later[1], "mark", findings().iloc[:0])
    Store(url, "gate").compared(*PAIR, "mark", findings(5))
    back = {pair: one.findings for pair, one in store.comparisons().items()}
    assert {pair: len(found) for pair, found in back.items()} == {PAIR: 3, later: 1, (PAIR[0], later[1]): 0}
    assert list(back[PAIR]["id"]) == [1, 2, 3]
    assert back[PAIR].geometry.iloc[2].equals(HOUSE)
    assert back[later].crs.to_epsg() == 32638
    assert back[later].to_crs(CRS).geometry.iloc[0].equals_exact(HOUSE, 1e-6)


def test_sites_do_not_mix_and_pairs_can_be_forgotten(url: str) -> None:
    yard, gate = Store(url, "yard"), Store(url, "gate")
    for store in (yard, gate):
        for after in ("2019-09-09", "2019-09-21"):
            store.compared("2019-08-20", after, "mark", findings())
    yard.keep_only({("2019-08-20", "2019-09-21")})
    assert yard.known(*PAIR) is None
    assert yard.known("2019-08-20", "2019-09-21") is not None
    assert gate.known(*PAIR) is not None


def timeline() -> Timeline:
    found = findings().iloc[:1]

    def looks(date: str, _: object) -> Seen:
        return Seen(np.ones(1), np.array([float(date > PAIR[0])]), np.zeros(1))

    return Track()([Comparison(*PAIR, found)], PAIR[0], looks)


def test_a_timeline_can_be_read_by_others(url: str) -> None:
    store = Store(url, "yard")
    for _ in range(2):
        store.followed(timeline())
    engine = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        row = connection.execute(
            sa.text("SELECT id, kind, status, first_seen FROM timeline WHERE site = 'yard'")
        )
        assert [tuple(one) for one in row] == [("2019-09-09-01", "road", "candidate", "2019-09-09")]
        history = connection.execute(sa.text("SELECT date, present FROM history ORDER BY date")).all()
        assert [(one.date, bool(one.present)) for one in history] == [(PAIR[0], False), (PAIR[1], True)]
        if engine.dialect.name == "postgresql":
            place = sa.text("SELECT ST_SRID(outline), ST_X(ST_Centroid(outline)) FROM timeline")
            srid, lon = connection.execute(place).one()
            assert srid == 4326
            assert lon == pytest.approx(40.0873, abs=1e-3)
    engine.dispose()


def test_writers_at_once_do_not_mix_their_rows(url: str) -> None:
    def write(mark: int) -> None:
        store = Store(url, "yard")
        for _ in range(8):
            store.compared(*PAIR, str(mark), findings(mark + 1))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    known = Store(url, "yard").known(*PAIR)
    assert known is not None
    assert known.findings == int(known.fingerprint) + 1


def test_one_monitor_a_site_whatever_machine_it_is_on(database: str) -> None:
    yard, again, gate = Store(database, "yard"), Store(database, "yard"), Store(database, "gate")
    with yard.held(), gate.held(), pytest.raises(OutputError, match="yard: another monitor"), again.held():
        pass
    with again.held():
        pass


def test_an_address_that_leads_nowhere_is_one_clear_line_without_its_password(tmp_path: Path) -> None:
    for url, says in (
        ("nonsense", "address"),
        ("mysql://there/base", "neither sqlite nor postgresql"),
        ("postgresql://me:secret@127.0.0.1:1/base", "check its address"),
    ):
        with pytest.raises(OutputError, match=says) as caught:
            Store(url, "yard")
        assert "secret" not in str(caught.value)
        assert "\n" not in str(caught.value)
    (tmp_path / "timeline.sqlite").write_text("no database" * 100)
    with pytest.raises(OutputError, match="delete it and run again"):
        Store.beside(tmp_path, "yard")


def test_a_password_in_a_site_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "yard.yaml"
    path.write_text("id: yard\nsource: {files: '{date}.tif'}\nstore: postgresql://me:secret@host/base\n")
    with pytest.raises(ConfigError, match="yaml:3: store: has a password in it; leave it to PGPASSWORD"):
        load_site(path)
    path.write_text("id: yard\nsource: {files: '{date}.tif'}\nstore: postgresql://me@host/base\n")
    assert load_site(path).store == "postgresql://me@host/base"


def test_the_embedded_store_is_a_plain_sqlite_file(tmp_path: Path) -> None:
    Store.beside(tmp_path, "yard").compared(*PAIR, "mark", findings())
    with sqlite3.connect(tmp_path / "timeline.sqlite") as file:
        assert file.execute("SELECT count(*) FROM findings").fetchone() == (2,)
    file.close()
    assert follow({}, Track()).findings.empty
