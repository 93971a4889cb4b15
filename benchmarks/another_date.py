"""What one more date costs on a site that has many, and what nothing new costs."""

from __future__ import annotations

import json
import shutil
from datetime import date, timedelta
from pathlib import Path

from benchmarks.command import groundbreak
from benchmarks.made_series import make_site
from benchmarks.options import Options
from benchmarks.report import Row, Table

TITLE = "what one more date costs"
SEED = 910_900


def tables(options: Options) -> list[Table]:
    """A site of 50 dates."""
    return [cost(options.scratch, 12 if options.quick else 50)]


def cost(scratch: Path, count: int) -> Table:
    """One more date on a site that has many, against one pair; start of Python included in both."""
    start = date(2021, 1, 12)
    dates = [(start + timedelta(days=10 * n)).isoformat() for n in range(count + 1)]
    site = make_site(scratch, SEED, True, dates)
    path, images, last = scratch / "sites" / f"{site.name}.yaml", scratch / "images", dates[-1]
    away = scratch / "away"
    for part in sorted(images.glob(f"*/{last}*")):
        away.mkdir(exist_ok=True)
        shutil.move(part, away / part.name)
    first = groundbreak("monitor", path, "--out", scratch / "out", "--quiet")
    for part in sorted(away.iterdir()):
        shutil.move(part, images / str(SEED) / part.name)
    added = groundbreak("monitor", path, "--out", scratch / "out", "--quiet", "--json")
    done = json.loads(added.stdout)["done"] if added.status == 0 else None
    again = groundbreak("monitor", path, "--out", scratch / "out", "--quiet")
    pairs = [
        groundbreak(
            "run", path, "--before", dates[0], "--after", last, "--out", scratch / f"pair-{n}", "--quiet"
        )
        for n in range(3)
    ]
    pair = sorted(one.seconds for one in pairs)[1]
    ratio = added.seconds / pair
    rows: list[Row] = [
        {"what": f"all {count} dates", "seconds": first.seconds},
        {"what": "one date more", "seconds": added.seconds, "comparisons": done, "times one pair": ratio},
        {"what": "nothing new", "seconds": again.seconds, "times one pair": again.seconds / pair},
        {"what": "one pair (median of 3)", "seconds": pair},
    ]
    failures = [f"one date more took {ratio:.2f} times one pair"] if ratio > 2 else []
    return Table(f"One date more on a site of {count}", rows, failures=failures)
