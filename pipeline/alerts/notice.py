"""From a site's timeline to its ledger: which findings have to be told, with pictures of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import geopandas as gpd

from pipeline.alerts.ledger import Ledger
from pipeline.alerts.message import AFTER, BEFORE, message
from pipeline.alerts.rules import matching
from pipeline.config.alerts import Rule
from pipeline.outputs.chips import write_chips
from pipeline.outputs.picture import Comparison, read_comparison
from pipeline.results import PairResult, showing

LEDGER, CHIPS = "alerts.sqlite", "chips"
_MOST_PIXELS = 1400  # a side of the picture that the stretch of the chips is taken from


def notice(
    folder: Path, site: tuple[str, str], rules: Sequence[Rule], findings: gpd.GeoDataFrame,
    results: Sequence[PairResult],
) -> None:  # fmt: skip
    """Note in `folder`'s ledger what the rules ask for and it does not know yet. Nothing is sent.

    `site`: id and name. `findings`: of the timeline. `results`: the comparisons that the pictures are cut
    from. Raises OutputError, or SourceUnreadableError where a result is damaged.
    """
    ledger = Ledger(folder / LEDGER)
    view = cache(lambda result: read_comparison(result, _MOST_PIXELS))
    with ledger.held():
        for rule, finding in _unknown(ledger, rules, findings):
            row = finding.iloc[0]
            shown = showing(results, row["not_before"], row["first_seen"])
            chips = _chips(folder, finding, shown, view(shown.folder)) if shown else {}
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


def _chips(folder: Path, finding: gpd.GeoDataFrame, shown: PairResult, view: Comparison) -> dict[str, str]:
    """Cut the pictures, and name them relative to the folder."""
    name = finding["id"].iloc[0]
    chips = {side: f"{CHIPS}/{name}-{side}.png" for side in (BEFORE, AFTER)}
    outline = finding.geometry.to_crs(view.crs).iloc[0]
    write_chips(
        shown.folder, view, outline, str(finding["kind"].iloc[0]),
        (folder / chips[BEFORE], folder / chips[AFTER]), (shown.before, shown.after),
        bool(shown.told.get("made")),
    )  # fmt: skip
    return chips
