"""Fit the detector of coarse images: boosted trees on labelled pairs and, for images without short-wave
infrared, on made scenes too.
"""

from pipeline.train.coarse.fit import train_coarse

__all__ = ["train_coarse"]
