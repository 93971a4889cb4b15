"""A screen for clouds and their shadows, for images that come with no mask: judged against the other date."""

from pipeline.stages.screen.screen import Screen
from pipeline.stages.screen.screened import Lattice, Screened, Why

__all__ = ["Lattice", "Screen", "Screened", "Why"]
