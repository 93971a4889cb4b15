"""Files that are not whole, or not what their names say."""

from __future__ import annotations

import gzip
import struct

import numpy as np
import rasterio
import rasterio.shutil

from corpus.case import PAIR, SIDE, Case, Done, Refused, Yard, refused

GROUP = "Damaged files"
READ = refused("after.tif", "read")
UNTOLD = Done(found=False, seen=0.53, notes="libtiff tells no fault; what it makes of it is nodata")


def flipped(data: bytes, *bits: int) -> bytes:
    """The bytes with single bits turned over."""
    out = bytearray(data)
    for bit in bits:
        out[bit // 8] ^= 1 << bit % 8
    return bytes(out)


def tile_flips(seed: int, expect: Done | Refused) -> Case:
    """Bits of compressed tiles: the latter half of the file."""

    def make(yard: Yard) -> list[object]:
        data = yard.cog()
        bits = np.random.default_rng(seed).integers(len(data) * 8 // 2, len(data) * 8, 40)
        return yard.bytes(flipped(data, *map(int, bits)))

    return Case(GROUP, f"40 bits of the compressed pixels flipped (seed {seed})", make, expect)


def cut(share: float) -> Case:
    def make(yard: Yard) -> list[object]:
        data = yard.cog()
        return yard.bytes(data[: int(len(data) * share)])

    return Case(GROUP, f"COG cut off after {share:.0%} of it", make, READ)


def raw_flip(yard: Yard) -> list[object]:
    yard.odd(yard.before, compress="none")
    data = (yard.folder / "after.tif").read_bytes()
    (yard.folder / "after.tif").write_bytes(flipped(data, *range(len(data) * 4, len(data) * 4 + 4000, 1013)))
    return PAIR


def header_flip(yard: Yard) -> list[object]:
    yard.good()
    data = (yard.folder / "after.tif").read_bytes()
    return yard.bytes(flipped(data, 4 * 8 + 20))


def wide(yard: Yard) -> list[object]:
    """The width in the header is another."""
    yard.good()
    data = bytearray((yard.folder / "after.tif").read_bytes())
    (first,) = struct.unpack_from("<I", data, 4)
    struct.pack_into("<HHI", data, first + 2 + 4, 4, 1, 0)
    struct.pack_into("<I", data, first + 2 + 8, 1_000_000)
    (yard.folder / "after.tif").write_bytes(data)
    return PAIR


def next_is_itself(yard: Yard) -> list[object]:
    """The list of directories has no end."""
    yard.good()
    data = bytearray((yard.folder / "after.tif").read_bytes())
    (first,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, first)
    struct.pack_into("<I", data, first + 2 + count * 12, first)
    (yard.folder / "after.tif").write_bytes(data)
    return PAIR


def sparse(yard: Yard) -> list[object]:
    """Tiles that were never written, as a broken-off writer leaves them: they count as nodata."""
    yard.good()
    profile = rasterio.open(yard.folder / "after.tif").profile | {"sparse_ok": True}
    with rasterio.open(yard.folder / "after.tif", "w", **profile) as file:
        file.write(yard.after[:, 64:], window=((64, SIDE), (0, SIDE)))
    return PAIR


def as_driver(name: str, driver: str, share: float) -> Case:
    def make(yard: Yard) -> list[object]:
        yard.good()
        rasterio.shutil.copy(yard.folder / "after.tif", yard.folder / name, driver=driver)
        data = (yard.folder / name).read_bytes()
        (yard.folder / name).write_bytes(data[: int(len(data) * share)])
        return ["compare", "before.tif", name]

    return Case(GROUP, f"{driver} cut off after {share:.0%} of it", make, refused(name, "read"))


CASES = [
    Case(GROUP, "empty file", lambda yard: yard.bytes(b""), READ),
    Case(GROUP, "text instead of an image", lambda yard: yard.bytes(b"this is not a GeoTIFF" * 50), READ),
    Case(GROUP, "a server's page saved as an image", lambda yard: yard.bytes(b"<!doctype html><p>Not found"), READ),
    Case(GROUP, "zeros of the right length", lambda yard: yard.bytes(bytes(200_000)), READ),
    Case(GROUP, "the first eight bytes only", lambda yard: yard.bytes(b"II*\0\x08\0\0\0"), READ),
    Case(GROUP, "a directory that lies beyond the end", lambda yard: yard.bytes(b"II*\0\xff\xff\xff\x7f" + bytes(64)), READ),
    Case(GROUP, "gzip instead of TIFF", lambda yard: yard.bytes(gzip.compress(yard.cog(), mtime=0)), READ),
    *map(cut, (0.1, 0.5, 0.95)),
    tile_flips(1, READ), tile_flips(2, UNTOLD), tile_flips(3, UNTOLD),
    Case(GROUP, "bits of stored pixels flipped, uncompressed", raw_flip, Done(found=False)),
    Case(GROUP, "a bit of the directory's place flipped", header_flip, READ),
    Case(GROUP, "a header that claims a million columns", wide, refused("after.tif")),
    Case(GROUP, "a directory that is its own successor", next_is_itself, Done()),
    Case(GROUP, "two thirds of the tiles never written", sparse, Done(seen=0.33)),
    as_driver("after.jp2", "JP2OpenJPEG", 0.5),
    as_driver("after.jp2", "JP2OpenJPEG", 0.02),
]  # fmt: skip
