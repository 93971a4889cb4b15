"""Random textures with a chosen spectrum: what makes drawn ground look like ground.

Spectral synthesis (Saupe 1988, in "The Science of Fractal Images"): white noise shaped by a power law.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

Array = NDArray[np.float64]


def fractal(
    rng: np.random.Generator,
    shape: tuple[int, int],
    step: float,
    slope: float,
    longest: float,
    *,
    shortest: float = 0.0,
) -> Array:
    """Noise of mean 0 and standard deviation 1 whose power falls with frequency as f**-slope.

    `step`, `longest`, `shortest` (wavelength limits) in metres. Slope 0 is white, 2 patchy, 4 smooth hills.
    """
    padded = tuple(int(fft.next_fast_len(n + 8, real=True)) for n in shape)
    spectrum = fft.rfft2(rng.standard_normal(padded))
    frequency = np.hypot(fft.fftfreq(padded[0], step)[:, None], fft.rfftfreq(padded[1], step)[None, :])
    low = 1.0 / longest
    amplitude = np.maximum(frequency, low) ** (-slope / 2)
    amplitude *= 1.0 / (1.0 + (low / np.maximum(frequency, 1e-9)) ** 4)
    if shortest > 0:
        amplitude *= np.exp(-((frequency * shortest) ** 2) / 2)
    field = fft.irfft2(spectrum * amplitude, s=padded)[: shape[0], : shape[1]]
    return np.asarray((field - field.mean()) / field.std())


def ridged(noise: Array, width: float) -> Array:
    """1 along the zero lines of `noise`, falling to 0 over `width` (in its own units): thin lines."""
    return np.asarray(np.exp(-((noise / width) ** 2)))


def displaced(field: Array, rows: Array, cols: Array) -> Array:
    """`field` read (`rows`, `cols`) pixels from each pixel: bends straight lines into natural ones."""
    i, j = np.indices(field.shape, dtype=np.float64)
    return np.asarray(ndimage.map_coordinates(field, [i + rows, j + cols], order=1, mode="nearest"))


def resized(field: Array, shape: tuple[int, int]) -> Array:
    """`field` stretched over `shape` with cubic splines, pixel areas kept in register."""
    rows = (np.arange(shape[0]) + 0.5) * field.shape[0] / shape[0] - 0.5
    cols = (np.arange(shape[1]) + 0.5) * field.shape[1] / shape[1] - 0.5
    grid = np.meshgrid(rows, cols, indexing="ij")
    return np.asarray(ndimage.map_coordinates(field, grid, order=3, mode="nearest"))


def blurred(field: Array, sigma: float) -> Array:
    """Gaussian blur, `sigma` in pixels, edges extended."""
    return np.asarray(ndimage.gaussian_filter(field, sigma, mode="nearest"))
