"""A place as people write it: decimal degrees, degrees-minutes-seconds, and the military grid (MGRS)."""

from __future__ import annotations

from mgrs import MGRS

_GRID = MGRS()
_EQUATOR = 1e-5  # degrees, a metre: less south of it, a place would be written as on it, in a band without it


def positions(lon: float, lat: float) -> dict[str, str]:
    """Every way of writing a place (degrees, WGS 84), by its name; each to about a metre or better."""
    return {"Decimal": decimal(lon, lat), "DMS": dms(lon, lat), "MGRS": mgrs(lon, lat)}


def decimal(lon: float, lat: float) -> str:
    """`34.441570, 40.922650`: latitude first, as search boxes of maps take it."""
    return f"{lat:.6f}, {lon:.6f}"


def dms(lon: float, lat: float) -> str:
    """`34°26′29.65″N 40°55′21.54″E`."""
    return f"{_sexagesimal(lat)}{'N' if lat >= 0 else 'S'} {_sexagesimal(lon)}{'E' if lon >= 0 else 'W'}"


def _sexagesimal(degrees: float) -> str:
    hundredths = round(abs(degrees) * 360_000)  # whole ones, so that no 60.00″ is written
    minutes, rest = divmod(hundredths, 6000)
    return f"{minutes // 60}°{minutes % 60:02d}′{rest / 100:05.2f}″"


def mgrs(lon: float, lat: float) -> str:
    """`37S GT 00911 12345`: the square metre of the place (NGA.STND.0037), by UPS at the poles."""
    text = str(_GRID.toMGRS(0.0 if -_EQUATOR < lat < 0 else lat, lon, MGRSPrecision=5))
    zone, square, digits = text[:-12], text[-12:-10], text[-10:]
    return f"{zone} {square} {digits[:5]} {digits[5:]}"
