"""Who has to be told of what, and who was: one SQLite file in a site's folder.

A delivery goes from `waiting` to `sending` before anything leaves, and to `sent` when it was taken. So what
is found as `sending` by whoever holds the ledger alone was cut off in between, and nobody knows whether it
arrived. Such a one is sent again where the other side can tell a repeat (files by the alert's id, webhooks by
their idempotency key): nothing is lost, and nothing is there twice. Where it cannot (Apprise: mail, chat), it
becomes `unknown` and is not sent again: better a gap that is reported than a message that comes twice.
"""

from __future__ import annotations

import fcntl
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pipeline.errors import OutputError

State = Literal["waiting", "sending", "sent", "unknown"]
WAIT_SECONDS = 60
LEDGER = "alerts.sqlite"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS alerts (
    rule TEXT NOT NULL, finding TEXT NOT NULL, noticed TEXT NOT NULL, told TEXT NOT NULL,
    PRIMARY KEY (rule, finding)
);
CREATE TABLE IF NOT EXISTS deliveries (
    rule TEXT NOT NULL, finding TEXT NOT NULL, target TEXT NOT NULL, state TEXT NOT NULL,
    PRIMARY KEY (rule, finding, target)
);
CREATE TABLE IF NOT EXISTS attempts (
    at TEXT NOT NULL, rule TEXT NOT NULL, finding TEXT NOT NULL, target TEXT NOT NULL, outcome TEXT NOT NULL
);
"""


@dataclass(frozen=True)
class Delivery:
    """An alert on its way to one target. `told` is the alert; `target` names the target, without secrets."""

    rule: str
    finding: str
    target: str
    told: dict[str, Any]

    @property
    def key(self) -> tuple[str, str, str]:
        """Its place in the ledger."""
        return self.rule, self.finding, self.target


class Ledger:
    """Raises OutputError where the file cannot be read or written. Every change is one transaction."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._change() as connection:
            connection.executescript(_SCHEMA)

    def knows(self, rule: str, finding: str) -> bool:
        """Whether this was noticed before."""
        query = "SELECT 1 FROM alerts WHERE rule = ? AND finding = ?"
        with self._change() as connection:
            return connection.execute(query, (rule, finding)).fetchone() is not None

    def note(self, rule: str, finding: str, told: Mapping[str, Any]) -> None:
        """Keep an alert, with the time of now as `noticed`; one that is there already stays as it is."""
        now = _now()
        text = json.dumps({**told, "noticed": now}, ensure_ascii=False, allow_nan=False)
        with self._change() as connection:
            connection.execute("INSERT OR IGNORE INTO alerts VALUES (?, ?, ?, ?)", (rule, finding, now, text))

    def address(self, rule: str, targets: Iterable[str]) -> None:
        """Let all alerts of a rule go to these targets; each goes to each once."""
        query = (
            "INSERT OR IGNORE INTO deliveries SELECT rule, finding, ?, 'waiting' FROM alerts WHERE rule = ?"
        )
        with self._change() as connection:
            connection.executemany(query, [(target, rule) for target in targets])

    def alerts(self, target: str) -> list[dict[str, Any]]:
        """All that is told to a target, the oldest first."""
        query = (
            "SELECT told FROM alerts JOIN deliveries USING (rule, finding) WHERE target = ?"
            " ORDER BY noticed, alerts.rowid"
        )
        with self._change() as connection:
            return [json.loads(told) for (told,) in connection.execute(query, (target,))]

    def having(self, state: State) -> list[Delivery]:
        """The deliveries in a state, the oldest first."""
        query = (
            "SELECT rule, finding, target, told FROM deliveries JOIN alerts USING (rule, finding)"
            " WHERE state = ? ORDER BY noticed, alerts.rowid, target"
        )
        with self._change() as connection:
            rows = connection.execute(query, (state,)).fetchall()
        return [Delivery(rule, finding, target, json.loads(told)) for rule, finding, target, told in rows]

    def mark(self, delivery: Delivery, state: State, outcome: str | None = None) -> None:
        """Change a delivery's state; `outcome`, where given, is kept as an attempt, with its time."""
        with self._change() as connection:
            connection.execute(
                "UPDATE deliveries SET state = ? WHERE rule = ? AND finding = ? AND target = ?",
                (state, *delivery.key),
            )
            if outcome is not None:
                connection.execute(
                    "INSERT INTO attempts VALUES (?, ?, ?, ?, ?)", (_now(), *delivery.key, outcome)
                )

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the ledger against other processes that send; waits for its turn. The system lets go of it
        where a process dies.
        """
        with self._path.with_name(f".{self._path.stem}.lock").open("a") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        try:
            connection = sqlite3.connect(self._path, timeout=WAIT_SECONDS)
            try:
                with connection:
                    yield connection
            finally:
                connection.close()
        except sqlite3.Error as error:
            mend = "move it away and run again; what was sent would then be sent again"
            raise OutputError(f"{self._path}: not usable as a ledger of alerts ({error}); {mend}") from error


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
