"""What `monitor` would fetch and compute, found out without computing or writing anything."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.config import Settings, Site
from pipeline.fingerprint import fingerprint
from pipeline.job import Job
from pipeline.pairs import Outcome, comparisons, dates_of, left_out, recall_seen
from pipeline.request import site_job
from pipeline.results import is_complete, observed_shares
from pipeline.site_files import sites
from pipeline.store import Store
from pipeline.watch import describe_error


@dataclass
class Plan:
    """One site: its days with images; what would become of each pair (`planned`: it would be computed; later
    dates count as usable); the bytes of the images to be read for that, each file once, and how many more
    files there are, of unknown size.
    """

    site: str
    dates: list[str] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    bytes: int = 0
    unsized: int = 0


def plan(
    paths: Iterable[Path], out: Path, adjust: Callable[[Settings], Settings] = lambda given: given
) -> Iterator[Plan]:
    """The plan of every site of `paths`, as `monitor` takes them. Local images are read for their checksums,
    by which it is known what is up to date.
    """
    for path, site in sites(paths):
        if isinstance(site, Exception):
            yield Plan(path.stem, outcomes=[Outcome(path.stem, "failed", reason=describe_error(site))])
            continue
        try:
            yield _Planner(site, out, adjust(site.settings)).plan()
        except Exception as error:
            yield Plan(site.id, outcomes=[Outcome(site.id, "failed", reason=describe_error(error))])


class _Planner:
    """One site's plan while it is made."""

    def __init__(self, site: Site, out: Path, settings: Settings) -> None:
        self._site, self._out, self._settings = site, out, settings
        recall_seen(site, out / site.id)
        self._store = Store.existing(site.store, out / site.id, site.id)
        self._files: dict[Path, int | None] = {}

    def plan(self) -> Plan:
        dates = dates_of(self._site)
        compared = comparisons(dates, self._outcome, self._site.track.min_clear)
        outcomes = [*left_out(self._site), *compared]
        sizes = [size for size in self._files.values() if size is not None]
        return Plan(self._site.id, dates, outcomes, sum(sizes), len(self._files) - len(sizes))

    def _outcome(self, before: str, after: str) -> Outcome:
        name = self._site.id
        try:
            job = site_job(self._site, before, after, self._out, self._settings)
            mark = fingerprint(job)
        except Exception as error:
            return Outcome(name, "failed", before, after, describe_error(error))
        known = self._store.known(before, after) if self._store else None
        if known and known.fingerprint == mark and known.refused:
            return Outcome(name, "refused", before, after, known.refused)
        if is_complete(job.out, mark):
            shares = observed_shares(job.out)
            return Outcome(name, "skipped", before, after, None, None, job.out, *shares)
        self._files |= images(job)
        return Outcome(name, "planned", before, after, folder=job.out)


def images(job: Job) -> dict[Path, int | None]:
    """All files that a comparison reads, with their bytes: as they lie here, or as their Item says
    (`file:size`); None where neither does.
    """
    assets = [asset for item in (*job.before, *job.after) for asset in item.assets.values()]
    told = {
        Path(asset.get_absolute_href() or asset.href): asset.extra_fields.get("file:size") for asset in assets
    }
    given = [mask for mask in (job.before_mask, job.after_mask) if mask is not None]
    masks = [path for mask in given for path in ([mask] if isinstance(mask, Path) else mask)]
    every = {**dict.fromkeys(masks), **told}
    return {path: path.stat().st_size if path.is_file() else size for path, size in every.items()}
