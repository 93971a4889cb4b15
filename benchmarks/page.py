"""How soon a report can be used: in Chromium, a site of 2000 pixels as it comes, and with 2 000 findings."""

from __future__ import annotations

import json
import shutil
import statistics
import time
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from playwright.sync_api import Browser, sync_playwright

from benchmarks.command import groundbreak
from benchmarks.options import Options
from benchmarks.report import Table
from benchmarks.shared import MissingDataError
from pipeline.outputs.report import write_report
from pipeline.outputs.style import DIRECTIONS, KINDS
from pipeline.simulate import simulate_pair

TITLE = "the report in a browser"
_SEED = 930_000
_MOST_MB = 10.0
_SIDE, _MANY = 2000, 2000
_QUICK_SIDE = 512
_DESK = {"width": 1440, "height": 900}
_READY = "performance.getEntriesByName('ready')[0]?.startTime ?? null"
_PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"


def tables(options: Options) -> list[Table]:
    """One report opened several times, each in a browser of its own, and then one of many findings."""
    program = shutil.which("chromium")
    if program is None:
        raise MissingDataError("no Chromium here: apt-get install chromium")
    side, times = (_QUICK_SIDE, 2) if options.quick else (_SIDE, 7)
    folder = _result(options.scratch, side)
    summary = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    found = gpd.read_parquet(folder / "changes.parquet")
    rows, failures = [], []
    for findings, limit in ((found, 1.5), (_many(found, summary), 3.0)):
        start = time.perf_counter()
        write_report(findings, folder, summary)
        made = time.perf_counter() - start
        page = folder / "report.html"
        paint, ready = _opened(program, page, times)
        size = page.stat().st_size / 1e6
        name = f"{side} px, {len(findings)} findings"
        rows.append(
            {
                "report": name,
                "MB": size,
                "seconds to make": made,
                "first paint s": paint,
                "usable s": ready,
                "limit s": limit,
            }
        )
        if ready > limit:
            failures.append(f"{name}: usable after {ready:.2f} s, more than {limit} s")
        if size > _MOST_MB:
            failures.append(f"{name}: {size:.1f} MB, more than {_MOST_MB:g} MB")
    notes = [
        f"Median of {times} openings from disk in headless Chromium without a GPU, "
        f"{_DESK['width']} by {_DESK['height']}. First paint: first text or image on the screen. Usable: "
        "both images, all outlines and numbers are on the map, and the list is there. Both from the start of "
        "navigation."
    ]
    return [Table("Opening report.html", rows, notes, failures)]


def _result(scratch: Path, side: int) -> Path:
    """A made pair, compared."""
    folder = scratch / f"made_{side}"
    if not (folder / "result" / "run.json").exists():
        simulate_pair(folder, _SEED, side)
        done = groundbreak(
            "compare", folder / "before", folder / "after", "--out", folder / "result", "--quiet"
        )
        if done.status:
            raise RuntimeError(done.reason)
    return folder / "result"


def _many(found: gpd.GeoDataFrame, summary: dict[str, Any]) -> gpd.GeoDataFrame:
    """So many findings of some twenty corners, spread over the site, of all kinds and directions."""
    rng = np.random.default_rng(_SEED)
    rows, cols = summary["grid"]["shape"]
    pixel, _, west, _, _, north = summary["grid"]["transform"]
    x, y = west + rng.uniform(20, cols - 20, _MANY) * pixel, north - rng.uniform(20, rows - 20, _MANY) * pixel
    size = rng.uniform(3, 12, (_MANY, 20)) * pixel
    turn = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    shapes = [
        shapely.Polygon(np.stack([x[i] + size[i] * np.cos(turn), y[i] + size[i] * np.sin(turn)], axis=1))
        for i in range(_MANY)
    ]
    columns = {
        "id": np.arange(1, _MANY + 1),
        "kind": rng.choice(list(KINDS), _MANY),
        "direction": rng.choice(list(DIRECTIONS), _MANY),
        "confidence": np.sort(rng.uniform(0.5, 1, _MANY))[::-1],
        "area_m2": shapely.area(shapes),
        "length_m": 2 * size.max(axis=1),
        "width_m": 2 * size.min(axis=1),
        "zone": rng.choice(["north compound", "south compound"], _MANY),
    }
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=found.crs)


def _opened(program: str, page: Path, times: int) -> tuple[float, float]:
    """Median seconds to the first paint, and until it can be used."""
    with sync_playwright() as playwright:
        taken = []
        for _ in range(times):
            browser = playwright.chromium.launch(
                executable_path=program, args=["--disable-gpu", "--no-sandbox"]
            )
            taken.append(_once(browser, page))
            browser.close()
    paints, readies = zip(*taken, strict=True)
    return statistics.median(paints), statistics.median(readies)


def _once(browser: Browser, page: Path) -> tuple[float, float]:
    shown = browser.new_page(viewport=_DESK)  # type: ignore[arg-type]
    shown.goto(page.absolute().as_uri())
    while shown.evaluate(
        f"({_READY}) === null || ({_PAINT}) === null"
    ):  # its policy lets no text be a script
        shown.wait_for_timeout(50)
    return shown.evaluate(_PAINT) / 1000, shown.evaluate(_READY) / 1000
