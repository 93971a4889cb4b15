"""Machines that stand together, as one group."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy
from numpy.typing import NDArray

from pipeline.pair import Mask
from pipeline.stages.flag.segment import Window

Part = tuple[Window, Mask]


def groups(parts: Sequence[Part], gap_px: float) -> list[list[int]]:
    """Which parts, by position, lie within `gap_px` pixels of one another, directly or by way of others."""
    if not parts:
        return []
    rims = [
        np.argwhere(inside & ~scipy.ndimage.binary_erosion(inside)) + corner(window)
        for window, inside in parts
    ]
    owner = np.repeat(np.arange(len(parts)), [len(rim) for rim in rims])
    near = scipy.spatial.cKDTree(np.concatenate(rims)).query_pairs(gap_px, output_type="ndarray")
    links = np.unique(owner[near], axis=0)
    graph = scipy.sparse.coo_array((np.ones(len(links)), tuple(links.T)), shape=(len(parts), len(parts)))
    _, group = scipy.sparse.csgraph.connected_components(graph, directed=False)
    return [np.flatnonzero(group == i).tolist() for i in range(int(group.max()) + 1)]


def together(parts: Sequence[Part], gap_px: float) -> Part:
    """The parts as one, the gaps between them filled."""
    margin = int(np.ceil(gap_px))
    rows, cols = (
        slice(min(window[axis].start for window, _ in parts), max(window[axis].stop for window, _ in parts))
        for axis in (0, 1)
    )
    inside = np.zeros((rows.stop - rows.start, cols.stop - cols.start), bool)
    for window, mask in parts:
        row, col = corner(window) - corner((rows, cols))
        inside[row : row + mask.shape[0], col : col + mask.shape[1]] |= mask
    padded = np.pad(inside, margin)
    grown = scipy.ndimage.distance_transform_edt(~padded) <= gap_px / 2
    filled = scipy.ndimage.distance_transform_edt(grown) > gap_px / 2
    return (rows, cols), inside | filled[margin:-margin, margin:-margin]


def corner(window: Window) -> NDArray[np.intp]:
    """First row and column."""
    return np.array([part.start for part in window], np.intp)
