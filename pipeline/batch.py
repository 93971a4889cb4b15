"""Many sites, spread over whatever does the work; what fails does not stop the rest.

A small site is one task, from its images to its report: a worker does all of it, and thousands are under way
without the client touching a pixel. A site of many blocks is spread block by block over all workers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pipeline.alerts.deliver import deliver
from pipeline.compute import alone, spread
from pipeline.config import Settings, load_site
from pipeline.pages import write_index
from pipeline.pairs import Outcome
from pipeline.progress import Progress
from pipeline.site_files import sites
from pipeline.watch import Watch, describe_error

SMALL_BLOCKS = 4
"""A site of up to so many blocks is done by one worker."""


@dataclass(frozen=True)
class _Site:
    """A site file, and the settings that count for it."""

    path: Path
    settings: Settings


def monitor(
    paths: Iterable[Path],
    out: Path,
    progress: Progress,
    adjust: Callable[[Settings], Settings] = lambda given: given,
) -> Iterator[Outcome]:
    """Watch every site of `paths` (site files, or folders of them), giving each outcome as it is known.

    `adjust` has the last word on a site's settings. A site ends in `OUT/<site id>/timeline.geojson` and
    `timeline.csv`, made from all its pairs that could be compared; `OUT/index.html` lists the sites there.
    """
    watched: list[_Site] = []
    for path, site in sites(paths):
        if isinstance(site, Exception):
            yield _failed(path, site)
        else:
            watched.append(_Site(path.absolute(), adjust(site.settings)))
    try:
        yield from _all(watched, out, progress)
    finally:
        write_index(out)


def _all(watched: list[_Site], out: Path, progress: Progress) -> Iterator[Outcome]:
    rest = []  # large ones; without workers, all
    for one, outcomes in spread(partial(_alone, out=out), watched):
        if isinstance(outcomes, Exception):
            yield _failed(one.path, outcomes)
        elif outcomes is None:
            rest.append(one)
        else:
            yield from outcomes
            _tell(one, out, progress)
    for one in rest:
        yield from _watched(one, out, progress)
        _tell(one, out, progress)


def _tell(one: _Site, out: Path, progress: Progress) -> None:
    """Send the site's alerts: here and not in a worker, as secrets and the way out may be here alone.

    What goes wrong with it is no fault of the run, and is tried again by the next.
    """
    try:
        site = load_site(one.path)
        said = deliver(out / site.id, site.file.alerts).told()
    except Exception as error:
        said = f"alerts: {describe_error(error)}"
    if said:
        progress.note(f"{one.path.stem}: {said}")


def _watched(one: _Site, out: Path, progress: Progress) -> Iterator[Outcome]:
    try:
        yield from _outcomes(one, Watch(load_site(one.path), out, progress, one.settings))
    except Exception as error:
        yield _failed(one.path, error)


def _outcomes(one: _Site, watch: Watch) -> Iterator[Outcome]:
    try:
        yield from watch.outcomes()
    except Exception as error:
        yield _failed(one.path, error)


def _alone(one: _Site, out: Path) -> list[Outcome] | None:
    """In a worker: all of a site, or None where it is too large for one."""
    with alone():
        watch = Watch(load_site(one.path), out, Progress(), one.settings)
        with suppress(Exception):  # what is wrong with it is told below
            if watch.pixels() > SMALL_BLOCKS * one.settings.compute.chunk_size**2:
                return None
        return list(_outcomes(one, watch))


def _failed(path: Path, error: Exception) -> Outcome:
    return Outcome(path.stem, "failed", reason=describe_error(error))
