"""Findings on made scenes against exact truth: the two sample sites, and scenes nothing was fitted on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from benchmarks.made import Score, compare_made, compare_site
from benchmarks.options import Options
from benchmarks.reliability import reliability
from benchmarks.report import Row, Table

TITLE = "findings on made scenes against their truth"
SITES = ("boukamal", "qaim_crossing")
DATES = (("2019-09-09", "2019-09-21"), ("2019-08-20", "2019-09-09"))
RESOLUTIONS = (0.5, 1.5, 3.0, 10.0)
_BUILT, _QUIET = 4, 2  # scenes a pixel size


def tables(options: Options) -> list[Table]:
    """Sites by site and by kind; unseen scenes by resolution, with works and without."""
    dates = DATES[:1] if options.quick else DATES
    sites = [compare_site(site, *pair, options.scratch) for site in SITES for pair in dates]
    built, quiet = (1, 1) if options.quick else (_BUILT, _QUIET)
    made = {res: [compare_made(res, i, True, options.scratch) for i in range(built)] for res in RESOLUTIONS}
    empty = {res: [compare_made(res, i, False, options.scratch) for i in range(quiet)] for res in RESOLUTIONS}
    every_made, every_empty = (list(chain.from_iterable(each.values())) for each in (made, empty))
    per_resolution = [pooled(f"{res:g} m", made[res]) for res in RESOLUTIONS]
    return [
        Table("Sample sites", [pooled(one.name, [one]) for one in sites], _refused(sites)),
        Table("Sample sites by kind", by_kind(sites)),
        Table(
            "Sample sites: what was missed, and what is false", list(chain.from_iterable(map(_wrong, sites)))
        ),
        Table(f"Unseen scenes, {built} a pixel size", per_resolution, _refused(every_made)),
        Table("Unseen scenes by kind", by_kind(every_made)),
        Table("Unseen scenes by confidence", reliability(chain(*(one.findings for one in every_made)))),
        Table(
            f"Unseen scenes where nothing was built, {quiet} a pixel size",
            [_alarms(f"{res:g} m", empty[res]) for res in RESOLUTIONS],
            _refused(every_empty),
        ),
    ]


def pooled(name: str, scores: Sequence[Score]) -> Row:
    """Things and findings summed, pixel scores and residuals averaged, over those that were compared."""
    done = [s.scores for s in scores if s.scores]
    objects = [s["objects"] for s in done]
    total = {key: sum(o[key] for o in objects) for key in ("things", "found", "findings", "false")}
    area = sum(s.km2 for s in scores)
    return {
        "scene": name,
        "refused": sum(s.scores is None for s in scores),
        **total,
        "recall": total["found"] / total["things"] if total["things"] else None,
        "false/km2": total["false"] / area if area else None,
        "kind right": _weighted(objects, "kind_accuracy"),
        "direction right": _weighted(objects, "direction_accuracy"),
        "pixel F1": _mean([s["pixels"]["f1"] for s in done]),
        "AP": _mean([s["pixels"]["average_precision"] for s in done]),
        "shift before px": _mean([s["alignment"]["true_rms_px"] for s in done]),
        "residual px": _mean([s["alignment"]["residual_rms_px"] for s in done]),
    }


def by_kind(scores: Sequence[Score]) -> list[Row]:
    """Recall of every kind, and as what it was found."""
    things, found, told = Counter[str](), Counter[str](), dict[str, Counter[str]]()
    for one in (s.scores["objects"] for s in scores if s.scores):
        for kind, of in one["by_kind"].items():
            things[kind] += of["things"]
            found[kind] += of["found"]
            told.setdefault(kind, Counter()).update(one["confusion"].get(kind, {}))
    return [
        {
            "kind": kind, "things": things[kind], "found": found[kind],
            "recall": found[kind] / things[kind] if things[kind] else None,
            "found as": ", ".join(f"{n} {name}" for name, n in told[kind].most_common()),
        }
        for kind in sorted(things)
    ]  # fmt: skip


def _wrong(one: Score) -> list[Row]:
    if one.scores is None:
        return []
    missed, false = one.scores["objects"]["missed"], one.scores["objects"]["false_findings"]
    return [
        *({"scene": one.name, "what": f"missed: {m['direction']} {m['kind']} ({m['name']})"} for m in missed),
        *(
            {
                "scene": one.name,
                "what": f"false: {f['direction']} {f['kind']}",
                "confidence": f["confidence"],
                "m2": f["area_m2"],
            }
            for f in false
        ),
    ]


def _alarms(name: str, scores: Sequence[Score]) -> Row:
    found = sum(s.scores["objects"]["findings"] for s in scores if s.scores)
    area = sum(s.km2 for s in scores)
    refused = sum(s.scores is None for s in scores)
    rate = found / area if area else None
    return {"scene": name, "refused": refused, "findings": found, "km2": area, "false/km2": rate}


def _weighted(objects: Sequence[Mapping[str, Any]], key: str) -> float | None:
    """Mean over found things rather than over scenes."""
    known = [(o[key], o["found"]) for o in objects if o[key] is not None]
    weight = sum(n for _, n in known)
    return sum(value * n for value, n in known) / weight if weight else None


def _mean(values: Sequence[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return sum(known) / len(known) if known else None


def _refused(scores: Sequence[Score]) -> list[str]:
    return [f"Refused: {s.name}: {s.reason}" for s in scores if s.scores is None]
