"""Where water would run on a height field: the erosion channels of the drawn ground.

Priority-flood with flow routing (Barnes, Lehman and Mulla 2014): each cell drains to the rim.
"""

from __future__ import annotations

import heapq

import numpy as np

from pipeline.simulate.noise import Array

_NEIGHBOURS = ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1))


def upstream_cells(height: Array) -> Array:
    """How many cells drain through each cell of `height` (rows, cols), itself included."""
    rows, cols = height.shape
    level = [float("inf")] * (rows * cols)
    flat = height.ravel().tolist()
    receiver = [-1] * (rows * cols)
    queue: list[tuple[float, int]] = []
    for cell in range(rows * cols):
        if cell < cols or cell >= (rows - 1) * cols or cell % cols in (0, cols - 1):
            level[cell] = flat[cell]
            heapq.heappush(queue, (flat[cell], cell))
    order: list[int] = []
    while queue:
        here, cell = heapq.heappop(queue)
        order.append(cell)
        i, j = divmod(cell, cols)
        for di, dj in _NEIGHBOURS:
            if not (0 <= i + di < rows and 0 <= j + dj < cols):
                continue
            other = cell + di * cols + dj
            if level[other] == float("inf"):
                level[other] = max(here, flat[other])
                receiver[other] = cell
                heapq.heappush(queue, (level[other], other))
    area = [1.0] * (rows * cols)
    for cell in reversed(order):
        if receiver[cell] >= 0:
            area[receiver[cell]] += area[cell]
    return np.array(area).reshape(rows, cols)
