"""A small world for a monitor to live in: images that come late, break and heal, a server that fails."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from http.server import ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pystac

from benchmarks.made_series import make_site
from pipeline.ranges import RangeHandler
from pipeline.scenes import describe

SEED = 940_000  # no parameter was chosen on these


class Server(ThreadingHTTPServer):
    """Gives files of a folder, in parts too, on loopback; of all requests it fails the share `failing`."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        self.failing, self.failed = 0.0, 0
        self.chance = np.random.default_rng(SEED)
        self.lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), partial(_Handler, directory=str(folder)))
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        """Its URL."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def fails_now(self) -> bool:
        """Whether the next request is one of those."""
        with self.lock:
            fails = bool(self.chance.random() < self.failing)
            self.failed += fails
            return fails


class _Handler(RangeHandler):
    server: Server
    protocol_version = "HTTP/1.0"

    def send_head(self) -> BytesIO | BinaryIO | None:
        if self.command == "GET" and not self.server.fails_now():
            return super().send_head()
        self.send_error(503 if self.command == "GET" else 405)
        return None


@dataclass
class Place:
    """One site: its dates in the order in which they come, and how many have come. `remote`: a catalogue on
    the server names its images; else they lie in a folder.
    """

    name: str
    store: Path
    here: Path
    order: list[str]
    remote: bool
    address: str
    come: int = 0
    broken: dict[Path, bytes] = field(default_factory=dict)

    def deliver(self) -> None:
        """One more date."""
        if self.come < len(self.order):
            day = self.order[self.come]
            shutil.copytree(self.store / day, self.here / day)
            shutil.copy(self.store / f"{day}-mask.tif", self.here / f"{day}-mask.tif")
            self.come += 1
            if self.remote:
                self._list()

    def spoil(self, rng: np.random.Generator) -> None:
        """One of the images that have come becomes unreadable: cut off, empty or of zeros."""
        files = sorted(path for path in self.here.glob("*/*.tif") if path not in self.broken)
        if files:
            path = files[rng.integers(len(files))]
            content = self.broken[path] = path.read_bytes()
            ways = (content[: len(content) // 2], b"", bytes(len(content)))
            path.write_bytes(ways[rng.integers(len(ways))])

    def heal(self) -> None:
        """All of them are as they were."""
        for path, content in self.broken.items():
            path.write_bytes(content)
        self.broken.clear()

    def _list(self) -> None:
        """The catalogue of what has come; each Item is written before the catalogue names it."""
        root = pystac.Catalog(self.name, "made images")
        for day in sorted(self.order[: self.come]):
            (item,) = describe(str(self.store / day), date=day)
            item.id = f"{self.name}-{day}"
            for asset in item.assets.values():
                inside = Path(asset.href).relative_to(self.store)
                asset.href = f"{self.address}/{self.here.name}/{inside.as_posix()}"
            root.add_item(item)
        root.normalize_hrefs(str(self.here / "catalogue"))
        root.save(pystac.CatalogType.SELF_CONTAINED)


def make_world(scratch: Path, sites: int, dates: Sequence[str]) -> tuple[list[Place], Server, Path]:
    """Sites with nothing delivered yet, every second one on the server; and the folder of their files."""
    made, here, files = scratch / "made", scratch / "here", scratch / "sites"
    here.mkdir(parents=True, exist_ok=True)
    files.mkdir(exist_ok=True)
    server = Server(here)
    rng = np.random.default_rng(SEED)
    places = []
    for number in range(sites):
        site = make_site(made, SEED + number, number % 2 == 0, dates)
        place = Place(
            site.name, made / "images" / str(SEED + number), here / site.name,
            [str(day) for day in rng.permutation(dates)], number % 4 >= 2, server.address,
        )  # fmt: skip
        place.here.mkdir()
        (files / f"{site.name}.yaml").write_text(_site_file(place), encoding="utf-8")
        places.append(place)
    return places, server, files


def _site_file(place: Place) -> str:
    (day, *_) = place.order
    (item,) = describe(str(place.store / day), date=day)
    source = (
        f"{{stac: {{url: '{place.address}/{place.here.name}/catalogue/catalog.json'}}}}"
        if place.remote
        else f"{{files: '{place.here}/{{date}}/*.tif'}}"
    )
    return (
        f"id: {place.name}\naoi: {list(item.bbox or [])}\nsource: {source}\n"
        f"masks: '{place.here}/{{date}}-mask.tif'\ndetector: classic\n"
    )
