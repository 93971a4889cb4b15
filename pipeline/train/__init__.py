"""Fitting what the detectors know, from a seed."""
