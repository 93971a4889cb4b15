"""Groundbreak from Python: the same work as the command line, and its results as values."""

from pipeline.api.pair import compare
from pipeline.api.result import Result, open_result
from pipeline.api.site import SiteResult, open_site
from pipeline.api.sites import Monitored, monitor

__all__ = ["Monitored", "Result", "SiteResult", "compare", "monitor", "open_result", "open_site"]
