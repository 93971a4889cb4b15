"""Findings against truth: how many of the things that were built were found, and how much else.

Truth is GeoJSON (or any vector file) with `kind` and `direction`, and where it spans several dates
`first_seen`: then only what was first seen after the result's before date and up to its after date counts. Or
it is a raster, 1 = construction, whose connected pieces (8 neighbours) are the things, of no known kind.

Definitions, all on the ground that the result calls observed:
    agree    a finding and a thing can match where both are construction (`new`, `altered`) or both `removed`
    found    a thing of whose area the agreeing findings, taken together, cover at least 20 %
    false    a finding of whose area agreeing things, taken together, cover less than 20 %
    recall   found / things; precision: findings that are not false / findings; F1: their harmonic mean
    best     of the findings on a thing, the one with the largest intersection over union: whether kind and
             direction are right goes by it
Things of which less than half was observed are set aside and counted as such. Pixel scores compare the ground
of `new` and `altered` findings with that of such things on change.tif's grid (a pixel belongs to an outline
that holds its centre). Rates without anything to divide by are null.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.evaluate.alignment import shift_scores
from pipeline.evaluate.objects import object_scores
from pipeline.evaluate.pixels import outline_mask, pixel_scores
from pipeline.evaluate.read import compared_dates, open_raster, read_truth, read_vectors
from pipeline.places import Places

__all__ = ["evaluate", "object_scores", "pixel_scores", "shift_scores"]

NOT_OBSERVED = 255


def evaluate(result: Path, truth: Path, shift: Path | None = None) -> dict[str, Any]:
    """Score a result folder: {"objects": ..., "pixels": ..., "alignment": ... or None} as plain values.

    shift: a raster of dx and dy in metres, or a `shift_truth.json` of `groundbreak simulate`.
    Raises SourceNotFoundError or SourceUnreadableError.
    """
    dates = compared_dates(result)
    with open_raster(result / "change.tif") as grid:
        percent = grid.read(1)
        things = read_truth(truth, grid, dates)
        findings = read_vectors(result / "changes.geojson").to_crs(grid.crs)
        pixel_m2 = abs(grid.transform.a * grid.transform.e)
        masks = [outline_mask(frame, grid) for frame in (findings, things)]
    observed = percent != NOT_OBSERVED
    seen = Places(things.geometry).observed_share(result / "change.tif") >= 0.5
    km2 = float(observed.sum() * pixel_m2 / 1e6)
    objects = object_scores(findings, things[seen].reset_index(drop=True), km2)
    return {
        "objects": objects | {"not_observed": int((~seen).sum())},
        "pixels": pixel_scores(masks[0][observed], masks[1][observed], percent[observed]),
        "alignment": None if shift is None else shift_scores(result / "shift.tif", shift, dates),
    }
