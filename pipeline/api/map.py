"""Findings over both images on a folium map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import xarray as xr
from odc.geo.xr import xr_reproject

from pipeline.errors import MissingExtraError
from pipeline.outputs import style

if TYPE_CHECKING:
    import folium

_SIDE = 1024  # pixels a side of a picture, at most
_BRIGHTEST = (2, 98)  # percent
_RGB = ("red", "green", "blue")
_COLUMNS = ["id", "kind", "direction", "confidence", "area_m2", "zone"]


def explore(findings: gpd.GeoDataFrame, images: xr.Dataset, options: Mapping[str, Any]) -> folium.Map:
    """A map that is not shown yet. Raises MissingExtraError."""
    try:
        import folium
    except ImportError:
        raise MissingExtraError(
            "explore() needs folium, which is not installed; pip install 'groundbreak[notebook]'"
        ) from None
    chart = folium.Map(tiles=options.get("tiles"), attr=options.get("attr"), control_scale=True, max_zoom=22)
    bounds: list[list[float]] = []
    for name in ("before", "after"):
        picture, bounds = _picture(images[name])
        title = " ".join(filter(None, (name, images[name].attrs.get("date"))))
        folium.raster_layers.ImageOverlay(
            picture, bounds, name=title, show=name == "after", mercator_project=False
        ).add_to(chart)
    if len(findings):
        looks = {
            "column": "kind", "categories": list(style.KINDS), "tooltip": _COLUMNS, "name": "findings",
            "cmap": [kind.colour for kind in style.KINDS.values()],
            "style_kwds": {"fillOpacity": 0.1, "weight": 2},
        }  # fmt: skip
        wanted = {key: value for key, value in options.items() if key not in {"tiles", "attr"}}
        findings.explore(m=chart, **{**looks, **wanted})
    folium.LayerControl(collapsed=False).add_to(chart)
    chart.fit_bounds(bounds)
    return chart


def _picture(image: xr.DataArray) -> tuple[np.ndarray[Any, np.dtype[np.uint8]], list[list[float]]]:
    """RGBA (y, x, 4) in Web Mercator, in which folium lays pictures, and [[south, west], [north, east]]."""
    step = max(1, -(-max(image.shape[1:]) // _SIDE))
    names = [name for name in _RGB if name in image["band"].values]
    shown = names if len(names) == len(_RGB) else [image["band"].values[0]] * len(_RGB)
    small = image.sel(band=shown)[:, ::step, ::step].load()
    flat = xr_reproject(small, "EPSG:3857", resampling="bilinear", dst_nodata=float("nan"))
    west, south, east, north = flat.odc.geobox.geographic_extent.boundingbox.bbox
    values = flat.transpose("band", ...).values
    low, high = np.nanpercentile(values, _BRIGHTEST)
    grey = np.nan_to_num(np.clip((values - low) / max(high - low, 1e-9), 0, 1)) * 255
    seen = np.isfinite(values).all(axis=0)[None] * 255
    return np.concatenate([grey, seen]).astype(np.uint8).transpose(1, 2, 0), [[south, west], [north, east]]
