"""A monitor that lives on: one round over all sites for each line on standard input, told as a line of JSON.

usage: python -m benchmarks.soak_loop SITES OUT
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

import psutil

from pipeline.batch import monitor
from pipeline.cluster import connect
from pipeline.progress import Progress
from pipeline.scenes import opening, stac_io


def main() -> None:
    """As `groundbreak monitor --every` does it, but for the clock."""
    sites, out = Path(sys.argv[1]), Path(sys.argv[2])
    opening.PAUSES = (0.01, 0.01, 0.01)  # a server that fails is no long wait
    stac_io.BACK_OFF, stac_io.ATTEMPTS = 0.01, 2
    process = psutil.Process()
    with connect():
        for _ in sys.stdin:
            counts = Counter(outcome.status for outcome in monitor([sites], out, Progress()))
            told: dict[str, float] = {
                **{str(status): count for status, count in counts.items()},
                "rss_mb": process.memory_info().rss / 1e6,
                "handles": process.num_fds(),
                "threads": process.num_threads(),
            }
            print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
