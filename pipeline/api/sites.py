"""`monitor`: every date of some sites, and what is followed through them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from pipeline.api.computing import computing, settings_with
from pipeline.api.html import monitored_html
from pipeline.api.site import SiteResult, open_site
from pipeline.batch import monitor as watch
from pipeline.errors import OutputError
from pipeline.pairs import Outcome
from pipeline.progress import Progress
from pipeline.remote import absolute, is_url
from pipeline.timeline import PHASES_CSV

_COLUMNS = ("site", "before", "after", "status", "findings", "reason")


@dataclass(frozen=True, eq=False)
class Monitored(Mapping[str, SiteResult]):
    """One round over some sites: those that could be followed, by their id, and what became of each pair."""

    folder: Path
    done: tuple[Outcome, ...]

    @property
    def outcomes(self) -> pd.DataFrame:
        """A row a pair of dates, or a date or site that was left out: `site`, `before`, `after`, `status`
        (`done`, `skipped` as it was done before, `refused`, `failed`), `findings`, `reason`.
        """
        rows = [[getattr(one, name) for name in _COLUMNS] for one in self.done]
        return pd.DataFrame(rows, columns=list(_COLUMNS)).astype({"findings": "Int64"})

    def __getitem__(self, site: str) -> SiteResult:
        if site not in list(self):
            raise KeyError(site)
        return open_site(self.folder / site)

    def __iter__(self) -> Iterator[str]:
        known = dict.fromkeys(one.site for one in self.done)
        return (site for site in known if (self.folder / site / PHASES_CSV).is_file())

    def __len__(self) -> int:
        return len(list(iter(self)))

    def _repr_html_(self) -> str:
        return monitored_html(self)

    def __repr__(self) -> str:
        failed = sum(one.status == "failed" for one in self.done)
        return f"<Monitored {', '.join(self) or 'nothing'}; {failed} failed, {self.folder}>"


def monitor(
    sites: str | Path | Sequence[str | Path],
    out: str | Path = "out",
    *,
    detector: str | None = None,
    chunk_size: int | None = None,
    scheduler: str | None = None,
    workers: int = 0,
    progress: Progress | None = None,
) -> Monitored:
    """Compare all dates of all sites, and follow the findings, as `groundbreak monitor` does.

    Args:
        sites: A site file, a folder of them, or several of either.
        out: Folder for the results, a folder a site in it. What is done there already is not done again.
        detector: `auto`, `classic`, `learned`, or `onnx:PATH`, instead of the sites' own.
        chunk_size: Side of a block in pixels, instead of the sites' own.
        scheduler: Address of a Dask cluster, whose workers see the same files.
        workers: So many processes of this machine; 0 for a Dask client that is active, else threads.
        progress: Is told how far it is; nobody if not given.

    Raises:
        OutputError: `out` is no folder.
        ConfigError: A folder holds no site file. What is wrong with one site or date does not stop the
            others: it is told in `outcomes`.
    """
    if is_url(str(out)):
        raise OutputError(f"{out}: monitor writes to a folder only, by which it knows what is done")
    folder = Path(absolute(out))
    paths = [sites] if isinstance(sites, str | Path) else sites
    with computing(scheduler, workers):
        found = watch(
            [Path(path).expanduser() for path in paths],
            folder,
            progress or Progress(),
            lambda given: settings_with(given, chunk_size, detector),
        )
        done = sorted(found, key=lambda one: (one.site, one.before or "", one.after or ""))
    return Monitored(folder, tuple(done))
