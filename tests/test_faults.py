"""Servers that fail, stall, break off or answer rubbish: asked again, told in the end, nothing lost."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from imagery import noise
from jobs import groundbreak
from servers import faults_left, free_port, headers_seen, misbehave, served
from static_catalogue import AREA, BOX, make_catalogue

from pipeline.config import load_site
from pipeline.errors import CatalogueError, SourceUnreadableError
from pipeline.scenes import opening, stac_io
from pipeline.scenes.search import search
from pipeline.scenes.wanted import Search
from pipeline.stages.load import Load

HERE = Path(__file__).parent
DAYS = ("2024-05-01", "2024-05-11", "2024-05-21")
WAYS = ("503", "half", "rubbish", "stall")
ALWAYS = 1000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("catalogue")
    make_catalogue(path, DAYS, clouds={})
    return path


@pytest.fixture(scope="module")
def proxy(folder: Path) -> Iterator[str]:
    with (
        served(sys.executable, str(HERE / "web_server.py"), str(folder)) as web,
        served(sys.executable, str(HERE / "faulty_proxy.py"), web) as address,
    ):
        yield address


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """As patient as a test can be."""
    monkeypatch.setattr(stac_io, "BACK_OFF", 0.01)
    monkeypatch.setattr(stac_io, "TIMEOUT", (1.0, 1.0))
    monkeypatch.setattr(opening, "PAUSES", (0.01, 0.02, 0.03))
    for name, value in {
        "GDAL_HTTP_MAX_RETRY": "1",
        "GDAL_HTTP_RETRY_DELAY": "0.01",
        "GDAL_HTTP_LOW_SPEED_TIME": "1",
        "GDAL_HTTP_LOW_SPEED_LIMIT": "10",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("fault", [*WAYS, "empty"])
def test_a_catalogue_is_asked_again(proxy: str, fault: str) -> None:
    misbehave(proxy, ".json", fault, fault, skip=2)
    found = search(Search(f"{proxy}/catalog.json"), AREA)
    assert [item.id for item in found.items] == [f"made-{day}" for day in DAYS]
    assert found.unread == ()
    assert faults_left(proxy) == []


@pytest.mark.parametrize("fault", ["503", "half", "rubbish"])
def test_a_catalogue_that_stays_broken_is_told(proxy: str, fault: str) -> None:
    misbehave(proxy, "catalog.json", *[fault] * ALWAYS)
    with pytest.raises(CatalogueError, match="cannot be searched") as caught:
        search(Search(f"{proxy}/catalog.json"), AREA)
    assert len(str(caught.value)) < 500
    misbehave(proxy, DAYS[1], *[fault] * ALWAYS)
    found = search(Search(f"{proxy}/catalog.json"), AREA)
    assert [item.id for item in found.items] == [f"made-{DAYS[0]}", f"made-{DAYS[2]}"]
    assert [DAYS[1] in line for line in found.unread] == [True]


def test_credentials_come_from_the_environment(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = Search(f"{proxy}/catalog.json", credentials={"X-Api-Key": "YARD_KEY"})
    with pytest.raises(CatalogueError, match="YARD_KEY is not set"):
        search(wanted, AREA)
    monkeypatch.setenv("YARD_KEY", "open sesame")
    search(wanted, AREA)
    assert headers_seen(proxy)["X-Api-Key"] == "open sesame"


def image(proxy: str, day: int, name: str) -> Any:
    """Of one day, under an address that GDAL has not read from before."""
    misbehave(proxy, "none")
    (item,) = (
        item for item in search(Search(f"{proxy}/catalog.json"), AREA).items if item.id.endswith(DAYS[day])
    )
    for asset in item.assets.values():
        asset.href = f"{asset.href}?{name}"
    return Load()([item], BOX)["image"]


@pytest.mark.parametrize(("match", "fault"), [*(("made.tif", way) for way in WAYS), ("SCL.tif", "503")])
def test_an_image_is_read_again(proxy: str, fault: str, match: str) -> None:
    lazy = image(proxy, 1, f"{fault}{match}")
    misbehave(proxy, match, fault, fault)
    pixels = lazy.compute(scheduler="synchronous").values
    np.testing.assert_allclose(pixels, noise(BOX, 4, seed=1) / 65535, rtol=1e-6)
    assert faults_left(proxy) == []


@pytest.mark.parametrize("fault", ["503", "half", "rubbish", "trickle"])
def test_an_image_that_stays_broken_is_told_not_blank(proxy: str, fault: str) -> None:
    lazy = image(proxy, 2, f"{fault}broken")
    misbehave(proxy, "made.tif", *[fault] * ALWAYS)
    with pytest.raises(SourceUnreadableError, match=r"made\.tif: cannot be read") as caught:
        lazy.compute(scheduler="synchronous")
    assert "broken" not in str(caught.value)  # a query may be a token


def test_a_dead_server_is_told_in_time(tmp_path: Path) -> None:
    address = f"http://127.0.0.1:{free_port()}/a.tif"
    start = time.monotonic()
    told = groundbreak("compare", address, address, "--out", tmp_path / "out", "--quiet")
    assert time.monotonic() - start < 60
    assert told.exit_code == 1
    (line,) = told.stderr.splitlines()
    assert f"error: {address}: " in line


def test_once_patience_is_over_an_image_is_not_asked_for_again(
    proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "PATIENCE", 0.0)
    lazy = image(proxy, 0, "patience")
    misbehave(proxy, "made.tif", *["503"] * ALWAYS)
    with pytest.raises(SourceUnreadableError):
        lazy.compute(scheduler="synchronous")
    first = ALWAYS - len(faults_left(proxy))
    monkeypatch.setattr(opening, "PATIENCE", 60.0)
    with pytest.raises(SourceUnreadableError):
        lazy.compute(scheduler="synchronous")
    assert ALWAYS - len(faults_left(proxy)) > 2 * first


def test_a_date_that_cannot_be_fetched_fails_and_comes_with_the_next_run(proxy: str, tmp_path: Path) -> None:
    file = tmp_path / "yard.yaml"
    source = f"source: {{stac: {{url: '{proxy}/catalog.json'}}}}"
    file.write_text(f"id: yard\naoi: {list(AREA.boundingbox.bbox)}\n{source}\n")
    misbehave(proxy, f"{DAYS[1]}/made_SCL.tif", *["503"] * ALWAYS)
    site = load_site(file)
    assert site.available_dates() == (DAYS[0], DAYS[2])
    (lost,) = site.left_out()
    assert (lost.date, lost.failed) == (DAYS[1], True)
    assert f"{proxy}/images/{DAYS[1]}/made_SCL.tif: cannot be read" in lost.reason
    misbehave(proxy, "none")
    assert load_site(file).available_dates() == DAYS
