"""Site files, and STAC Items on disk."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from corpus.case import Case, Done, Yard, refused
from pipeline.scenes import describe

SITES, ITEMS = "Site files", "STAC Items"
FILE = "yard.yaml"
GOOD = "id: yard\nsource:\n  files: images/{date}/*.tif\n"


def site(text: str | bytes, *more: str) -> object:
    """Images of two days, and a site file of this text."""

    def make(yard: Yard) -> list[object]:
        for day, values in (("2019-09-09", yard.before), ("2019-09-21", yard.after)):
            yard.write(f"images/{day}/tile.tif", values)
        (yard.folder / FILE).write_bytes(text if isinstance(text, bytes) else text.encode())
        return ["run", FILE, *more]

    return make


def wrong(what: str, text: str | bytes, *words: str) -> Case:
    return Case(SITES, what, site(text), refused(FILE, *words))


LAUGHS = "a: &a [1,2,3,4,5,6,7,8,9]\n" + "".join(
    f"{y}: &{y} [{','.join([f'*{x}'] * 9)}]\n" for x, y in zip("abcdefgh", "bcdefghi", strict=True)
)

CASES = [
    Case(SITES, "as it should be", site(GOOD), Done()),
    Case(SITES, "with a byte order mark and Windows line ends", site("\ufeff" + GOOD.replace("\n", "\r\n")), Done()),
    Case(SITES, "a name in Arabic, with a line break", site(GOOD + 'name: "مجمع\\nالإمام"\n'), Done()),
    Case(SITES, "references within it", site(GOOD + "zones: {a: &box [40.9, 34.3, 41.2, 34.6], b: *box}\n"), Done()),
    Case(SITES, "a nodata that the images do not declare", site(GOOD + "nodata: 0\n"), Done()),
    Case(SITES, "a nodata of none", site(GOOD + "nodata: none\n"), Done()),
    wrong("a nodata in words", GOOD + "nodata: black\n", "nodata", "none"),
    wrong("a nodata of NaN", GOOD + "nodata: .nan\n", "nodata"),
    wrong("empty", "", "not a site file"),
    wrong("a list", "- 1\n", "not a site file"),
    wrong("not YAML", "id: [yard\n", "not valid YAML"),
    wrong("tabs", "id: yard\n\tsource: a\n", "not valid YAML"),
    wrong("two documents", GOOD + "---\n" + GOOD, "not valid YAML"),
    wrong("binary", b"\x00\x01\xff\xfe" * 50, "cannot be read"),
    wrong("in Latin-1", "id: yard\nname: chantier d'été\n".encode("latin-1"), "cannot be read"),
    wrong("nested 5000 deep", "id: " + "[" * 5000, "nested too deep"),
    wrong("a value within itself", "id: &a [*a]\n", "within itself"),
    wrong("references that multiply", LAUGHS, "GROUNDBREAK_MAX_VALUES"),
    wrong("larger than two megabytes", GOOD + "name: " + "n" * 2_100_000, "larger", "GROUNDBREAK_MAX_SITE_MB"),
    wrong("a tag that would run a program", "id: !!python/object/apply:os.system ['touch gone']\n", "not valid YAML"),
    wrong("a tag that would make an object", GOOD + "name: !!python/name:os.system\n", "not valid YAML"),
    *(
        wrong(f"a tag that does not fit: {tag}", GOOD + f"name: {tag}\n", "not valid YAML")
        for tag in ("!!float abc", "!!int ''", "!!bool maybe", "!!timestamp today", "!!binary é", "!!set [a]")
    ),
    wrong("a key twice", GOOD + "id: other\n", "stands twice"),
    wrong("an unknown key", GOOD + "flagg: {}\n", "flagg", "flag"),
    *(
        wrong(f"an id of {what}", GOOD.replace("yard", value, 1), "id")
        for what, value in (
            ("../../x", "../../x"), ("/etc/x", "/etc/x"), ("two dots", '".."'), ("nothing", '""'), ("65 letters", "n" * 65),
            ("a line break", '"a\\nb"'), ("a zero byte", '"a\\0b"'), ("Arabic letters", "موقع"), ("a list", "[a]"),
        )
    ),
    wrong("NaN as a number", GOOD + "min_visible: .nan\n", "min_visible"),
    wrong("infinity as a number", GOOD + "flag: {min_area_m2: .inf}\n", "min_area_m2"),
    wrong("a resolution of infinity", GOOD + "resolution: .inf\n", "resolution"),
    wrong("a resolution of nothing", GOOD + "resolution: 0\n", "resolution"),
    wrong("a scale of NaN", GOOD.replace("  files", "  scale: .nan\n  files"), "scale"),
    wrong("an offset of infinity", GOOD + "offset: .inf\n", "offset"),
    wrong("a huge number of pixels a block", GOOD + "compute: {chunk_size: 1.0e+300}\n", "chunk_size"),
    wrong("a date that does not exist", GOOD + "dates: {before: 2019-02-30}\n", "2019-02-30"),
    wrong("dates turned", GOOD + "dates: {before: 2019-09-21, after: 2019-09-09}\n", "2019-09-21"),
    wrong("a CRS that is none", GOOD + "crs: EPSG:999999\n", "EPSG:999999"),
    wrong("an area that is a number", GOOD + "aoi: 7\n", "aoi"),
    wrong("an area of words", GOOD + "aoi: [a, b, c, d]\n", "aoi"),
    wrong("an area of NaN", GOOD + "aoi: [.nan, 34, 41, 35]\n", "aoi"),
    wrong("alerts outside the output folder", GOOD + "alerts: [{name: a, to: [{file: ../../../etc/cron.d/x}]}]\n", "output folder"),
    wrong("alerts in the root", GOOD + "alerts: [{name: a, to: [{atom: /etc/x}]}]\n", "output folder"),
    Case(SITES, "a result finer than memory can hold", site(GOOD + "resolution: 0.0001\n"), refused("free")),
    Case(SITES, "not there", lambda yard: ["run", "none.yaml"], refused("none.yaml", "no such site file")),
    Case(SITES, "a folder", lambda yard: ["run", "."], refused("cannot be read")),
]  # fmt: skip


# STAC Items on disk


def item(change: Callable[[dict[str, Any]], object]) -> object:
    """A good pair, the after image as an Item of which something is odd."""

    def make(yard: Yard) -> list[object]:
        yard.good()
        (told,) = describe(yard.folder / "after.tif", date="2019-09-21")
        document = told.to_dict()
        change(document)
        (yard.folder / "after.json").write_text(json.dumps(document))
        return ["compare", "before.tif", "after.json"]

    return make


def href(value: str) -> object:
    return item(lambda told: told["assets"]["image"].update(href=value))


def field(**values: object) -> object:
    return item(
        lambda told: told["assets"]["image"].update({k.replace("__", ":"): v for k, v in values.items()})
    )


def json_text(text: str) -> object:
    def make(yard: Yard) -> list[object]:
        yard.good()
        (yard.folder / "after.json").write_text(text)
        return ["compare", "before.tif", "after.json"]

    return make


CASES += [
    Case(ITEMS, "as it should be", item(lambda told: None), Done()),
    Case(ITEMS, "with a relative path", href("./after.tif"), Done()),
    Case(ITEMS, "with texts of all kinds", item(lambda told: told["properties"].update(title="<script>", constellation="=1+1", platform="🛰")), Done()),
    Case(ITEMS, "a file that is not there", href("gone.tif"), refused("gone.tif", "no such file")),
    Case(ITEMS, "a path of GDAL (/vsizip/)", href("/vsizip/after.zip/after.tif"), refused("/vsizip/", "not an address")),
    Case(ITEMS, "a scheme that is not read", href("gs://bucket/after.tif"), refused("gs://bucket/after.tif", "https://")),
    Case(ITEMS, "a connection string", href("WMS:http://127.0.0.1/wms?"), refused("WMS:", "not an address")),
    Case(ITEMS, "a loopback address", href("http://127.0.0.2:9/after.tif"), refused("127.0.0.2", "GROUNDBREAK_ALLOW_HOSTS")),
    Case(ITEMS, "a cloud's metadata", href("http://169.254.169.254/latest/after.tif"), refused("169.254.169.254", "GROUNDBREAK_ALLOW_HOSTS")),
    Case(ITEMS, "no assets", item(lambda told: told.update(assets={})), refused("after", "no image")),
    Case(ITEMS, "no geometry", item(lambda told: told.update(geometry=None)), Done()),
    Case(ITEMS, "another size than its file", field(proj__shape=[500, 500]), refused("after.tif", "Item")),
    Case(ITEMS, "a size in words", field(proj__shape=["many", "more"]), refused("after")),
    Case(ITEMS, "a transform of three numbers", field(proj__transform=[1, 2, 3]), refused("after")),
    Case(ITEMS, "a code that is no CRS", field(proj__code="EPSG:999999"), refused("after", "EPSG:999999")),
    Case(ITEMS, "bands that are a word", field(bands="red"), refused("after")),
    Case(ITEMS, "a band that the file has not", field(bands=[{"name": "red"}] * 4 + [{"name": "pan"}]), refused("after")),
    Case(ITEMS, "a type that is none", field(bands=[{"name": name, "data_type": "many"} for name in ("blue", "green", "red", "nir")]), refused("after", "many")),
    Case(ITEMS, "nodata in words", field(bands=[{"name": name, "nodata": "none"} for name in ("blue", "green", "red", "nir")]), refused("after", "none")),
    Case(ITEMS, "not JSON", json_text("{"), refused("after.json", "STAC Item")),
    Case(ITEMS, "nested 100 000 deep", json_text('{"a":' * 100_000), refused("after.json", "STAC Item")),
    Case(ITEMS, "features without assets", json_text('{"type": "FeatureCollection", "features": [{}]}'), refused("after.json", "STAC Item")),
    Case(ITEMS, "no features", json_text('{"type": "FeatureCollection", "features": []}'), refused("after.json", "no STAC Item")),
]  # fmt: skip
