"""The learned detector: networks that are run block by block on an absolute grid of tiles."""
