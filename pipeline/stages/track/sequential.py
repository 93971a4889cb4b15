"""A sequential probability ratio test (Wald 1945): how many looks at a place it takes to be sure of it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Status = Literal["candidate", "confirmed", "refuted", "removed"]


@dataclass(frozen=True)
class SequentialTest:
    """Something lasting was built (H1) against nothing that lasts (H0), look by look.

    The state is the logarithm of the odds. It starts at those of the finding itself; each later look adds
    log P(look | H1) / P(look | H0). At `upper` a thing is confirmed, at `lower` it is not there; beyond
    the limits nothing adds up (Page 1954), so that an old thing can still be found to be gone.
    """

    false_alarm: float  # chance that what is confirmed was never built
    miss: float  # chance that what was built is refuted
    seen_if_built: float  # P(a clear look shows it | something lasting stands there)
    seen_if_not: float  # P(a clear look shows it | nothing lasting does)

    @property
    def upper(self) -> float:
        """Log odds from which a thing is confirmed."""
        return math.log((1 - self.miss) / self.false_alarm)

    @property
    def lower(self) -> float:
        """Log odds down to which it may yet be there."""
        return math.log(self.miss / (1 - self.false_alarm))

    def evidence(self, seen: bool) -> float:
        """What one clear look adds to the log odds."""
        if seen:
            return math.log(self.seen_if_built / self.seen_if_not)
        return math.log((1 - self.seen_if_built) / (1 - self.seen_if_not))

    def __call__(self, confidence: float, looks: Iterable[bool]) -> tuple[Status, float]:
        """Status and confidence 0..1 after looks on later clear dates, in order; `confidence` is that of the
        first.
        """
        odds = logit(confidence)
        status: Status = "candidate"
        for seen in looks:
            odds = min(max(odds + self.evidence(seen), self.lower), self.upper)
            if odds == self.upper:
                status = "confirmed"
            elif odds == self.lower:
                status = "removed" if status in {"confirmed", "removed"} else "refuted"
            elif status == "refuted" and odds > 0:
                status = "candidate"
        return status, 1 / (1 + math.exp(-odds))


def logit(share: float) -> float:
    """Log odds, of 0.01 to 0.99 at most: no single look is surer."""
    bounded = min(max(share, 0.01), 0.99)
    return math.log(bounded / (1 - bounded))
