"""Align: how far the after image is off, at every point of the grid, and whether that can be trusted."""

from pipeline.shift import ShiftField
from pipeline.stages.align.align import Align
from pipeline.stages.align.verdict import Alignment

__all__ = ["Align", "Alignment", "ShiftField"]
