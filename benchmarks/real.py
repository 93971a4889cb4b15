"""Real pairs: `groundbreak compare` on every case of ../shared/real, scored by its own score.py."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain

import numpy as np

from benchmarks.options import Options
from benchmarks.real_cases import Outcome, cases, dates, outcome, score_module
from benchmarks.reliability import reliability
from benchmarks.report import Row, Table
from benchmarks.shared import shared

TITLE = "findings on real pairs against truth drawn by hand"
SETS = ("oscd", "levir", "airchange")
BASELINES = {  # pixel F1 of plain detectors, from the README of ../shared/real
    "oscd": "0.262 (0.389) change vector, 0.153 (0.349) IR-MAD; 0.33 to 0.48 fitted on the other cities",
    "levir": "0.251 (0.258) change vector, 0.197 (0.227) IR-MAD; 0.60 a network trained on made scenes",
    "airchange": "0.251 (0.315) change vector, 0.271 (0.353) IR-MAD; 0.47 a network trained on made scenes",
}
NOTES = (
    "F1 is of the findings' outlines, pixel by pixel. `best F1` (of others: in brackets) is of change.tif at "
    "the one threshold that truth itself would pick for the set. A refused pair has no findings; `refused as "
    "missed` is F1 where all that was built there counts as missed.",
    "`findings`, precision, recall and F1 are of what is called new or altered; `with removed` counts the "
    "others too, of which truth knows nothing.",
    "`F1, buildings alone` counts no finding of another kind: levir's truth is of buildings.",
    "oscd is no unseen data here: the trees that ship, and the confidence of their objects, are fitted on "
    "these 14 cities. What leaving each city out gives is in section `oscd`. Nothing is fitted on levir, "
    "airchange or naip_quiet.",
)
Rates = Callable[[dict[str, int]], dict[str, float]]


def tables(options: Options) -> list[Table]:
    """First the pooled figures beside the baselines; then the cases of every set; naip_quiet by dates."""
    root = shared("real")
    score = score_module(root / "score.py")
    some = slice(2 if options.quick else None)
    done = {
        name: [outcome(case, options.scratch / name, score) for case in list(cases(root / name))[some]]
        for name in SETS
    }
    pairs = list(dates(root / "naip_quiet", every=options.large))[some]
    quiet = [outcome(pair, options.scratch / "naip", score) for pair in pairs]
    rows = [*(_row(one, score.rates) for one in quiet), _alarms(quiet)]
    return [
        Table("Pooled", [_pooled(name, done[name], score.rates) for name in SETS], NOTES),
        *(Table(name, [_row(one, score.rates) for one in done[name]], _refused(done[name])) for name in SETS),
        Table("naip_quiet: nothing was built, so every finding is false", rows, _refused(quiet)),
        *(
            Table(f"{name} by confidence", reliability(chain(*(one.findings for one in done[name]))))
            for name in SETS
        ),
    ]


def _row(one: Outcome, rates: Rates) -> Row:
    if one.reason:
        return {"case": one.case.name, "alignment": "refused"}
    row = {
        "case": one.case.name,
        "alignment": one.alignment,
        "findings": one.counts["findings"],
        "with removed": one.total,
    }
    if "tp" not in one.counts:
        return row | {"km2": one.counts["km2"], "false/km2": float(one.counts["false_per_km2"])}
    return (
        row
        | rates(one.counts)
        | {"AP": one.counts["ap"], "best F1": _best_f1([one]), "things found": _things([one])}
    )


def _pooled(name: str, outcomes: Sequence[Outcome], rates: Rates) -> Row:
    done = [one for one in outcomes if not one.reason]
    total = {key: sum(one.counts[key] for one in done) for key in ("tp", "fp", "fn")}
    buildings = {key: sum(one.buildings[key] for one in done) for key in ("tp", "fp", "fn")}
    missed = total | {"fn": total["fn"] + sum(one.built_px for one in outcomes if one.reason)}
    return {
        "set": name,
        "compared": f"{len(done)} of {len(outcomes)}",
        "findings": sum(one.counts["findings"] for one in done),
        "with removed": sum(one.total for one in done),
        **rates(total),
        "F1, buildings alone": rates(buildings)["f1"],
        "best F1": _best_f1(done),
        "things found": _things(done),
        "refused as missed": rates(missed)["f1"],
        "F1 of others": BASELINES[name],
    }


def _alarms(outcomes: Sequence[Outcome]) -> Row:
    done = [one.counts for one in outcomes if not one.reason]
    area, found = sum(c["km2"] for c in done), sum(c["findings"] for c in done)
    compared = f"{len(done)} of {len(outcomes)} compared"
    return {
        "case": "all",
        "alignment": compared,
        "findings": found,
        "with removed": sum(one.total for one in outcomes),
        "km2": area,
        "false/km2": found / max(area, 1e-9),
    }


def _best_f1(outcomes: Sequence[Outcome]) -> float | None:
    """F1 of change.tif at the threshold that is best for these cases together."""
    known = [(one.built, one.all) for one in outcomes if one.built is not None and one.all is not None]
    if not known:
        return None
    built, every = (sum(part)[::-1] for part in zip(*known, strict=True))
    hits, claims = built.cumsum(), every.cumsum()
    return float((2 * hits / np.maximum(claims + hits[-1], 1)).max())


def _things(outcomes: Sequence[Outcome]) -> str:
    """By `groundbreak score`, each connected piece of truth being a thing."""
    found, things = (sum(one.objects[key] for one in outcomes) for key in ("found", "things"))
    return f"{found} of {things}"


def _refused(outcomes: Sequence[Outcome]) -> list[str]:
    return [f"Refused: {one.case.name}: {one.reason}" for one in outcomes if one.reason]
