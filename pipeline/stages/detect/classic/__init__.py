"""The detector that has learned nothing: how far each date is from what the other predicts, and how far the
local pattern differs.
"""

from pipeline.stages.detect.classic.model import ClassicModel, fit_classic

__all__ = ["ClassicModel", "fit_classic"]
