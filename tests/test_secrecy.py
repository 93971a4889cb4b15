"""Credentials stay out of messages, logs, fingerprints and run.json."""

from __future__ import annotations

import io
import json
import logging
from pathlib import Path

import pytest
import rasterio
from imagery import grid, noise, write

from pipeline.config import Settings
from pipeline.fingerprint import fingerprint
from pipeline.inputs import Inputs
from pipeline.job import Job
from pipeline.recipe import recipe
from pipeline.remote import gdal_path, http_options
from pipeline.scenes import describe
from pipeline.scenes import mosaic as mosaic_module
from pipeline.secrecy import SecretiveFormatter, holds_secret, names_secret, without_secrets

SIGNED = "https://host/a/b.tif?sv=2024&sig=SECRET%3D"


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("a/b.tif: not there", "a/b.tif: not there"),
        (f"{SIGNED}: cannot be read", "https://host/a/b.tif: cannot be read"),
        (f"'{SIGNED}' and (https://me:SECRET@host/c)", "'https://host/a/b.tif' and (https://host/c)"),
        (f"{gdal_path(SIGNED)}: gone", "https://host/a/b.tif: gone"),
        (f"{gdal_path(SIGNED, alone=True)}", "https://host/a/b.tif"),
        ("b.tif%3Fsig%3DSECRET: no directory", "b.tif: no directory"),
        ("s3://bucket/a.tif", "s3://bucket/a.tif"),
    ],
)
def test_text_without_secrets(text: str, plain: str) -> None:
    assert without_secrets(text) == plain


def test_which_urls_hold_secrets() -> None:
    assert all(
        map(holds_secret, [SIGNED, "https://me@host/", "https://host/?api_key=", "https://h/?TOKEN=a"])
    )
    assert not any(map(holds_secret, ["https://host/v1?f=json", "s3://bucket/a", "https://host/@me/a.tif"]))


def test_log_lines_and_tracebacks() -> None:
    stream, log = io.StringIO(), logging.Logger("apart")
    handler = logging.StreamHandler(stream)
    handler.setFormatter(SecretiveFormatter("%(message)s"))
    log.addHandler(handler)
    try:
        raise ValueError(SIGNED)
    except ValueError:
        log.exception("%s: failed", SIGNED)
    assert "SECRET" not in stream.getvalue()
    assert stream.getvalue().count("https://host/a/b.tif") == 2


def test_addresses_signed_anew_are_the_same_inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "pipeline.inputs.remote_state", lambda url: {"bytes": 10, "etag": str("SECRET" in url)}
    )
    box = grid(8, 8)

    def job(query: str) -> Job:
        items = describe(write(tmp_path / "a.tif", noise(box), box), date="2024-05-01")
        items[0].assets["image"].href = f"https://host/a.tif?sig={query}"
        return Job("a", "a", tmp_path, tuple(items), tuple(items), Settings())

    assert fingerprint(job("one")) == fingerprint(job("two"))
    told = Inputs.of(job("SECRET")).told(job("SECRET"))["before"]["inputs"]
    assert told == [{"href": "https://host/a.tif", "sha256": None, "bytes": 10, "etag": "True"}]
    assert "SECRET" not in json.dumps(recipe(job("SECRET")))


def test_the_environment_has_the_last_word_on_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GDAL_HTTP_MAX_RETRY", raising=False)
    assert int(http_options()["GDAL_HTTP_MAX_RETRY"]) > 1
    monkeypatch.setenv("GDAL_HTTP_MAX_RETRY", "0")
    assert "GDAL_HTTP_MAX_RETRY" not in http_options()


def test_secrets_among_settings_do_not_travel_with_the_work() -> None:
    secret = {
        "AWS_SECRET_ACCESS_KEY": "a", "AWS_SESSION_TOKEN": "b", "AZURE_STORAGE_CONNECTION_STRING": "c",
        "AZURE_SAS": "d", "GDAL_HTTP_USERPWD": "e", "GDAL_HTTP_HEADERS": "f", "GDAL_HTTP_COOKIE": "g",
    }  # fmt: skip
    plain = {"AWS_HTTPS": "NO", "GDAL_HTTP_TIMEOUT": 5}
    assert all(map(names_secret, secret))
    assert not any(map(names_secret, plain))
    with rasterio.Env(GDAL_HTTP_USERPWD="me:word", **plain):
        travelling = mosaic_module._options()
    assert plain.keys() <= travelling.keys()
    assert not any("word" in str(value) for value in travelling.values())
