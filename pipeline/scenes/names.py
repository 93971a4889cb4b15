"""What the bands of a file are: STAC common names from descriptions, colour interpretation or, last, their
number.

Common names are those of the STAC eo extension 2.0 (https://github.com/stac-extensions/eo), with `alpha` for
a mask band.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence

from pipeline.errors import BandError

ORDER = (
    "coastal",
    "blue",
    "green",
    "green05",
    "yellow",
    "red",
    "rededge",
    "rededge071",
    "rededge075",
    "rededge078",
    "nir",
    "nir08",
    "nir09",
    "cirrus",
    "swir16",
    "swir22",
    "pan",
)
SENTINEL_2 = {
    "B01": "coastal",
    "B02": "blue",
    "B03": "green",
    "B04": "red",
    "B05": "rededge071",
    "B06": "rededge075",
    "B07": "rededge078",
    "B08": "nir",
    "B8A": "nir08",
    "B09": "nir09",
    "B10": "cirrus",
    "B11": "swir16",
    "B12": "swir22",
}
# Landsat surface reflectance: Operational Land Imager (8, 9), and Thematic Mappers (4, 5, 7).
OLI = {
    "SR_B1": "coastal",
    "SR_B2": "blue",
    "SR_B3": "green",
    "SR_B4": "red",
    "SR_B5": "nir08",
    "SR_B6": "swir16",
    "SR_B7": "swir22",
}
TM = {
    "SR_B1": "blue",
    "SR_B2": "green",
    "SR_B3": "red",
    "SR_B4": "nir08",
    "SR_B5": "swir16",
    "SR_B7": "swir22",
}
WRITTEN = {
    "coastal": "coastalblue coastalaerosol",
    "blue": "b",
    "green": "g",
    "green05": "greeni",
    "red": "r",
    "rededge": "re",
    "nir": "n nir1 nearinfrared nearinfrared1 nearir infrared",
    "nir08": "narrownir",
    "nir09": "nir2 nearinfrared2",
    "swir16": "swir1",
    "swir22": "swir2",
    "pan": "panchromatic gray grey grayscale",
    "alpha": "a mask",
}
ALIASES = {
    **{name: name for name in (*ORDER, "alpha")},
    **{key.lower(): name for key, name in SENTINEL_2.items()},
    **{f"b{int(key[1:])}": name for key, name in SENTINEL_2.items() if key != "B8A"},
    **{text: name for name, texts in WRITTEN.items() for text in texts.split()},
}


def common_name(text: str | None) -> str | None:
    """The common name that a description ('Near Infrared', 'B4', 'Red band') stands for, if known."""
    key = re.sub(r"[^a-z0-9]", "", (text or "").lower())
    return ALIASES.get(key) or ALIASES.get(re.sub(r"^(?:band\d*)|(?:band)$", "", key))


def in_order(names: Iterable[str]) -> tuple[str, ...]:
    """Names sorted by wavelength, unknown ones after them by name."""
    rank = {name: i for i, name in enumerate(ORDER)}
    return tuple(sorted(set(names), key=lambda name: (rank.get(name, len(rank)), name)))


def name_bands(
    file: str,
    descriptions: Sequence[str | None],
    colours: Sequence[str],
    dtype: str,
    wanted: Sequence[str] | None,
) -> list[str]:
    """One name for each band of a file.

    `colours` are GDAL colour interpretations, `alpha` only where it is a real mask; `wanted` is the user's
    list. Raises BandError where that can be neither the file's bands by position nor a choice of them.
    """
    names = _described(descriptions, colours) or _coloured(colours) or _counted(colours, dtype)
    if not wanted:
        return names
    data = [i for i, name in enumerate(names) if name != "alpha"]
    chosen = [common_name(name) or name for name in wanted]
    if len(set(chosen)) < len(chosen):
        raise BandError(f"{file}: a band is named twice in {','.join(wanted)}; name each band once.")
    if len(chosen) in (len(names), len(data)):
        for i, name in zip(data if len(chosen) == len(data) else range(len(names)), chosen, strict=True):
            names[i] = name
    elif missing := [name for name in chosen if name not in names]:
        raise no_such_band(file, missing[0], names)
    return names


def is_guess(descriptions: Sequence[str | None], colours: Sequence[str]) -> bool:
    """Whether `name_bands` has nothing to go by but the number of bands, and more than one of them."""
    data = [colour for colour in colours if colour != "alpha"]
    return len(data) > 1 and not _described(descriptions, colours) and not _coloured(colours)


def no_such_band(file: str, asked: str, there: Sequence[str]) -> BandError:
    """The error for a band that is not there: what is, and the nearest name."""
    near = difflib.get_close_matches(asked, list(there), n=1)
    hint = f"is {near[0]} meant?" if near else "ask for one of these, or name all bands in the file's order."
    return BandError(f"{file}: no band {asked!r} among {', '.join(there)}; {hint}")


def _described(descriptions: Sequence[str | None], colours: Sequence[str]) -> list[str]:
    known = [common_name(text) for text in descriptions]
    if not any(known):
        return []
    slugs = [re.sub(r"\W+", "_", text or "").strip("_").lower() for text in descriptions]
    names = [
        "alpha" if colour == "alpha" and name is None else name or slug or f"band{i}"
        for i, (name, slug, colour) in enumerate(zip(known, slugs, colours, strict=True), 1)
    ]
    return names if len(set(names)) == len(names) else []


def _coloured(colours: Sequence[str]) -> list[str]:
    known = [common_name(colour) for colour in colours]
    if known.count(None) == 1 and set(known) == {"red", "green", "blue", None}:  # a fourth band beside RGB
        known = [name or "nir" for name in known]
    names = [name for name in known if name]
    return names if len(names) == len(colours) == len(set(names)) else []


def _counted(colours: Sequence[str], dtype: str) -> list[str]:
    """By number: four bands of 16 bits come as blue, green, red, nir in commercial bundles."""
    mask = [i for i, colour in enumerate(colours) if colour == "alpha"]
    count = len(colours) - len(mask)
    four = ["red", "green", "blue", "nir"] if dtype == "uint8" else ["blue", "green", "red", "nir"]
    unknown = [f"band{i}" for i in range(1, count + 1)]
    names = {1: ["pan"], 3: ["red", "green", "blue"], 4: four}.get(count, unknown)
    for i in mask:
        names.insert(i, "alpha")
    return names
