"""One site, many dates: every pair that its timeline follows from, what is done already passed over."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import geopandas as gpd
import pystac

from pipeline.config import Settings, Site
from pipeline.errors import AlignmentRejectedError, GroundbreakError, NothingObservedError
from pipeline.fingerprint import fingerprint
from pipeline.job import Job, load
from pipeline.keep_open import close_kept
from pipeline.outputs.staging import locked
from pipeline.pairs import (
    Outcome,
    Status,
    comparisons,
    dates_of,
    left_out,
    note_seen,
    recall_seen,
    reference_of,
)
from pipeline.progress import Progress
from pipeline.publish import publish
from pipeline.request import site_job
from pipeline.results import is_complete, observed_shares
from pipeline.secrecy import without_secrets
from pipeline.store import Known, Store
from pipeline.timeline import GEOJSON, follow, write_timeline

REFUSALS = (AlignmentRejectedError, NothingObservedError)
"""Wrong with a date rather than with the job: such a pair is refused, and the batch has not failed."""

log = logging.getLogger(__name__)


def describe_error(error: Exception) -> str:
    """One line for the person; what is not theirs to mend is said to be ours, its traceback logged."""
    if isinstance(error, GroundbreakError):
        return without_secrets(str(error))
    log.debug("unexpected error", exc_info=error)
    what = without_secrets(f"{type(error).__name__}: {error}".splitlines()[0])
    return f"this is a bug in Groundbreak: {what}; run again with --verbose for the traceback"


@dataclass
class Watch:
    """One site through all its dates: each against one reference, and against the date before."""

    site: Site
    out: Path
    progress: Progress
    settings: Settings
    compared: list[tuple[str, str]] = field(default_factory=list)

    store: Store = field(init=False)
    scenes: Callable[[str], Sequence[pystac.Item]] = field(init=False)

    def __post_init__(self) -> None:
        self.scenes = cache(self.site.scenes)  # a date belongs to several pairs
        recall_seen(self.site, self.folder)

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
        """Every pair that the timeline follows from; it is written at the end, unless all that was tried
        failed and there is none yet.

        Raises SourceNotFoundError where there are no two dates, OutputError where another run watches it.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with locked(self.folder):
            for half in self.folder.glob(".part-*"):  # of a run that was killed
                half.unlink()
            self.store = self._store()
            try:
                with self.store.held():
                    yield from self._outcomes()
            finally:
                close_kept()

    def _store(self) -> Store:
        address = self.site.store
        return Store(address, self.site.id) if address else Store.beside(self.folder, self.site.id)

    def _outcomes(self) -> Iterator[Outcome]:
        tried: list[Outcome] = []
        self.site.available_dates()
        note_seen(self.site, self.folder)
        yield from left_out(self.site)
        for outcome in comparisons(dates_of(self.site), self._pair, self.site.track.min_clear):
            tried.append(outcome)
            yield outcome
        self.store.keep_only({(one.before or "", one.after or "") for one in tried})
        reference = reference_of(tried, self.site.track.min_clear)
        for one in tried:
            if one.usable and (one.before or "") >= (reference or "9999"):
                self.compared.append((one.before or "", one.after or ""))
        failed = any(one.status == "failed" for one in tried)
        if failed and not self.compared and not (self.folder / GEOJSON).exists():
            return  # nothing is known of this site yet, which is not that nothing has happened there
        stored = self.store.comparisons()
        with_folders = {self._result(*pair): stored[pair] for pair in self.compared}
        timeline = follow(with_folders, self.site.track)
        self.store.followed(timeline)
        write_timeline(self.folder, timeline)
        publish(self.site, self.folder, timeline)

    def _result(self, before: str, after: str) -> Path:
        return self.folder / f"{before}_{after}"

    def _pair(self, before: str, after: str) -> Outcome:
        try:
            return self._compare(before, after)
        except Exception as error:
            return self._failed(before, after, describe_error(error))

    def _failed(self, before: str, after: str, reason: str) -> Outcome:
        """What was known before stays: an image that cannot be read just now undoes nothing."""
        known, folder = self.store.known(before, after), self._result(before, after)
        if known is None or known.refused or not is_complete(folder):
            return Outcome(self.site.id, "failed", before, after, reason)
        return Outcome(
            self.site.id, "failed", before, after, reason, known.findings, folder, known.before_seen,
            known.after_seen,
        )  # fmt: skip

    def _compare(self, before: str, after: str) -> Outcome:
        job = site_job(self.site, before, after, self.out, self.settings, self.scenes)
        mark, known = fingerprint(job), self.store.known(before, after)
        same = known is not None and known.fingerprint == mark
        if known and same and known.refused:
            return Outcome(self.site.id, "refused", before, after, known.refused)
        if is_complete(job.out, mark):
            if known and same:
                return self._outcome("skipped", job, before, after, known)
            return self._take(job, before, after, mark, "skipped")
        from pipeline.run import run  # slow to import, and not needed where all is done already

        self.progress.begin(f"{self.site.name}, {before} to {after}")
        try:
            run(job, self.progress)
        except REFUSALS as refusal:
            self.store.refused(before, after, mark, str(refusal))
            return Outcome(self.site.id, "refused", before, after, str(refusal))
        return self._take(job, before, after, mark, "done")

    def _take(self, job: Job, before: str, after: str, mark: str, status: Status) -> Outcome:
        """The findings of a complete folder, into the store."""
        findings = gpd.read_parquet(job.out / "changes.parquet")
        self.store.compared(before, after, mark, findings, observed_shares(job.out))
        known = self.store.known(before, after)
        assert known is not None
        return self._outcome(status, job, before, after, known)

    def _outcome(self, status: Status, job: Job, before: str, after: str, known: Known) -> Outcome:
        return Outcome(
            self.site.id, status, before, after, None, known.findings, job.out,
            known.before_seen, known.after_seen,
        )  # fmt: skip
