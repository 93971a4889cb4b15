"""Places and distances as people write them: decimal degrees, degrees with minutes and seconds, MGRS; 2km."""

from __future__ import annotations

import re

import mgrs

from pipeline.errors import AreaError

_LETTERS_BEHIND = re.compile(r"([^NSEW]+[NSEW])\s*[,;]?\s*([^NSEW]+[NSEW])")
_LETTERS_BEFORE = re.compile(r"([NSEW][^NSEW]+?)\s*[,;]?\s*([NSEW][^NSEW]+)")
_TWO_PARTS = re.compile(r"([^,;]+)[,;]([^,;]+)|(\S+)\s+(\S+)")
_ANGLE = re.compile(
    r"""(?P<sign>[-+])?(?P<degrees>\d+(?:\.\d+)?)
    (?:(?:\s*(?:°|º|d|deg)\s*|\s+)(?P<minutes>[0-5]?\d(?:\.\d+)?))?
    (?:(?:\s*(?:'|′|’|m|min)\s*|\s+)(?P<seconds>[0-5]?\d(?:\.\d+)?))?
    \s*(?:°|º|d|deg|'|′|’|m|min|"|″|”|''|s|sec)?""",
    re.VERBOSE,
)
_MGRS = re.compile(r"\d{1,2}[C-HJ-NP-X][A-HJ-NP-Z]{2}(?:\d\d){1,5}", re.IGNORECASE)
_LENGTH = re.compile(r"(\d+(?:\.\d+)?)\s*(m|km)", re.IGNORECASE)
FORMS = "34.4123, 40.9321 (latitude first), 34°24'44\"N 40°55'56\"E, or MGRS as 37SFU7758309013"


def latitude_longitude(text: str) -> tuple[float, float]:
    """Degrees, north and east positive. Raises AreaError.

    Latitude comes first, unless letters (N, S, E, W) say otherwise.
    """
    plain, squeezed = text.strip().replace("\u2212", "-"), "".join(text.split())
    if _MGRS.fullmatch(squeezed):
        return _from_mgrs(squeezed)
    parts = (
        _LETTERS_BEHIND.fullmatch(plain) or _LETTERS_BEFORE.fullmatch(plain) or _TWO_PARTS.fullmatch(plain)
    )
    angles = [_angle(part) for part in parts.groups() if part] if parts else []
    if len(angles) != 2 or None in angles:
        raise AreaError(f"{text!r}: no coordinates; write them as {FORMS}")
    (lat, north), (lon, east) = (angle for angle in angles if angle is not None)
    if north in {"E", "W"} or east in {"N", "S"}:
        (lat, north), (lon, east) = (lon, east), (lat, north)
    if north in {"E", "W"} or east in {"N", "S"}:
        raise AreaError(f"{text!r}: two of one kind; give a latitude (N or S) and a longitude (E or W)")
    if abs(lat) > 90 or abs(lon) > 180:
        raise AreaError(f"{text!r}: no latitude {lat:g} and longitude {lon:g}; write them as {FORMS}")
    return lat, lon


def metres(text: str) -> float:
    """A distance such as 500m or 2km. Raises AreaError."""
    match = _LENGTH.fullmatch(text.strip())
    if match is None or float(match[1]) == 0:
        raise AreaError(f"{text!r}: no distance; write metres or kilometres, as 500m or 2km")
    return float(match[1]) * (1000 if match[2].lower() == "km" else 1)


def _angle(text: str) -> tuple[float, str] | None:
    """Signed degrees, and the letter that stands before or behind; None where it is no angle."""
    letter = "".join(re.findall("[NSEW]", text))
    match = _ANGLE.fullmatch(text.strip("NSEW \t"))
    if match is None:
        return None
    size = float(match["degrees"]) + float(match["minutes"] or 0) / 60 + float(match["seconds"] or 0) / 3600
    return (-size if match["sign"] == "-" or letter in {"S", "W"} else size), letter


def _from_mgrs(text: str) -> tuple[float, float]:
    try:
        lat, lon = mgrs.MGRS().toLatLon(text.upper())
    except mgrs.core.MGRSError as error:
        raise AreaError(f"{text!r}: no MGRS position ({error}); write coordinates as {FORMS}") from None
    return float(lat), float(lon)
