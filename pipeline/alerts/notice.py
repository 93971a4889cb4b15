"""From a site's timeline to its ledger: which findings have to be told, with pictures of them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path

import geopandas as gpd

from pipeline.alerts.ledger import LEDGER, Ledger
from pipeline.alerts.message import AFTER, BEFORE, message
from pipeline.alerts.rules import matching
from pipeline.config.alerts import Rule
from pipeline.errors import SourceUnreadableError
from pipeline.outputs.chips import write_chips
from pipeline.outputs.picture import Comparison, read_comparison
from pipeline.outputs.words import known
from pipeline.results import PairResult, showing
from pipeline.stages.track import Timeline

CHIPS = "chips"
_MOST_PIXELS = 1400  # a side of the picture that the stretch of the chips is taken from

log = logging.getLogger(__name__)


def notice(
    folder: Path, site: tuple[str, str], rules: Sequence[Rule], timeline: Timeline,
    results: Sequence[PairResult],
) -> None:  # fmt: skip
    """Note in `folder`'s ledger what the rules ask for and it does not know yet. Nothing is sent.

    `site`: id and name. `results`: the comparisons that the pictures are cut from. Raises OutputError.
    """
    ledger = Ledger(folder / LEDGER)
    view = cache(lambda result: read_comparison(result, _MOST_PIXELS))
    reference = str(timeline.history["date"].min())
    with ledger.held():
        for rule, finding in _unknown(ledger, rules, timeline.findings):
            row = finding.iloc[0]
            not_before = row["not_before"] if known(row["not_before"]) else None
            shown = showing(results, reference, not_before, row["first_seen"])
            chips = _chips(folder, finding, shown, view) if shown else {}
            made = bool(shown and shown.told.get("made"))
            ledger.note(rule.name, str(row["id"]), message(site, rule.name, finding, chips, made))
        for rule in rules:
            ledger.address(rule.name, [target.name for target in rule.to])


def _unknown(
    ledger: Ledger, rules: Sequence[Rule], findings: gpd.GeoDataFrame
) -> Iterator[tuple[Rule, gpd.GeoDataFrame]]:
    """Each rule with each finding (a table of one row) that it asks for and the ledger does not know."""
    for rule in rules:
        rows = matching(rule, findings)
        for i, number in enumerate(rows["id"]):
            if not ledger.knows(rule.name, str(number)):
                yield rule, rows.iloc[[i]]


def _chips(
    folder: Path, finding: gpd.GeoDataFrame, shown: PairResult, view: Callable[[Path], Comparison]
) -> dict[str, str]:
    """Cut the pictures, and name them relative to the folder; none where the result is damaged."""
    row = finding.iloc[0]
    chips = {side: f"{CHIPS}/{row['id']}-{side}.png" for side in (BEFORE, AFTER)}
    try:
        whole = view(shown.folder)
        write_chips(
            shown.folder, whole, finding.geometry.to_crs(whole.crs).iloc[0], str(row["kind"]),
            (folder / chips[BEFORE], folder / chips[AFTER]), (shown.before, shown.after),
            bool(shown.told.get("made")),
        )  # fmt: skip
    except SourceUnreadableError as error:
        log.warning("an alert goes without pictures: %s", error)
        return {}
    return chips
