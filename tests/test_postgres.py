"""The server that other tests build on: empty databases with PostGIS, each for itself."""

from __future__ import annotations

import subprocess

import pytest
from postgres import Postgres


def test_a_new_database_has_postgis_and_nothing_of_another(postgres: Postgres, database: str) -> None:
    def asked(url: str, query: str) -> str:
        words = [postgres.programs / "psql", url, "-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", query]
        return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()

    area = "SELECT ST_Area(ST_GeomFromText('POLYGON((0 0, 2 0, 2 3, 0 3, 0 0))'))"
    assert asked(database, area) == "6"
    asked(database, "CREATE TABLE mine (a int)")
    assert asked(database, "SELECT count(*) FROM mine") == "0"
    with pytest.raises(subprocess.CalledProcessError):
        asked(postgres.new_database(), "SELECT count(*) FROM mine")
