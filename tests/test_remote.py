"""Images read from an object store and a web server, and results written to the former."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import boto3
import numpy as np
import pytest
import rasterio
from affine import Affine
from jobs import FILES, checksums, compare, findings, groundbreak, physical
from servers import served

from pipeline import open_result
from pipeline.errors import OutputError, SourceNotFoundError
from pipeline.grid import native_grid
from pipeline.remote import delivered, find_remote, gdal_path, is_url
from pipeline.scenes import describe
from pipeline.stages.load import Load

BUCKET = "yard"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with served(str(Path(sys.executable).with_name("moto_server")), "-H", "127.0.0.1", "-p") as address:
        yield address


@pytest.fixture
def store(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A client of the object store, and the environment that everything else finds it by."""
    named = {
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    for name, value in named.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_S3_ENDPOINT", "AWS_HTTPS", "AWS_VIRTUAL_HOSTING"):
        monkeypatch.setenv(name, "")  # so that it is taken away again
        monkeypatch.delenv(name)
    client = boto3.client("s3", endpoint_url=endpoint)
    client.create_bucket(Bucket=BUCKET)
    return client


def uploaded(store: Any, made: Path) -> None:
    for date in ("before", "after"):
        for file in (made / date).glob("*.tif"):
            store.upload_file(str(file), BUCKET, f"images/{date}/{file.name}")


def keys(store: Any, prefix: str) -> set[str]:
    listed = store.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
    return {each["Key"].removeprefix(prefix) for each in listed}


def test_compare_from_and_to_an_object_store(made: Path, store: Any, tmp_path: Path) -> None:
    here = compare(made / "before", made / "after", tmp_path / "here")
    uploaded(store, made)
    store.put_object(Bucket=BUCKET, Key="results/run.json", Body=b"old")
    images = [f"s3://{BUCKET}/images/{date}/" for date in ("before", "after")]
    told = groundbreak("compare", *images, "--out", f"s3://{BUCKET}/results", "--json", "--quiet")
    assert json.loads(told.stdout)["report"] == f"s3://{BUCKET}/results/report.html"
    assert keys(store, "results/") == FILES
    there = tmp_path / "there"
    there.mkdir()
    for name in FILES:
        store.download_file(BUCKET, f"results/{name}", str(there / name))
    assert checksums(there) == checksums(here)
    opened = open_result(f"s3://{BUCKET}/results/")
    assert opened.findings.equals(findings(here))
    window = opened.images["after"][:, :64, :64].values
    np.testing.assert_array_equal(window, physical(here / "after.tif")[:, :64, :64])


def test_what_a_bucket_holds(made: Path, store: Any) -> None:
    uploaded(store, made)
    names = sorted(file.name for file in (made / "before").glob("*.tif"))
    folder = f"s3://{BUCKET}/images/before"
    for url in (folder, f"{folder}/*.tif"):
        assert sorted(find_remote(url)) == [f"{folder}/{name}" for name in names]
    assert find_remote(f"{folder}/{names[0]}") == [f"{folder}/{names[0]}"]
    with pytest.raises(SourceNotFoundError, match="nothing is there"):
        find_remote(f"s3://{BUCKET}/elsewhere/")
    with pytest.raises(OutputError, match="nowhere"), delivered("s3://nowhere/results") as out:
        (out / "a.txt").write_text("a")


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    with served(sys.executable, str(Path(__file__).with_name("web_server.py")), str(tmp_path)) as address:
        yield address


def test_images_of_a_web_server_are_read_in_parts(web: str, tmp_path: Path) -> None:
    counts = np.random.default_rng(0).integers(1, 60_000, (1, 2048, 2048)).astype(np.uint16)
    place = {"crs": "EPSG:32637", "transform": Affine(1, 0, 600_000, 0, -1, 3_800_000)}
    size = {"height": 2048, "width": 2048, "count": 1, "tiled": True, "blockxsize": 256, "blockysize": 256}
    with rasterio.open(tmp_path / "pan.tif", "w", driver="GTiff", dtype="uint16", **size, **place) as file:
        file.write(counts)
    items = describe(f"{web}/pan.tif")
    image = Load()(items, native_grid(items, ["pan"])[1000:1100, 300:400])["image"]
    expected = counts[:, 1000:1100, 300:400] / 65535  # counts of which nothing is said are shares of the most
    np.testing.assert_allclose(image.values, expected, rtol=1e-6)
    told = int(urlopen(f"{web}/served").read())
    assert 20_000 < told < counts.nbytes / 4


def test_a_store_that_refuses_is_one_clear_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    told = groundbreak("compare", "s3://yard/a.tif", "s3://yard/b.tif", "--out", tmp_path / "out")
    assert told.exit_code == 1
    assert "s3://yard/a.tif: cannot be listed" in told.output
    assert "bug" not in told.output


def test_names() -> None:
    assert [is_url(text) for text in ("s3://a/b", "https://a/b.tif", "a/b.tif", "C:/a.tif")] == [
        True, True, False, False,
    ]  # fmt: skip
    assert gdal_path("s3://a/b/c.tif") == Path("/vsis3/a/b/c.tif")
    assert str(gdal_path("https://a/b c.tif")) == "/vsicurl?url=https%3A%2F%2Fa%2Fb%20c.tif"
    with pytest.raises(OutputError, match=r"s3:// only"), delivered("https://a/b"):
        pass
