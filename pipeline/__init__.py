"""Groundbreak: what has been built between two satellite images."""

__version__ = "0.1.0"
