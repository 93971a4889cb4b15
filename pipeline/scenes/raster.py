"""The header of one raster file as a STAC asset; pixels are read only to tell alpha from data."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pystac
from odc.geo.geobox import GeoBox
from rasterio.enums import MaskFlags
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.windows import Window

from pipeline.errors import SourceUnreadableError
from pipeline.scenes.counts import UNTOLD, Counts
from pipeline.scenes.dates import date_of
from pipeline.scenes.names import is_guess, name_bands
from pipeline.scenes.opening import attempted, reason
from pipeline.scenes.place import NOWHERE, Place
from pipeline.secrecy import without_secrets

PROBE = 64  # pixels a side of the windows in which an alpha band is looked at


@dataclass(frozen=True)
class Header:
    """What a raster file says of itself."""

    path: Path
    grid: GeoBox
    placed: bool  # the grid is what the user says, not the file
    dtype: str
    nodata: tuple[float | None, ...]
    scales: tuple[float, ...]
    offsets: tuple[float, ...]
    descriptions: tuple[str | None, ...]
    colours: tuple[str, ...]
    alpha_as_data: int | None  # number of a band that is marked alpha, but holds an image
    date: str | None
    made: bool
    tells_unseen: bool  # by nodata, an alpha band or a mask, which pixels hold no image

    def name(self, wanted: Sequence[str] | None = None) -> list[str]:
        """Names of the bands, see `name_bands`."""
        return name_bands(str(self.path), self.descriptions, self.colours, self.dtype, wanted)

    @property
    def guessed(self) -> bool:
        """Whether those names are but the custom for so many bands."""
        return is_guess(self.descriptions, self.colours)

    def counts(self, band: int) -> Counts:
        """What the file says of the numbers of a band, from 0."""
        scale, offset = (self.scales[band], self.offsets[band]) if self.declares_scale else (None, None)
        return Counts(scale, offset, self.nodata[band])

    @property
    def declares_scale(self) -> bool:
        """Whether the file itself carries a scale or an offset."""
        return any(scale != 1 for scale in self.scales) or any(offset != 0 for offset in self.offsets)


def read_header(path: Path, place: Place = NOWHERE) -> Header:
    """Open a raster and read what describes it; `place` counts where it does not say where it lies.

    Raises SourceUnreadableError or GeoreferenceError.
    """

    def header(src: Any) -> Header:
        grid, placed = place.grid(path, src)
        _check_real(path, src)
        colours, alpha = _colours(src)
        return Header(
            path=path.absolute(),
            grid=grid,
            placed=placed,
            dtype=str(np.result_type(*src.dtypes)),
            nodata=tuple(src.nodatavals),
            scales=tuple(src.scales),
            offsets=tuple(src.offsets),
            descriptions=tuple(src.descriptions),
            colours=colours,
            alpha_as_data=alpha,
            date=date_of(path, {**src.tags(), **src.tags(ns="IMAGERY")}),
            made=src.tags().get("GROUNDBREAK_MADE", "").upper() == "YES",
            tells_unseen=_tells_unseen(src, colours),
        )

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)  # said by an error of our own
            return attempted(str(path), header)
    except RasterioError as error:
        raise SourceUnreadableError(
            f"{without_secrets(str(path))}: not an image that can be read ({reason(error)});"
            " check or replace the file."
        ) from error


def check_light(header: Header) -> None:
    """Raises SourceUnreadableError where pixels of an image are not amounts of light."""
    path = header.path
    if "palette" in header.colours:
        raise SourceUnreadableError(
            f"{path}: pixels are numbers of a palette, not brightness; "
            f"write the colours out, e.g. gdal_translate -expand rgb {path.name} rgb.tif"
        )
    for what, values in (("scale", header.scales), ("offset", header.offsets)):
        if not all(map(math.isfinite, values)) or (what == "scale" and 0 in values):
            raise SourceUnreadableError(
                f"{path}: declares a {what} of {', '.join(f'{value:g}' for value in dict.fromkeys(values))}; "
                f"set it right, e.g. gdal_edit.py -{what} {'0.0001' if what == 'scale' else '0'} {path.name}"
            )


def asset(
    header: Header, names: Sequence[str], told: Counts = UNTOLD, otherwise: Counts = UNTOLD
) -> pystac.Asset:
    """The file as an asset in STAC 1.1 terms: `bands` in file order, projection, data type, nodata, scale and
    offset.

    What is `told` goes before the file's own; `otherwise` stands in where neither says anything.
    """
    bands: list[dict[str, Any]] = []
    for i, name in enumerate(names):
        band: dict[str, Any] = {"name": name, "data_type": header.dtype}
        if name != "alpha":
            band["eo:common_name"] = name
        counts = told.or_else(header.counts(i)).or_else(otherwise)
        fields = {
            "nodata": counts.stac_nodata(), "raster:scale": counts.scale, "raster:offset": counts.offset
        }  # fmt: skip
        bands.append(band | {key: value for key, value in fields.items() if value is not None})
    crs = header.grid.crs
    epsg = crs.proj.to_epsg(min_confidence=100) if crs is not None else None
    projection: dict[str, Any] = (
        {"proj:code": f"EPSG:{epsg}"} if epsg else {"proj:code": None, "proj:wkt2": str(crs)}
    )
    return pystac.Asset(
        href=str(header.path),
        roles=["data"],
        extra_fields={
            **projection,
            "proj:shape": list(header.grid.shape.yx),
            "proj:transform": list(header.grid.transform)[:6],
            "bands": bands,
        },
    )


def _check_real(path: Path, src: Any) -> None:
    if any(dtype.startswith("complex") for dtype in src.dtypes):
        raise SourceUnreadableError(
            f"{path}: pixels are complex numbers ({src.dtypes[0]}); "
            "take their amplitude, e.g. with gdal_calc.py"
        )


def _colours(src: Any) -> tuple[tuple[str, ...], int | None]:
    """Colour interpretations; and the number of an `alpha` band that holds an image (as in NAIP), if any."""
    colours = [colour.name for colour in src.colorinterp]
    if "alpha" not in colours or not _holds_data(src, colours.index("alpha") + 1):
        return tuple(colours), None
    alpha = colours.index("alpha")
    colours[alpha] = "undefined"
    return tuple(colours), alpha + 1


def _tells_unseen(src: Any, colours: Sequence[str]) -> bool:
    masked = any(
        MaskFlags.per_dataset in flags and MaskFlags.alpha not in flags for flags in src.mask_flag_enums
    )
    return masked or "alpha" in colours or any(value is not None for value in src.nodatavals)


def _holds_data(src: Any, index: int) -> bool:
    """Whether over 5 % of the pixels, in nine small windows, are neither 0 nor the greatest value."""
    values = [src.read(index, window=window) for window in _probes(src.height, src.width)]
    flat = np.concatenate([value.ravel() for value in values])
    full = np.iinfo(flat.dtype).max if flat.dtype.kind in "iu" else 1
    between = (flat != 0) & (flat != full) & (flat != flat.max())
    return bool(between.mean() > 0.05)


def _probes(height: int, width: int) -> list[Window]:
    rows = sorted({int(f * max(height - PROBE, 0)) for f in (0.1, 0.5, 0.9)})
    cols = sorted({int(f * max(width - PROBE, 0)) for f in (0.1, 0.5, 0.9)})
    return [Window(col, row, min(PROBE, width), min(PROBE, height)) for row in rows for col in cols]
