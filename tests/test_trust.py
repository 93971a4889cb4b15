"""Files that name other files, or are more than they seem: nothing is opened that was not asked for."""

from __future__ import annotations

import ast
import os
from pathlib import Path

import numpy as np
import pytest
import rasterio
from imagery import grid, noise, write
from jobs import groundbreak
from rasterio.errors import RasterioIOError

import pipeline
from pipeline.admit import open_raster
from pipeline.errors import ConfigError, NotAllowedError, SourceUnreadableError
from pipeline.scenes import describe
from pipeline.scenes.opening import read_from
from pipeline.trust import Trust, trust
from pipeline.vector_files import read_features

BOX = grid(64, 64)
SECRET = 4711  # a count that stands in a file nobody may read


@pytest.fixture
def image(tmp_path: Path) -> Path:
    return write(tmp_path / "open" / "image.tif", noise(BOX), BOX, nodata=0)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """An image in another folder, which the first one is made to name."""
    return write(tmp_path / "closed" / "secret.tif", np.full((4, 64, 64), SECRET, "uint16"), BOX)


def smaller(path: Path) -> None:
    """Read as the share of an area is measured: decimated, from overviews where there are any."""
    read_from(str(path), lambda source: source.read(out_shape=(4, 8, 8)))


# Files that name other files


def vrt(secret: Path) -> str:
    band = f"<SimpleSource><SourceFilename>{secret}</SourceFilename><SourceBand>1</SourceBand></SimpleSource>"
    raster = f'<VRTRasterBand dataType="UInt16" band="1">{band}</VRTRasterBand>'
    return f'<VRTDataset rasterXSize="64" rasterYSize="64">{raster}</VRTDataset>'


@pytest.mark.parametrize("name", ["image.vrt", "image.tif", "image.jp2"])
def test_a_vrt_is_not_read_whatever_it_is_called(
    name: str, secret: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = secret.parent / name
    path.write_text(vrt(secret))
    for look in (describe, open_raster):
        with pytest.raises(NotAllowedError, match="GROUNDBREAK_ALLOW_DRIVERS=VRT"):
            look(path)  # type: ignore[operator]
    monkeypatch.setenv("GROUNDBREAK_ALLOW_DRIVERS", "VRT")
    with open_raster(path) as source:
        assert (source.read(1) == SECRET).all()


@pytest.mark.parametrize("target", ["secret", "/vsicurl/http://127.0.0.1:9/a.tif", "/etc/passwd"])
def test_overviews_elsewhere_are_not_read(target: str, image: Path, secret: Path) -> None:
    named = str(secret) if target == "secret" else target
    told = f'<Metadata domain="OVERVIEWS"><MDI key="OVERVIEW_FILE">{named}</MDI></Metadata>'
    Path(f"{image}.aux.xml").write_text(f"<PAMDataset>{told}</PAMDataset>")
    with pytest.raises(NotAllowedError, match=r"image\.tif: names another file as a part of it"):
        smaller(image)


def test_overviews_elsewhere_named_within_a_tiff(image: Path, secret: Path) -> None:
    with rasterio.open(image, "r+") as file:
        file.update_tags(ns="OVERVIEWS", OVERVIEW_FILE=str(secret))
    assert not Path(f"{image}.aux.xml").exists()
    with pytest.raises(NotAllowedError, match="names another file"):
        smaller(image)


def test_masks_overviews_and_metadata_beside_a_file_are_its_own(image: Path) -> None:
    hidden = np.full((64, 64), 255, "uint8")
    hidden[:, :16] = 0
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=False), rasterio.open(image, "r+") as file:
        file.write_mask(hidden)
    with rasterio.Env(TIFF_USE_OVR=True), rasterio.open(image, "r+") as file:
        file.build_overviews([2, 4])
    Path(f"{image}.aux.xml").write_text('<PAMDataset><Metadata><MDI key="A">b</MDI></Metadata></PAMDataset>')
    assert {file.name for file in image.parent.iterdir()} >= {
        "image.tif",
        "image.tif.msk",
        "image.tif.ovr",
        "image.tif.aux.xml",
    }
    with open_raster(image) as source:
        assert (source.read_masks(1)[:, :16] == 0).all()


@pytest.mark.parametrize(
    "name",
    [
        "/vsizip//tmp/a.zip/a.tif",
        "/vsitar/a.tar",
        "/vsigzip/a.gz",
        "/vsistdin/",
        "/vsimem/a.tif",
        "/vsisubfile/0_9,a",
        "/vsicurl/http://127.0.0.1/a.tif",
        "/vsicurl?max_retry=1",
        "/vsicurl_streaming/http://127.0.0.1/a.tif",
        "/vsigs/bucket/a.tif",
        "file:///etc/passwd",
        "ftp://127.0.0.1/a.tif",
        "gs://bucket/a.tif",
    ],
)
def test_addresses_that_are_not_read(name: str) -> None:
    with pytest.raises(NotAllowedError, match="not an address that images are read from"):
        open_raster(name)


@pytest.mark.parametrize(
    "name",
    [
        "GTIFF_DIR:1:image.tif",
        "NETCDF:image.tif:a",
        "WMS:http:127.0.0.1",
        "<VRTDataset/>",
        '{"type": "gdal_streamed_alg"}',
        "",
    ],
)
def test_connection_strings_are_no_files(name: str, image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(image.parent)
    with pytest.raises(RasterioIOError, match="no such file"):
        open_raster(name)


# Files that are more than they seem


def hollow(path: Path, side: int, **how: object) -> Path:
    """A TIFF whose tiles were never written: it weighs next to nothing."""
    profile = {
        "driver": "GTiff",
        "width": side,
        "height": side,
        "count": 1,
        "dtype": "uint8",
        "crs": "EPSG:32637",
    }
    stored = {
        "sparse_ok": True,
        "tiled": True,
        "blockxsize": 4096,
        "blockysize": 4096,
        "bigtiff": "YES",
        "compress": "deflate",
    }
    with rasterio.open(path, "w", **profile, transform=BOX.transform, **{**stored, **how}):
        return path


def test_a_million_pixels_wide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = hollow(tmp_path / "wide.tif", 1_000_000)
    with pytest.raises(NotAllowedError, match=r"1000000 x 1000000 pixels, .*GROUNDBREAK_MAX_SIDE"):
        open_raster(path)
    told = groundbreak("compare", path, path, "--out", tmp_path / "out")
    assert told.exit_code == 1
    assert "GROUNDBREAK_MAX_SIDE" in told.stderr
    monkeypatch.setenv("GROUNDBREAK_MAX_SIDE", "1000000")
    with pytest.raises(NotAllowedError, match="decode to 1000 GB"):
        open_raster(path)


def test_a_file_that_decodes_to_far_more_than_it_weighs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = hollow(tmp_path / "bomb.tif", 100_000)
    with pytest.raises(
        NotAllowedError, match=r"that decode to 10 GB, over 1500 for one.*GROUNDBREAK_MAX_EXPANSION"
    ):
        open_raster(path)
    monkeypatch.setenv("GROUNDBREAK_MAX_EXPANSION", "100000000")
    open_raster(path).close()


def test_a_file_in_one_huge_block(tmp_path: Path) -> None:
    path = hollow(tmp_path / "block.tif", 40_000, blockxsize=40_000 // 16 * 16, blockysize=40_000 // 16 * 16)
    with pytest.raises(NotAllowedError, match=r"stored in blocks of 1600 MB.*GROUNDBREAK_MAX_BLOCK_MB"):
        open_raster(path)


def test_small_even_images_are_no_bombs(tmp_path: Path) -> None:
    path = hollow(tmp_path / "even.tif", 20_000)
    assert path.stat().st_size * 10_000 < 20_000**2
    open_raster(path).close()


# Limits


def test_limits_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("GROUNDBREAK_"):
            monkeypatch.delenv(name)
    assert trust() == Trust()
    monkeypatch.setenv("GROUNDBREAK_ALLOW_DRIVERS", "VRT, HFA")
    monkeypatch.setenv("GROUNDBREAK_MAX_SIDE", "5")
    assert trust().drivers[-2:] == ("VRT", "HFA")
    assert trust().max_side == 5
    for wrong in ("many", "-1", "0", "1e9"):
        monkeypatch.setenv("GROUNDBREAK_MAX_SIDE", wrong)
        with pytest.raises(ConfigError, match=f"GROUNDBREAK_MAX_SIDE={wrong}: not a whole number"):
            trust()


def test_every_limit_is_in_the_docs() -> None:
    page = (Path(__file__).parents[1] / "docs" / "limits.md").read_text(encoding="utf-8")
    for name, value in vars(Trust()).items():
        row = (
            f"| `GROUNDBREAK_{name.upper()}` | {'none' if value == () else f'{value:,}'.replace(',', ' ')} |"
        )
        assert row in page


# Vectors


def test_a_text_file_has_a_length(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUNDBREAK_MAX_ANSWER_MB", "1")
    (tmp_path / "a.geojson").write_text('{"type": "FeatureCollection", "features": []}' + " " * 1_000_000)
    with pytest.raises(NotAllowedError, match=r"larger than 1 MB; .*GROUNDBREAK_MAX_ANSWER_MB"):
        read_features(tmp_path / "a.geojson")


@pytest.mark.parametrize(
    "text",
    [
        "<OGRVRTDataSource><OGRVRTLayer name='a'><SrcDataSource>/etc/passwd</SrcDataSource></OGRVRTLayer>",
        '{"type": "gdal_streamed_alg", "command_line": "gdal vector pipeline ! read b.gpkg ! write c"}',
        '{"type": "gdal_streamed_alg", "command_line": "gdal vector read b", "type": "FeatureCollection"}',
        "<WFS><URL>http://127.0.0.1/</URL></WFS>",
    ],
    ids=["VRT", "GDALG", "GDALG that looks as GeoJSON", "WFS"],
)
def test_geojson_is_never_opened_by_gdal(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(*_: object, **__: object) -> None:
        pytest.fail("handed to GDAL")

    monkeypatch.setattr("pyogrio.read_dataframe", opened)
    monkeypatch.setattr("geopandas.read_file", opened)
    (tmp_path / "a.geojson").write_text(text)
    with pytest.raises(SourceUnreadableError, match="cannot be read as GeoJSON"):
        read_features(tmp_path / "a.geojson")


# All ways out, and in


def test_the_web_is_asked_in_one_place() -> None:
    """All HTTP goes through pipeline/web.py, and rasters of others through pipeline/admit.py."""
    asking = {"get", "post", "put", "head", "request", "Session", "urlopen", "urlretrieve"}
    for file in sorted(Path(pipeline.__file__).parent.rglob("*.py")):
        if file.name == "web.py":
            continue
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for call in _calls(tree):
            assert isinstance(call.func, ast.Attribute)
            owner = call.func.value.id if isinstance(call.func.value, ast.Name) else ""
            assert not (owner in {"requests", "urllib", "httpx"} and call.func.attr in asking), file
            assert call.func.attr not in {"urlopen", "urlretrieve"}, file
            theirs = file.parent.name in {"scenes", "config"} or file.name in {"area.py", "keep_open.py"}
            assert not (theirs and owner == "rasterio" and call.func.attr == "open"), file


# Pickles

_PICKLES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "jsonpickle"}


def _calls(tree: ast.AST) -> list[ast.Call]:
    return [
        node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    ]


def test_no_pickle_is_read_from_disk() -> None:
    """No module imports one, NumPy is not allowed to, and torch reads weights alone."""
    files = sorted(Path(pipeline.__file__).parent.rglob("*.py"))
    assert len(files) > 100
    for file in files:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            assert _PICKLES.isdisjoint(name.split(".")[0] for name in names), file
        for call in _calls(tree):
            assert isinstance(call.func, ast.Attribute)
            given = {word.arg: word.value for word in call.keywords}
            assert call.func.attr not in {"read_pickle", "to_pickle", "unsafe_load", "full_load"}, file
            allowed = given.get("allow_pickle")
            assert allowed is None or (isinstance(allowed, ast.Constant) and allowed.value is False), file
            if (
                call.func.attr == "load"
                and isinstance(call.func.value, ast.Name)
                and call.func.value.id == "torch"
            ):
                only = given.get("weights_only")
                assert isinstance(only, ast.Constant), file
                assert only.value is True, file
