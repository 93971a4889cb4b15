"""Work for a cluster's workers, apart from the tests that give it: a worker imports nothing else for it."""

from __future__ import annotations

import os
import signal
import time


def slow(item: int) -> int:
    """The square; fails at 5, and takes its process down at 7."""
    time.sleep(0.01)
    if item == 5:
        raise LookupError("five")
    if item == 7:
        os.kill(os.getpid(), signal.SIGKILL)
    return item * item
