"""A PostgreSQL with PostGIS for the tests alone: Debian's programs, a cluster in a folder of its own, a free
loopback port.

Tests that want one take the fixture `database` (the address of a new, empty database with PostGIS). Where
the programs are not installed they are skipped, saying so; with GROUNDBREAK_NEED_POSTGRES set they fail.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from servers import free_port

PROGRAMS, EXTENSIONS = Path("/usr/lib/postgresql"), Path("/usr/share/postgresql")
NEED = "GROUNDBREAK_NEED_POSTGRES"
MISSING = "no PostgreSQL with PostGIS here: apt-get install postgresql postgresql-postgis"
OWNER = "groundbreak"


@dataclass(frozen=True)
class Postgres:
    """A running server: its programs, its port, the password of its owner."""

    programs: Path
    port: int
    password: str

    def url(self, database: str) -> str:
        """The address of a database, password included."""
        return f"postgresql://{OWNER}:{self.password}@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        """The address of a new database with PostGIS and nothing else in it."""
        name = f"db_{secrets.token_hex(6)}"
        self.sql("postgres", f"CREATE DATABASE {name} TEMPLATE with_postgis")
        return self.url(name)

    def sql(self, database: str, statement: str) -> None:
        """Execute a statement by psql."""
        psql = self.programs / "psql"
        words = [psql, self.url(database), "-q", "-X", "-v", "ON_ERROR_STOP=1", "-c", statement]
        subprocess.run(words, check=True, capture_output=True)


def postgres_programs() -> Path | None:
    """Where Debian has the newest PostgreSQL for which PostGIS is installed, too; None without one."""
    versions = sorted((path for path in PROGRAMS.glob("[0-9]*")), key=lambda path: int(path.name))
    there = [path.name for path in versions if (path / "bin" / "initdb").is_file()]
    fit = [name for name in there if (EXTENSIONS / name / "extension" / "postgis.control").is_file()]
    return PROGRAMS / fit[-1] / "bin" if fit else None


@contextmanager
def running_postgres(programs: Path) -> Iterator[Postgres]:
    """A new cluster, started, and gone at the end."""
    # Not below pytest's folder: that is closed to other users, and PostgreSQL refuses to run as root.
    folder = Path(tempfile.mkdtemp(prefix="groundbreak-pg-"))
    password, port, data, told = secrets.token_hex(12), free_port(), folder / "data", folder / "password"
    told.touch(0o600)
    told.write_text(password)
    runner: list[str] = []
    if os.geteuid() == 0:
        runner = ["runuser", "-u", "postgres", "--"]
        for path in (folder, told):
            shutil.chown(path, "postgres", "postgres")
    control = [*runner, str(programs / "pg_ctl"), "-D", str(data)]
    try:
        options = ["-U", OWNER, "-A", "scram-sha-256", "-E", "UTF8", "--no-locale", "--no-sync"]
        _call([*runner, str(programs / "initdb"), "-D", str(data), *options, f"--pwfile={told}"])
        server_options = f"-p {port} -h 127.0.0.1 -k {folder} -F"  # -F: does not wait for the disk
        _call([*control, "-l", str(folder / "log"), "-o", server_options, "-w", "-t", "60", "start"])
        try:
            server = Postgres(programs, port, password)
            server.sql("postgres", "CREATE DATABASE with_postgis")
            server.sql("with_postgis", "CREATE EXTENSION postgis")
            yield server
        finally:
            _call([*control, "-m", "immediate", "stop"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _call(words: list[str]) -> None:
    # Output to a file, not a pipe: the server inherits it, and would keep a pipe open.
    with tempfile.TemporaryFile("w+") as told:
        done = subprocess.run(words, stdout=told, stderr=told, cwd="/", check=False)
        told.seek(0)
        assert done.returncode == 0, f"{' '.join(words)}: {told.read()}"
