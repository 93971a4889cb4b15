"""Relative radiometric normalisation: the stage itself.

IR-MAD (Nielsen 2007) finds how surely each pixel of a sample is unchanged; orthogonal regression a band on
those pixels gives gain and offset (Canty and Nielsen 2008); what is left of them shows whether a slowly
varying surface (haze, view angle) is worth having. Where bands or pixels are few a simpler method, named in
the result, stands in.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.stages.normalize.leave_out import left_out
from pipeline.stages.normalize.mad import distance_chance, ir_mad, robust_chance
from pipeline.stages.normalize.radiometry import Method, Radiometry, SurfaceNote
from pipeline.stages.normalize.surface import (
    FOLDS,
    Fit,
    Floats,
    Places,
    choose,
    folds,
    grams,
    kept_out,
    monomials,
    solve,
    terms,
)

UNCHANGED = (
    0.01  # a pixel is unchanged unless chance would make an unchanged one look so different this rarely
)
ROUNDS = (
    8  # at most, of judging what changed and fitting surfaces: haze that is taken out no longer hides change
)
SETTLED = 0.002  # change of the unchanged share at which the rounds end
PLAIN = (0, 0)
BROAD_ROUNDS = 4
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class _Found:
    """`plain`, `final`: for each band a fit for every fold, without it; gain and offset alone, and all."""

    method: Method
    reason: str
    chance: Floats
    fits: list[Fit]
    plain: list[tuple[Fit, ...]]
    final: list[tuple[Fit, ...]]
    choices: list[tuple[int, int]]
    surface_reason: str


@dataclass(frozen=True)
class Normalize:
    """Relative radiometric normalisation on pixels that did not change."""

    iterations: int = 50
    """of IR-MAD, at most"""
    tolerance: float = 1e-4
    """change of the canonical correlations at which IR-MAD has converged"""
    max_gain: float = 4.0
    """gains are held between its inverse and this"""
    min_pixels: int = 500
    """in the sample for a gain and an offset; with fewer only an offset"""
    min_unchanged: float = 0.05
    """share of the sample that must be left unchanged for IR-MAD to be believed"""
    surface: bool = True
    """whether gain and offset may vary slowly over the scene"""
    surface_pixels: int = 10_000
    """unchanged pixels in the sample for a surface"""
    surface_side: int = 256
    """pixels of the grid's shorter side for a surface"""
    surface_margin: float = 0.05
    """share by which a surface must lower the residual of parts of the scene kept out, or it is dropped"""

    def __call__(
        self,
        before: NDArray[np.float32],
        after: NDArray[np.float32],
        bands: tuple[str, ...],
        rows: NDArray[np.floating | np.integer],
        cols: NDArray[np.floating | np.integer],
        grid_shape: tuple[int, int],
    ) -> Radiometry:
        """`before`, `after`: (band, n) of the same n places, co-registered, at `rows`, `cols` (n) of a grid
        of `grid_shape`, NaN where not observed (clouds too). Never raises for want of good pixels.
        """
        keep, shares = left_out(before, after, bands)
        x, y = (values[:, keep].astype(np.float64) for values in (after, before))
        row, col = (np.asarray(part[keep], np.float64) for part in (rows, cols))
        places, order = Places.of(row, col, grid_shape)
        x, y = x[:, order], y[:, order]
        if x.shape[1] < self.min_pixels or not bands:
            found = self._shifted(x, y)
        else:
            found = self._fitted(x, y, places, grid_shape, bands)
        unchanged = found.chance > UNCHANGED
        return Radiometry(
            bands,
            grid_shape,
            *_tables(found.fits),
            gain=tuple(fit.gain for fit in found.fits),
            offset=tuple(fit.offset for fit in found.fits),
            method=found.method,
            reason=found.reason,
            surfaces=tuple(
                None if choice == PLAIN else _note(fit, choice, values)
                for fit, choice, values in zip(found.fits, found.choices, y, strict=True)
            ),
            surface_reason=found.surface_reason,
            unchanged_share=float(unchanged.mean()) if unchanged.size else 0.0,
            left_out={name: round(share, 6) for name, share in shares.items()},
            residual_delivered=tuple(_rms((b - a)[unchanged]) for a, b in zip(x, y, strict=True)),
            residual_gain_offset=residuals(x, y, unchanged, places, found.plain),
            residual_final=residuals(x, y, unchanged, places, found.final),
        )

    def _shifted(self, x: Floats, y: Floats) -> _Found:
        """What so few pixels carry: an offset from medians, or nothing."""
        pixels = x.shape[1]
        if pixels < self.min_pixels // 10:
            method: Method = "none"
            shift, reason = np.zeros(len(x)), f"only {pixels} pixels can be used: too few for anything"
        else:
            method, shift = "median-shift", np.median(y - x, axis=1)
            reason = f"only {pixels} pixels can be used; a gain needs {self.min_pixels}"
        fits = [Fit(1.0, float(s), 0.0, np.zeros(0), np.zeros(0)) for s in shift]
        same = [(fit,) * FOLDS for fit in fits]
        why = "none: no gains are fitted"
        return _Found(method, reason, np.ones(pixels), fits, same, same, [PLAIN] * len(x), why)

    def _fitted(
        self, x: Floats, y: Floats, places: Places, shape: tuple[int, int], bands: tuple[str, ...]
    ) -> _Found:
        """Gains, offsets and surfaces, in turn with which pixels changed: haze hides that until it is out."""
        first = robust_chance(x, y)
        why = self._no_surface(int((first > UNCHANGED).sum()), shape)
        level = x if why else self._first_level(x, y, first, places)
        share = 0.0
        for _ in range(ROUNDS):
            method, reason, chance = self._chance(level, y, first if level is x else robust_chance(level, y))
            products = _products(x, y, chance, places)
            choices = [PLAIN if why else choose(p, self.max_gain, self.surface_margin) for p in products]
            fits = [solve(p.sum(axis=0), c, self.max_gain) for p, c in zip(products, choices, strict=True)]
            share, last = float((chance > UNCHANGED).mean()), share
            level = np.stack([fit.at(values, places.terms) for fit, values in zip(fits, x, strict=True)])
            if all(choice == PLAIN for choice in choices) or abs(share - last) < SETTLED:
                break
        plain, final = (
            [kept_out(p, c, self.max_gain) for p, c in zip(products, which, strict=True)]
            for which in ([PLAIN] * len(x), choices)
        )
        return _Found(method, reason, chance, fits, plain, final, choices, why or self._kept(bands, choices))

    def _first_level(self, x: Floats, y: Floats, chance: Floats, places: Places) -> Floats:
        """`x` with a first surface taken out, or as it is.

        IR-MAD is too sharp to begin with: it would take the part of the scene where haze is average for all
        that did not change. Here pixels weigh by how far they lie off in units of the median distance.
        """
        level = x
        for _ in range(BROAD_ROUNDS):
            products = _products(x, y, chance, places)
            choices = [choose(p, self.max_gain, self.surface_margin) for p in products]
            if all(choice == PLAIN for choice in choices):
                return x
            fits = [solve(p.sum(axis=0), c, self.max_gain) for p, c in zip(products, choices, strict=True)]
            level = np.stack([fit.at(values, places.terms) for fit, values in zip(fits, x, strict=True)])
            chance = distance_chance(y - level)
        return level

    def _chance(self, x: Floats, y: Floats, first: Floats) -> tuple[Method, str, Floats]:
        """Which method the sample carries, why, and the chance (p-value) of each pixel to look so if it is
        unchanged; `first` is a guess at that.
        """
        if len(x) <= 2:
            return "robust-regression", f"{len(x)} band(s) are too few for IR-MAD, which needs 3", first
        chance = ir_mad(x, y, first, self.iterations, self.tolerance)
        if chance is not None and (chance > UNCHANGED).mean() >= self.min_unchanged:
            return "ir-mad", "three bands or more, and enough pixels that did not change", chance
        reason = f"IR-MAD found less than {self.min_unchanged:.0%} of the pixels unchanged"
        return "robust-regression", reason, first

    def _kept(self, bands: tuple[str, ...], choices: list[tuple[int, int]]) -> str:
        kept = [name for name, choice in zip(bands, choices, strict=True) if choice != PLAIN]
        if kept:
            return f"in {', '.join(kept)}"
        margin = f"{self.surface_margin:.0%}"
        return f"none: lowers the residual of parts kept out by less than {margin}, or not surely"

    def _no_surface(self, unchanged: int, shape: tuple[int, int]) -> str:
        """Why no surface is tried; empty where one is."""
        if not self.surface:
            return "none: not asked for"
        if min(shape) < self.surface_side:
            return f"none: the scene is less than {self.surface_side} pixels wide"
        if unchanged < self.surface_pixels:
            return f"none: {unchanged} unchanged pixels in the sample, {self.surface_pixels} are needed"
        return ""


def _products(x: Floats, y: Floats, chance: Floats, places: Places) -> list[Floats]:
    weight = np.where(chance > UNCHANGED, chance, 0.0)
    return [grams(a, b, weight, places) for a, b in zip(x, y, strict=True)]


def _tables(fits: list[Fit]) -> tuple[Floats, Floats]:
    """Gains and offsets (band, 4, 4) as coefficients of the powers of row and column."""
    gains, offsets = np.zeros((len(fits), 4, 4)), np.zeros((len(fits), 4, 4))
    for band, fit in enumerate(fits):
        vary = monomials(fit.multiply)
        gains[band], offsets[band] = vary, monomials(fit.add) - fit.centre * vary
        gains[band, 0, 0] += fit.gain
        offsets[band, 0, 0] += fit.offset
    return gains, offsets


def _note(fit: Fit, choice: tuple[int, int], before: Floats) -> SurfaceNote:
    line = np.linspace(-1, 1, 33)
    v, u = (part.ravel() for part in np.meshgrid(line, line, indexing="ij"))
    add, multiply = (np.ptp(w @ terms(v, u)[: len(w)]) / 2 for w in (fit.add, fit.multiply))
    spread = max(float(before.std()), 1e-12)
    return SurfaceNote(*choice, float(add), float(add) / spread, float(multiply))


def residuals(
    x: Iterable[Floats], y: Iterable[Floats], unchanged: Bools, places: Places, fits: list[tuple[Fit, ...]]
) -> tuple[float, ...]:
    """RMS on unchanged pixels a band; `fits`: for each fold the fit that did without it."""
    out = []
    for a, b, by_fold in zip(x, y, fits, strict=True):
        left = np.zeros(len(a))
        for k, at in zip(folds(), places.blocks, strict=True):
            left[at] = b[at] - by_fold[k].at(a[at], places.terms[:, at])
        out.append(_rms(left[unchanged]))
    return tuple(out)


def _rms(values: Floats) -> float:
    return float(np.sqrt(np.mean(values**2))) if values.size else 0.0
