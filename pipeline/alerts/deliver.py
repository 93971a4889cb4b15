"""Send what a site's ledger holds: retried with growing pauses, logged, and never twice."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt

from pipeline.alerts.channels import add_line, notify, post
from pipeline.alerts.feed import write_feed
from pipeline.alerts.ledger import LEDGER, Delivery, Ledger
from pipeline.alerts.message import attachments
from pipeline.config.alerts import Rule, Target, variable
from pipeline.errors import DeliveryError, GroundbreakError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Patience:
    """How often a target is tried in one go, and how long is waited in between: 1, 2, 4, ... times `first_s`,
    or as long as it asks for, but `longest_s` at most.
    """

    tries: int = 4
    first_s: float = 1.0
    longest_s: float = 60.0

    def pause(self, state: RetryCallState) -> float:
        """Seconds to wait after the failed attempt."""
        error = state.outcome.exception() if state.outcome else None
        asked = error.wait_s if isinstance(error, DeliveryError) else 0.0
        doubled: float = self.first_s * 2 ** (state.attempt_number - 1)
        return min(max(doubled, asked), self.longest_s)


@dataclass(frozen=True)
class Delivered:
    """How many alerts went out now, and how many have yet to; `unknown` were cut off before and may have
    arrived: they are not sent again.
    """

    sent: int = 0
    waiting: int = 0
    unknown: int = 0

    def told(self) -> str:
        """For people; empty where there is nothing to say."""
        parts = [(self.sent, "sent"), (self.waiting, "wait for the next run"), (self.unknown, "cut off")]
        said = ", ".join(f"{count} {what}" for count, what in parts if count)
        return f"alerts: {said}" if said else ""


def deliver(folder: Path, rules: Iterable[Rule], patience: Patience | None = None) -> Delivered:
    """Send what is waiting in the ledger of a site's folder, to the targets that the rules name.

    One process sends at a time, others wait for their turn. What fails stays waiting for the next call.
    Raises OutputError where the ledger cannot be used.
    """
    targets = {(rule.name, target.name): target for rule in rules for target in rule.to}
    if not targets or not (folder / LEDGER).exists():
        return Delivered()
    ledger = Ledger(folder / LEDGER)
    with ledger.held():
        unknown = _resolve(ledger, targets)
        sender = _Sender(folder, ledger, patience or Patience())
        for delivery in ledger.having("waiting"):
            if target := targets.get((delivery.rule, delivery.target)):
                sender.take(delivery, target)
        left = sum((each.rule, each.target) in targets for each in ledger.having("waiting"))
    return Delivered(sender.sent, left, unknown)


def _resolve(ledger: Ledger, targets: dict[tuple[str, str], Target]) -> int:
    """Decide on what was cut off while it was being sent; how many of those are not sent again."""
    unknown = 0
    for delivery in ledger.having("sending"):
        target = targets.get((delivery.rule, delivery.target))
        if target and target.channel == "apprise":
            ledger.mark(delivery, "unknown", "cut off; may have arrived, and is not sent again")
            log.warning("alert %s to %s was cut off and is not sent again", delivery.told["id"], target.name)
            unknown += 1
        else:
            ledger.mark(delivery, "waiting", "cut off; sent again under the same id")
    return unknown


class _Sender:
    """Sends one delivery after another; one that does not answer is left alone from then on."""

    def __init__(self, folder: Path, ledger: Ledger, patience: Patience) -> None:
        self._folder, self._ledger, self._patience = folder, ledger, patience
        self._silent: set[str] = set()
        self._written: set[str] = set()
        self.sent = 0

    def take(self, delivery: Delivery, target: Target) -> None:
        """Send it, or leave it waiting, with the reason in the ledger and the log."""
        if target.name in self._silent:
            return
        self._ledger.mark(delivery, "sending")
        try:
            self._retrying(delivery)(self._send, delivery, target)
        except GroundbreakError as error:
            self._ledger.mark(delivery, "waiting", f"failed: {error}")
            log.warning("alert %s to %s: %s; it waits", delivery.told["id"], target.name, error)
            if isinstance(error, DeliveryError) and error.later:
                self._silent.add(target.name)
            return
        self._ledger.mark(delivery, "sent", "sent")
        log.info("alert %s sent to %s", delivery.told["id"], target.name)
        self.sent += 1

    def _retrying(self, delivery: Delivery) -> Retrying:
        def note(state: RetryCallState) -> None:
            error = state.outcome.exception() if state.outcome else None
            self._ledger.mark(delivery, "sending", f"failed: {error}; tried again")
            log.info("alert %s to %s: %s; tried again", delivery.told["id"], delivery.target, error)

        return Retrying(
            retry=retry_if_exception(lambda error: isinstance(error, DeliveryError) and error.later),
            stop=stop_after_attempt(self._patience.tries),
            wait=self._patience.pause,
            before_sleep=note,
            reraise=True,
        )

    def _send(self, delivery: Delivery, target: Target) -> None:
        told, pictures = delivery.told, attachments(self._folder, delivery.told)
        match target.channel:
            case "file":
                add_line(self._folder / target.address, told)
            case "atom":
                if target.name not in self._written:  # the feed has all of them
                    path = self._folder / target.address
                    write_feed(path, self._folder, self._ledger.alerts(target.name))
                    self._written.add(target.name)
            case "webhook":
                post(_resolved(target.address), told, pictures)
            case "apprise":
                notify(_resolved(target.address), told, pictures)


def _resolved(address: str) -> str:
    """The address, from the environment where it is there. Raises DeliveryError."""
    name = variable(address)
    value = os.environ.get(name) if name else address
    if not value:
        raise DeliveryError(f"the environment variable {name} is not set; set it where monitor runs")
    return value
