"""Pixel values: nodata, NaN, infinity, types of all kinds, bands of all numbers, masks, sizes."""

from __future__ import annotations

from functools import partial

import numpy as np
import rasterio
from imagery import grid, write
from rasterio.enums import ColorInterp

from corpus.case import BANDS, GRID, PAIR, SIDE, Array, Case, Done, Make, Yard, built, ground, refused

VALUES, TYPES, COUNTS, MASKS, SIZES = "Values", "Data types", "Bands", "Masks", "Sizes"
WEST = np.s_[:, :, : SIDE // 4]  # a quarter of the image, without the building
NAN, INF = np.float32(np.nan), np.float32(np.inf)


def with_west(value: float, dtype: str = "uint16", scale: float = 1.0) -> Array:
    """The after image with one value in its west."""
    values = (built(ground()) * scale).astype(dtype)
    values[WEST] = value
    return values


def speckled(value: float) -> Array:
    """Reflectances, every fiftieth pixel of which is no number."""
    values = (built(ground()) / 10_000).astype("float32")
    values.reshape(4, -1)[:, ::50] = value
    return values


def one_band(value: float) -> Array:
    values = (built(ground()) / 10_000).astype("float32")
    values[1, :, : SIDE // 4] = value
    return values


def floats(scale: float) -> object:
    return lambda yard: yard.both(lambda values: (values * scale).astype("float32"), nodata=None)


def inf_nodata(yard: Yard) -> list[object]:
    return yard.odd(with_west(INF, "float32", 1e-4), nodata=float("inf"))


def tagged(**tags: float) -> object:
    """An after image that declares a scale or an offset of its own."""

    def make(yard: Yard) -> list[object]:
        yard.good()
        with rasterio.open(yard.folder / "after.tif", "r+") as file:
            for name, value in tags.items():
                setattr(file, name, (value,) * 4)
        return PAIR

    return make


def black_collar(*words: str, dtype: str = "uint16", scale: float = 1) -> Make:
    """A quarter of 0 in all bands, which nothing says is no image."""

    def make(yard: Yard) -> list[object]:
        return [*yard.odd(with_west(0, dtype, scale), nodata=None), *words]

    return make


def collar_above(*words: str) -> Make:
    """A tile whose half is such a collar lies above one that shows the building there."""

    def make(yard: Yard) -> list[object]:
        yard.good()
        above = yard.after.copy()
        above[:, :, : SIDE // 2] = 0
        yard.write("after/a.tif", above, nodata=None)
        yard.write("after/b.tif", yard.after)
        return ["compare", "before.tif", "after", *words]

    return make


def black_bands(yard: Yard) -> list[object]:
    """One band is 0 in a quarter, as the infrared of water may be; the others are not."""
    values = yard.after.copy()
    values[3, :, : SIDE // 4] = 0
    return yard.odd(values, nodata=None)


def black_within(yard: Yard) -> list[object]:
    """As much, but within the image: a lake, a shadow."""
    values = yard.after.copy()
    values[:, 8:32, 20:90] = 0
    return yard.odd(values, nodata=None)


CASES = [
    Case(VALUES, "the same image twice", lambda yard: yard.odd(yard.before), Done(found=False)),
    Case(VALUES, "one file as both dates", lambda yard: [yard.good()[0], "after.tif", "after.tif"], Done(found=False)),
    Case(VALUES, "one even surface", lambda yard: yard.both(lambda values: np.full_like(values, 2000)), Done(found=False)),
    Case(VALUES, "all at the type's greatest value", lambda yard: yard.odd(np.full_like(yard.after, 65535)), refused("windows match well")),
    Case(VALUES, "all nodata", lambda yard: yard.odd(np.zeros_like(yard.after)), refused("after.tif", "nodata", "another date")),
    Case(VALUES, "all NaN", lambda yard: yard.odd(np.full(yard.after.shape, NAN)), refused("after.tif", "another date")),
    Case(VALUES, "a quarter nodata", lambda yard: yard.odd(with_west(0)), Done(seen=0.75)),
    Case(VALUES, "a quarter NaN", lambda yard: yard.odd(with_west(NAN, "float32", 1e-4), nodata=None), Done(seen=0.75)),
    Case(VALUES, "a quarter NaN, declared as nodata", lambda yard: yard.odd(with_west(NAN, "float32", 1e-4), nodata=float("nan")), Done(seen=0.75)),
    Case(VALUES, "a quarter infinity", lambda yard: yard.odd(with_west(INF, "float32", 1e-4), nodata=None), Done(seen=0.75)),
    Case(VALUES, "a quarter minus infinity", lambda yard: yard.odd(with_west(-INF, "float32", 1e-4), nodata=None), Done(seen=0.75)),
    Case(VALUES, "a quarter infinity, declared as nodata", inf_nodata, Done(seen=0.75)),
    Case(VALUES, "a quarter NaN in one band", lambda yard: yard.odd(one_band(NAN), nodata=None), Done(seen=0.75)),
    Case(VALUES, "a quarter -9999 in one band", lambda yard: yard.odd(one_band(-9999), nodata=-9999), Done(seen=0.75)),
    Case(VALUES, "every fiftieth pixel NaN", lambda yard: yard.odd(speckled(NAN), nodata=None), Done(seen=0.88)),
    Case(VALUES, "every fiftieth pixel infinity", lambda yard: yard.odd(speckled(INF), nodata=None), Done(seen=0.88)),
    Case(VALUES, "nodata that the type cannot hold", lambda yard: yard.odd(nodata=65535), Done()),
    Case(VALUES, "nodata that is a common value", lambda yard: yard.odd(with_west(2500), nodata=2500), Done(seen=0.75)),
    Case(VALUES, "a black collar, nodata not declared", black_collar(), Done(seen=0.75, says=("after.tif", "24 %", "--nodata 0", "nodata: none"))),
    Case(VALUES, "a black collar of floats", black_collar(dtype="float32", scale=1e-4), Done(seen=0.75, says=("after.tif", "nodata: none"))),
    Case(VALUES, "a black collar of 8 bits", black_collar(dtype="uint8", scale=0.02), Done(seen=0.75, says=("after.tif", "nodata: none"))),
    Case(VALUES, "a black collar, nodata given", black_collar("--nodata", "0"), Done(seen=0.75)),
    Case(VALUES, "a black collar that is said to be ground", black_collar("--nodata", "none"), Done(found=False, notes="the quarter that turned black hides the building")),
    Case(VALUES, "a black collar above another tile", collar_above(), Done(says=("a.tif", "50 %"))),
    Case(VALUES, "a black collar above another tile, said to be ground", collar_above("--nodata", "none"), Done(found=False)),
    Case(VALUES, "one band that is black at the rim", black_bands, Done()),
    Case(VALUES, "black within the image", black_within, Done(found=None)),
    Case(VALUES, "nodata declared, but said to be ground", lambda yard: [*yard.odd(), "--nodata", "none"], Done()),
    Case(VALUES, "another nodata than is declared", lambda yard: [*yard.odd(with_west(2500)), "--nodata", "2500"], Done(seen=0.75)),
    Case(VALUES, "reflectances", floats(1e-4), Done()),
    Case(VALUES, "values near the greatest float", floats(3e34), refused("before.tif", "another date")),
    Case(VALUES, "values near the smallest float", floats(1e-42), refused("windows match well")),
    Case(VALUES, "an undeclared nodata of -3.4e38", lambda yard: yard.odd(with_west(np.finfo("float32").min, "float32", 1e-4), nodata=None), Done(seen=0.75)),
    Case(VALUES, "negative values", lambda yard: yard.both(lambda values: (values.astype("int32") - 20_000).astype("int16"), nodata=None), refused("below 0", "--scale")),
    Case(VALUES, "some negative values", lambda yard: yard.both(lambda values: (values.astype("int32") - 1_500).astype("int16"), nodata=None), Done()),
    Case(VALUES, "12 bits in 16", lambda yard: yard.both(lambda values: (values // 3).clip(0, 4095)), Done()),
    Case(VALUES, "12 bits in 16, shifted up", lambda yard: yard.both(lambda values: (values // 3).clip(0, 4095) * 16), Done()),
    Case(VALUES, "12 bits stored as 12", lambda yard: yard.both(lambda values: (values // 3).clip(0, 4095), nbits=12), Done()),
    Case(VALUES, "one bit", lambda yard: yard.both(lambda values: (values > 2500).astype("uint8"), nbits=1, nodata=None), Done()),
    Case(VALUES, "scale of 0", tagged(scales=0.0), refused("after.tif", "scale")),
    Case(VALUES, "scale that is no number", tagged(scales=float("nan")), refused("after.tif", "scale")),
    Case(VALUES, "offset that is infinite", tagged(offsets=float("inf"), scales=1e-4), refused("after.tif", "offset")),
    Case(VALUES, "negative scale", tagged(scales=-1e-4, offsets=1.0), Done()),
]  # fmt: skip

# Types


def of_type(dtype: str, scale: float = 1.0, offset: float = 0.0) -> Case:
    def make(yard: Yard) -> list[object]:
        return yard.both(lambda values: (values * scale + offset).round().astype(dtype), nodata=None)

    return Case(TYPES, dtype, make, Done())


def of_complex(dtype: str) -> Case:
    def make(yard: Yard) -> list[object]:
        yard.good()
        values = yard.after.astype("complex64" if dtype == "complex_int16" else dtype)
        with rasterio.open(
            yard.folder / "after.tif",
            "w",
            **rasterio.open(yard.folder / "before.tif").profile | {"dtype": dtype, "nodata": None},
        ) as file:
            file.write(values)
        return PAIR

    return Case(TYPES, dtype, make, refused("after.tif", "complex"))


def palette(yard: Yard) -> list[object]:
    yard.good()
    index = (yard.after[:1] // 40).clip(0, 255).astype("uint8")
    path = write(yard.folder / "after.tif", index, GRID, photometric="palette")
    with rasterio.open(path, "r+") as file:
        file.write_colormap(1, {i: (i, 255 - i, i // 2, 255) for i in range(256)})
    return PAIR


def mixed(yard: Yard) -> list[object]:
    """One date in two tiles of unlike types."""
    yard.write("before.tif", yard.before)
    west, east = GRID[:, :48], GRID[:, 48:]
    yard.write("after/a.tif", yard.after[:, :, :48], west)
    yard.write("after/b.tif", (yard.after[:, :, 48:] / 65535).astype("float32"), east, nodata=None)
    return ["compare", "before.tif", "after"]


CASES += [
    *(of_type(name) for name in ("uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64")),
    of_type("uint8", 1 / 36), of_type("int8", 1 / 72),
    *map(of_complex, ("complex_int16", "complex64", "complex128")),
    Case(TYPES, "palette of colours", palette, refused("after.tif", "palette")),
    Case(TYPES, "tiles of one date in unlike types", mixed, Done()),
]  # fmt: skip


# Bands


def of_bands(count: int) -> Case:
    def make(yard: Yard) -> list[object]:
        before = ground(bands=count)
        yard.write("before.tif", before.clip(0, 9000), names=None)
        yard.write("after.tif", built(before), names=None)
        return PAIR

    return Case(COUNTS, f"{count} band{'s' if count > 1 else ''} without names", make, Done())


def turned(yard: Yard) -> list[object]:
    return yard.odd(yard.after[::-1], names=BANDS[::-1])


def named(*names: str) -> object:
    return lambda yard: yard.odd(names=list(names))


def alpha(yard: Yard) -> list[object]:
    """Red, green, blue, and an alpha band that hides the west."""
    values = np.concatenate([(yard.after[:3] // 36).clip(1, 255), np.full((1, SIDE, SIDE), 255)]).astype(
        "uint8"
    )
    values[3, :, : SIDE // 4] = 0
    write(yard.folder / "before.tif", (yard.before[:3] // 36).clip(1, 255).astype("uint8"), GRID)
    with rasterio.open(write(yard.folder / "after.tif", values, GRID), "r+") as file:
        file.colorinterp = [ColorInterp.red, ColorInterp.green, ColorInterp.blue, ColorInterp.alpha]
    return PAIR


CASES += [
    *map(of_bands, range(1, 14)),
    Case(COUNTS, "bands in another order, named", turned, Done()),
    Case(COUNTS, "three bands against four", lambda yard: yard.odd(yard.after[1:], names=BANDS[1:]), Done()),
    Case(COUNTS, "two bands of one name", named("red", "red", "red", "nir"), Done()),
    Case(COUNTS, "names that mean nothing", named("one", "two", "three", "four"), Done()),
    Case(COUNTS, "no band in common", lambda yard: yard.odd(yard.after[:1], names=["swir22"]), refused("swir22", "blue")),
    Case(COUNTS, "a band that is not there", lambda yard: [*yard.good(), "--bands", "red,swir16"], refused("swir16", "red")),
    Case(COUNTS, "600 bands", lambda yard: yard.odd(np.repeat(yard.after[:1, :32, :32], 600, 0), GRID[:32, :32]), refused("after.tif", "600 bands", "GROUNDBREAK_MAX_BANDS")),
    Case(COUNTS, "alpha that hides a quarter", alpha, Done(seen=0.75)),
]  # fmt: skip


# Masks


def dataset_mask(yard: Yard, shape: tuple[int, int] | None = None) -> list[object]:
    """A .msk beside the file that hides its west; of `shape`, another size than the image's."""
    yard.odd(nodata=None)
    hidden = np.full((SIDE, SIDE), 255, "uint8")
    hidden[:, : SIDE // 4] = 0
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=False), rasterio.open(yard.folder / "after.tif", "r+") as file:
        file.write_mask(hidden)
    if shape:
        yard.write(
            "after.tif", yard.after[:, : shape[0], : shape[1]], GRID[: shape[0], : shape[1]], nodata=None
        )
    return PAIR


def masked(values: Array, box: object = GRID, name: str = "clouds.tif", **profile: object) -> object:
    def make(yard: Yard) -> list[object]:
        yard.good()
        write(yard.folder / name, values, box, **profile)  # type: ignore[arg-type]
        return [*PAIR, "--after-mask", name]

    return make


def palette_mask(yard: Yard) -> list[object]:
    """As SCL comes from some providers, with a table of colours."""
    words = masked(half("uint8"), photometric="palette")(yard)  # type: ignore[operator]
    with rasterio.open(yard.folder / "clouds.tif", "r+") as file:
        file.write_colormap(1, {0: (0, 0, 0, 255), 1: (255, 255, 255, 255)})
    return words  # type: ignore[no-any-return]


def half(dtype: str, rows: int = SIDE, value: float = 1) -> Array:
    """A mask of the west quarter, of `rows` x `rows` pixels."""
    out = np.zeros((1, rows, rows), dtype)
    out[:, :, : rows // 4] = value
    return out


COARSE = GRID.zoom_to((24, 24))
CASES += [
    Case(MASKS, "mask beside the file (.msk)", dataset_mask, Done(seen=0.75)),
    Case(MASKS, "mask beside the file, larger than it", partial(dataset_mask, shape=(84, 84)), Done(seen=0.75)),
    Case(MASKS, "a quarter masked", masked(half("uint8")), Done(seen=0.75)),
    Case(MASKS, "mask of a quarter of the pixels each way", masked(half("uint8", 24), COARSE), Done(seen=0.75)),
    Case(MASKS, "mask with a table of colours", palette_mask, Done(seen=0.75)),
    Case(MASKS, "mask of one pixel", masked(np.ones((1, 1, 1), "uint8"), GRID.zoom_to((1, 1)), tiled=False), refused("after.tif", "clouds")),
    Case(MASKS, "mask that is larger than the image", masked(np.zeros((1, 400, 400), "uint8"), grid(400, 400, west=599_900, north=3_810_100, size=1.0)), Done()),
    Case(MASKS, "mask in 64-bit integers", masked(half("int64")), Done(seen=0.75)),
    Case(MASKS, "mask of floats, NaN where it hides", masked(half("float32", value=np.nan)), Done(seen=0.75)),
    Case(MASKS, "mask in degrees", masked(half("uint8"), GRID.to_crs("EPSG:4326")[:SIDE, :SIDE]), Done(seen=0.75)),
    Case(MASKS, "mask of all", masked(np.ones((1, SIDE, SIDE), "uint8")), refused("after.tif", "clouds", "another date")),
    Case(MASKS, "mask of other ground", masked(np.ones((1, SIDE, SIDE), "uint8"), grid(SIDE, SIDE, west=700_000)), refused("clouds.tif", "outside")),
    Case(MASKS, "mask without a CRS", masked(half("uint8"), crs=None), refused("clouds.tif", "reference system")),
    Case(MASKS, "mask that is not there", lambda yard: [*yard.good(), "--after-mask", "clouds.tif"], refused("clouds.tif")),
    Case(MASKS, "mask that is text", lambda yard: [*yard.bytes(b"none", "clouds.tif"), "--after-mask", "clouds.tif"], refused("clouds.tif", "read")),
]  # fmt: skip


# Sizes


def of_size(rows: int, cols: int, expect: Done) -> Case:
    def make(yard: Yard) -> list[object]:
        cut = np.s_[:rows, :cols]
        return yard.both(lambda values: values[:, *cut], GRID[cut], tiled=False)

    return Case(SIZES, f"{rows} x {cols} pixels", make, expect)


def shows_more(yard: Yard) -> list[object]:
    yard.good()
    yard.write("before.tif", yard.before[:, 30:, 16:], GRID[30:, 16:])
    return PAIR


NOTHING = Done(found=False)
CASES += [
    *(of_size(rows, cols, NOTHING) for rows, cols in ((1, 1), (1, SIDE), (SIDE, 1), (2, 2), (5, 7), (31, 31), (40, 64))),
    of_size(SIDE, 64, Done()), of_size(80, SIDE, Done()),
    Case(SIZES, "after image that shows a part", lambda yard: yard.odd(yard.after[:, 30:, 16:], GRID[30:, 16:]), Done(seen=None)),
    Case(SIZES, "after image that shows more", shows_more, Done()),
]  # fmt: skip
