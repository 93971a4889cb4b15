"""One site, many dates: each pair of successive dates compared, what is done already passed over."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import geopandas as gpd

from pipeline.config import Settings, Site
from pipeline.errors import (
    AlignmentRejectedError,
    ConfigError,
    GroundbreakError,
    NothingObservedError,
    SourceNotFoundError,
)
from pipeline.fingerprint import fingerprint
from pipeline.job import Job, load
from pipeline.outputs.files import write_text
from pipeline.outputs.staging import locked
from pipeline.progress import Progress
from pipeline.run import run
from pipeline.secrecy import without_secrets
from pipeline.store import Store
from pipeline.timeline import follow, write_timeline

STORE, SEEN = "timeline.sqlite", "seen.json"
REFUSALS = (AlignmentRejectedError, NothingObservedError)
"""Wrong with a date rather than with the job: such a pair is refused, and the batch has not failed."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """What became of one pair of dates; of a date that was left out (`after`, without `before`); or of a site
    that did not get as far (without dates).

    `skipped`: it was done before, and nothing it follows from has changed since.
    """

    site: str
    status: Literal["done", "skipped", "refused", "failed"]
    before: str | None = None
    after: str | None = None
    reason: str | None = None
    findings: int | None = None
    folder: Path | None = None


def site_job(site: Site, before: str, after: str, out: Path, settings: Settings) -> Job:
    """The comparison of two dates of a site, its files to go to OUT/<site id>/<before>_<after>/.

    Raises ConfigError where the dates are not in order, and what `Site.scenes` raises.
    """
    if before >= after:
        raise ConfigError(f"{site.path}: {before} is not earlier than {after}; name two dates in order")
    return Job(
        site_id=site.id,
        site_name=site.name,
        out=out / site.id / f"{before}_{after}",
        before=tuple(site.scenes(before)),
        after=tuple(site.scenes(after)),
        before_mask=_masks(site, before),
        after_mask=_masks(site, after),
        aoi=site.aoi,
        zones=site.zones,
        bands=site.bands,
        settings=settings,
    )


def _masks(site: Site, date: str) -> tuple[Path, ...] | None:
    """Absolute, since workers may run in other folders."""
    return tuple(mask.absolute() for mask in site.masks(date)) or None


def describe_error(error: Exception) -> str:
    """One line for the person; what is not theirs to mend is said to be ours, its traceback logged."""
    if isinstance(error, GroundbreakError):
        return without_secrets(str(error))
    log.debug("unexpected error", exc_info=error)
    what = without_secrets(f"{type(error).__name__}: {error}".splitlines()[0])
    return f"this is a bug in Groundbreak: {what}; run again with --verbose for the traceback"


@dataclass
class Watch:
    """One site through all its dates."""

    site: Site
    out: Path
    progress: Progress
    settings: Settings
    compared: list[tuple[str, str]] = field(default_factory=list)

    store: Store = field(init=False)

    def __post_init__(self) -> None:
        with suppress(OSError, UnicodeDecodeError):
            self.site.looks.seen.recall((self.folder / SEEN).read_text(encoding="utf-8"))

    @property
    def folder(self) -> Path:
        """Where all of the site goes."""
        return self.out / self.site.id

    def pixels(self) -> int:
        """Of the grid that its first two dates are compared on."""
        first, second = sorted(self.site.available_dates())[:2]
        shape = load(site_job(self.site, first, second, self.out, self.settings)).grid.shape
        return int(shape[0]) * int(shape[1])

    def outcomes(self) -> Iterator[Outcome]:
        """Each date against the one before; past a date that cannot be used, against the last that could.

        Raises SourceNotFoundError where there are no two dates, OutputError where another run watches it.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with locked(self.folder):
            for half in self.folder.glob(".part-*"):  # of a run that was killed
                half.unlink()
            self.store = Store(self.folder / STORE)
            yield from self._outcomes()

    def _outcomes(self) -> Iterator[Outcome]:
        dates = sorted(self.site.available_dates())
        write_text(self.folder / SEEN, self.site.looks.seen.noted())
        for out in self.site.left_out():
            yield Outcome(self.site.id, "failed" if out.failed else "refused", None, out.date, out.reason)
        if len(dates) < 2:
            have = f"only {dates[0]}" if dates else "none"
            raise SourceNotFoundError(f"{self.site.id}: two dates with images are needed, there is {have}")
        usable, doubtful = dates[0], None
        for date in dates[1:]:
            for before in (usable, doubtful):
                outcome = self._pair(before, date) if before else None
                if outcome is None:
                    continue
                yield outcome
                if outcome.status in {"done", "skipped"}:
                    self.compared.append((before or "", date))
                    usable, doubtful = date, None
                    break
            else:
                doubtful = date
        with_folders = {self._result(b, a): self.store.comparison(b, a) for b, a in self.compared}
        write_timeline(self.folder, follow(with_folders))

    def _result(self, before: str, after: str) -> Path:
        return self.folder / f"{before}_{after}"

    def _pair(self, before: str, after: str) -> Outcome:
        try:
            return self._compare(before, after)
        except Exception as error:
            return Outcome(self.site.id, "failed", before, after, describe_error(error))

    def _compare(self, before: str, after: str) -> Outcome:
        job = site_job(self.site, before, after, self.out, self.settings)
        mark, known = fingerprint(job), self.store.known(before, after)
        if known and known.fingerprint == mark and known.refused:
            return Outcome(self.site.id, "refused", before, after, known.refused)
        if is_complete(job.out, mark) or (known and known.fingerprint == mark and is_complete(job.out)):
            return self._take(job, before, after, mark, "skipped")
        self.progress.begin(f"{self.site.name}, {before} to {after}")
        try:
            run(job, self.progress)
        except REFUSALS as refusal:
            self.store.refused(before, after, mark, str(refusal))
            return Outcome(self.site.id, "refused", before, after, str(refusal))
        return self._take(job, before, after, mark, "done")

    def _take(
        self, job: Job, before: str, after: str, mark: str, status: Literal["done", "skipped"]
    ) -> Outcome:
        """The findings of a complete folder, into the store."""
        findings = gpd.read_parquet(job.out / "changes.parquet")
        known = self.store.known(before, after)
        if status == "done" or known is None or known.fingerprint != mark:
            self.store.compared(before, after, mark, findings)
        return Outcome(self.site.id, status, before, after, None, len(findings), job.out)


def is_complete(folder: Path, mark: str | None = None) -> bool:
    """Whether a run ended in this folder, and, where a fingerprint is given, whether run.json names it."""
    try:
        told = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(told, dict) and (mark is None or told.get("fingerprint") == mark)
