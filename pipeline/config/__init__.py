"""A site file as typed values; the only place that knows YAML."""

from pipeline.config.settings import Compute, Settings
from pipeline.config.site import Site, load_site, problems

__all__ = ["Compute", "Settings", "Site", "load_site", "problems"]
