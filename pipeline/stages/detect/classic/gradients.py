"""Gradients of two images, multiplied pixel by pixel."""

from __future__ import annotations

import numpy as np
from numba import njit

from pipeline.pair import Float


def gradients(first: Float, second: Float) -> tuple[Float, Float, Float]:
    """Scalar product of the gradients of both (y, x), and the square of each; float32.

    Sobel's operator, per pixel; beyond an image's edge its last pixel goes on.
    """
    (down, right), (other_down, other_right) = (_sobel(image) for image in (first, second))
    return (
        down * other_down + right * other_right,
        down * down + right * right,
        other_down * other_down + other_right * other_right,
    )


@njit(nogil=True, cache=True)
def _sobel(image: Float) -> tuple[Float, Float]:  # pragma: no cover
    height, width = image.shape
    down, right = np.empty((height, width), np.float32), np.empty((height, width), np.float32)
    mean, step = np.empty(width + 2, np.float32), np.empty(width + 2, np.float32)
    eighth, two = np.float32(0.125), np.float32(2)
    for y in range(height):
        above, here, below = image[max(y - 1, 0)], image[y], image[min(y + 1, height - 1)]
        for x in range(width):
            mean[1 + x] = eighth * (above[x] + two * here[x] + below[x])
            step[1 + x] = eighth * (below[x] - above[x])
        mean[0], mean[width + 1] = mean[1], mean[width]
        step[0], step[width + 1] = step[1], step[width]
        for x in range(width):
            down[y, x] = step[x] + two * step[x + 1] + step[x + 2]
            right[y, x] = mean[x + 2] - mean[x]
    return down, right
