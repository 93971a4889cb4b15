"""The learned detector: networks that are run block by block on an absolute grid of tiles."""

from pipeline.stages.detect.learned.looks import Looks
from pipeline.stages.detect.learned.model import LearnedModel, fit_networks
from pipeline.stages.detect.learned.network import Network, open_network

__all__ = ["LearnedModel", "Looks", "Network", "fit_networks", "open_network"]
