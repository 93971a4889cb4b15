"""The learned detector of images of five metres and coarser."""

from pipeline.stages.detect.coarse.model import CoarseDetector, fit_coarse

__all__ = ["CoarseDetector", "fit_coarse"]
