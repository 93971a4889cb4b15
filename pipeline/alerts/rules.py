"""Which findings a rule asks for."""

from __future__ import annotations

import geopandas as gpd

from pipeline.config.alerts import Rule


def matching(rule: Rule, findings: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The rows of a timeline's findings that the rule asks for, by id."""
    asked = findings["status"].isin(rule.status)
    asked &= findings["area_m2"] >= rule.min_area_m2
    asked &= findings["confidence"] >= rule.min_confidence
    if rule.zone is not None:
        asked &= findings["zone"].isin(rule.zone)
    if rule.kind is not None:
        asked &= findings["kind"].isin(rule.kind)
    if rule.since is not None:
        asked &= findings["first_seen"] >= rule.since
    return findings[asked].sort_values("id")
