"""Normalize: bring the after image to the light and the sensor of the before image, judged by what did not
change.
"""

from pipeline.stages.normalize.normalize import Normalize
from pipeline.stages.normalize.radiometry import Radiometry

__all__ = ["Normalize", "Radiometry"]
