"""Catalogues, and servers of images, that lead where nobody asked to go, or never end."""

from __future__ import annotations

import gzip
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from imagery import noise, write
from route_server import Answer, Routes, redirect, route_server
from static_catalogue import AREA, BOX

from pipeline import web
from pipeline.alerts.channels import post
from pipeline.errors import CatalogueError, DeliveryError, NotAllowedError
from pipeline.hosts import check_host, is_public
from pipeline.remote import gdal_path
from pipeline.scenes import stac_io
from pipeline.scenes.opening import read_from
from pipeline.scenes.search import search
from pipeline.scenes.wanted import Found, Search

ELSEWHERE = "127.0.0.2"
"""Loopback, too, but not the address that tests allow."""


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stac_io, "BACK_OFF", 0.001)
    monkeypatch.setattr(stac_io, "TIMEOUT", (2.0, 2.0))
    web._follow.cache_clear()


@pytest.fixture
def home() -> Iterator[Routes]:
    """The catalogue's server."""
    with route_server() as server:
        yield server


@pytest.fixture
def inside() -> Iterator[Routes]:
    """A server within the network, that trusts whoever can reach it."""
    with route_server(ELSEWHERE) as server:
        server.routes[""] = Answer(item("inside"))
        yield server
        assert server.asked == []


def catalogue(*links: tuple[str, str], name: str = "root") -> dict[str, Any]:
    """A static catalogue's page; `links` are (rel, href)."""
    told = [{"rel": rel, "href": href, "type": "application/json"} for rel, href in links]
    return {"type": "Catalog", "id": name, "stac_version": "1.1.0", "description": "a", "links": told}


def item(name: str, href: str = "./image.tif", **assets: str) -> dict[str, Any]:
    """An Item over the area, its image at `href`."""
    images = {"image": {"href": href, "roles": ["data"]}}
    others = {key: {"href": value, "roles": [key]} for key, value in assets.items()}
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "id": name,
        "bbox": list(AREA.boundingbox.bbox),
        "links": [],
        "geometry": AREA.json,
        "properties": {"datetime": "2024-05-01T00:00:00Z"},
        "assets": {**images, **others},
    }


def found(home: Routes) -> Found:
    return search(Search(f"{home.url}/catalog.json"), AREA)


def root(home: Routes, *links: tuple[str, str]) -> None:
    home.routes["/catalog.json"] = Answer(catalogue(*links))


def api(home: Routes, page: dict[str, Any]) -> None:
    """A STAC API that answers every search with one page."""
    link = {"rel": "search", "href": f"{home.url}/search", "type": "application/geo+json"}
    core = "https://api.stacspec.org/v1.0.0/"
    landing = {**catalogue(), "conformsTo": [f"{core}core", f"{core}item-search"], "links": [link]}
    home.routes |= {"/catalog.json": Answer(landing), "/search": Answer(page)}


# Where links lead


@pytest.mark.parametrize("rel", ["item", "child"])
def test_a_link_to_a_private_address(rel: str, home: Routes, inside: Routes) -> None:
    root(home, (rel, f"{inside.url}/a.json"), ("item", "good.json"))
    home.routes["/good.json"] = Answer(item("good"))
    told = found(home)
    assert [one.id for one in told.items] == ["good"]
    assert ["GROUNDBREAK_ALLOW_HOSTS" in line and ELSEWHERE in line for line in told.unread] == [True]


@pytest.mark.parametrize("rel", ["item", "child"])
def test_a_redirect_to_a_private_address(rel: str, home: Routes, inside: Routes) -> None:
    root(home, (rel, "moved.json"))
    home.routes["/moved.json"] = redirect(f"{inside.url}/a.json")
    told = found(home)
    assert told.items == ()
    assert ["GROUNDBREAK_ALLOW_HOSTS" in line for line in told.unread] == [True]


def test_a_catalogue_that_redirects_to_a_private_address(home: Routes, inside: Routes) -> None:
    home.routes["/catalog.json"] = redirect(f"{inside.url}/catalog.json")
    with pytest.raises(
        NotAllowedError, match=rf"{ELSEWHERE} is not a public address.*GROUNDBREAK_ALLOW_HOSTS"
    ):
        found(home)


def test_a_name_that_stands_for_a_private_address(
    home: Routes, inside: Routes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And one that stands for another each time it is looked up: what counts is whom one has reached."""
    real, answers = socket.getaddrinfo, iter(["93.184.216.34"])

    def looked_up(host: Any, *rest: Any, **given: Any) -> Any:
        if host == "rebinding.example":
            host = next(answers, ELSEWHERE)
        return real(ELSEWHERE if host == "innocent.example" else host, *rest, **given)

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    port = inside.url.rsplit(":", 1)[1]
    root(
        home,
        ("item", f"http://innocent.example:{port}/a.json"),
        ("item", f"http://rebinding.example:{port}/a.json"),
    )
    check_host("http://rebinding.example/")
    told = found(home)
    assert [ELSEWHERE in line for line in told.unread] == [True, True]
    with pytest.raises(NotAllowedError, match=r"innocent\.example \(127\.0\.0\.2\) is not a public address"):
        check_host("http://innocent.example/a.tif")


def test_a_link_to_a_file_of_this_machine(home: Routes, tmp_path: Path) -> None:
    (tmp_path / "item.json").write_text("{}")
    root(home, ("item", f"file://{tmp_path}/item.json"), ("child", "file:///etc/passwd"))
    told = found(home)
    assert told.items == ()
    assert ["only those to https://" in line for line in told.unread] == [True, True]


@pytest.mark.parametrize("href", ["file:///etc/passwd", "file:///dev/zero"])
def test_an_image_that_is_a_file_of_this_machine(href: str, home: Routes) -> None:
    root(home, ("item", "bad.json"), ("item", "good.json"))
    home.routes |= {
        "/bad.json": Answer(item("bad", href)),
        "/good.json": Answer(item("good", thumbnail=href)),
    }
    told = found(home)
    assert [(one.id, sorted(one.assets)) for one in told.items] == [("good", ["image"])]
    assert told.items[0].assets["image"].href == f"{home.url}/image.tif"
    (line,) = told.unread
    assert f"names a file of this machine ({href})" in line


def test_an_item_that_says_it_lies_on_this_machine(home: Routes) -> None:
    """Its relative links would then be files."""
    own = {**item("bad"), "links": [{"rel": "self", "href": "file:///etc/item.json"}]}
    api(home, {"type": "FeatureCollection", "features": [own, item("adrift")], "links": []})
    told = found(home)
    assert told.items == ()
    assert ["names a file of this machine" in line for line in told.unread] == [True, True]


def test_credentials_go_to_the_catalogue_alone(home: Routes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YARD_KEY", "open sesame")
    with route_server() as other:
        other.routes[""] = Answer(item("other"))
        root(home, ("item", f"{other.url}/a.json"), ("item", "moved.json"), ("item", "good.json"))
        home.routes |= {"/moved.json": redirect(f"{other.url}/b.json"), "/good.json": Answer(item("good"))}
        wanted = Search(
            f"{home.url}/catalog.json", credentials={"X-Api-Key": "YARD_KEY", "Authorization": "YARD_KEY"}
        )
        search(wanted, AREA)
        assert sorted(other.paths()) == ["/a.json", "/b.json"]
        assert all("sesame" not in str(headers) for _, headers in other.asked)
        assert all(headers["X-Api-Key"] == "open sesame" for _, headers in home.asked)


def test_images_on_private_addresses(home: Routes, inside: Routes) -> None:
    """Looked at before GDAL is told of them; also where an open redirector leads there."""
    home.routes["/image.tif"] = redirect(f"{inside.url}/image.tif")
    for url in (
        f"{inside.url}/image.tif",
        f"{home.url}/image.tif",
        "http://169.254.169.254/latest/meta-data/a.tif",
    ):
        with pytest.raises(NotAllowedError, match="GROUNDBREAK_ALLOW_HOSTS"):
            read_from(str(gdal_path(url, alone=True)), lambda source: source.read())


@pytest.mark.parametrize(
    "url",
    [
        "http://2130706434/a.tif",
        "http://0x7f.2/a.tif",
        "http://0177.0.0.2/a.tif",
        "http://user@127.0.0.2/a.tif",
        "http://[::1]/a.tif",
        "http://[::ffff:7f00:2]/a.tif",
        "http://93.184.216.34\\@127.0.0.2/a.tif",
        "http://a@93.184.216.34@127.0.0.2/a.tif",
        "http://127.0.0.2 .example/a.tif",
        "http://[::1/a.tif",
        "http://93.184.216.34\n.example/a.tif",
    ],
)
def test_private_addresses_in_other_words(url: str) -> None:
    with pytest.raises(NotAllowedError, match=r"not a public address|not an address that is clear"):
        check_host(url)


def test_alerts_are_not_posted_to_private_addresses(inside: Routes) -> None:
    with pytest.raises(DeliveryError, match="GROUNDBREAK_ALLOW_HOSTS") as caught:
        post(f"{inside.url}/hook", {"id": "a"}, [])
    assert not caught.value.later


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        ("127.0.0.1", False),
        ("127.8.8.8", False),
        ("::1", False),
        ("0.0.0.0", False),
        ("::", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("fe80::1%eth0", False),
        ("fd00:ec2::254", False),
        ("100.100.100.200", False),
        ("224.0.0.1", False),
        ("ff02::1", False),
        ("255.255.255.255", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:169.254.169.254", False),
        ("64:ff9b::a9fe:a9fe", False),
        ("2002:7f00:1::", False),
        ("198.18.0.1", False),
    ],
)
def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert is_public(address) is public


@pytest.mark.parametrize("entry", ["127.0.0.2", "127.0.0.0/8", "localtwo", "LOCALTWO"])
def test_what_is_allowed_is_reached(entry: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUNDBREAK_ALLOW_HOSTS", f"10.0.0.0/8, {entry}")
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *rest, **given: real(ELSEWHERE if host == "localtwo" else host, *rest, **given),
    )
    with route_server(ELSEWHERE) as server:
        server.routes[""] = Answer({"type": "Catalog"})
        host = "localtwo" if entry.lower() == "localtwo" else ELSEWHERE
        port = server.url.rsplit(":", 1)[1]
        assert web.session().get(f"http://{host}:{port}/a").json() == {"type": "Catalog"}


# What never ends


@pytest.fixture
def few_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUNDBREAK_MAX_REQUESTS", "20")


@pytest.mark.usefixtures("few_requests")
def test_a_search_whose_pages_never_end(home: Routes) -> None:
    page = {"type": "FeatureCollection", "features": [item("same", f"{home.url}/image.tif")]}
    api(home, {**page, "links": [{"rel": "next", "href": f"{home.url}/search?page=again"}]})
    with pytest.raises(NotAllowedError, match=r"no end of it after 20 requests.*GROUNDBREAK_MAX_REQUESTS"):
        found(home)
    assert len(home.asked) == 20


@pytest.mark.usefixtures("few_requests")
def test_a_catalogue_without_a_bottom(home: Routes) -> None:
    root(home, ("child", "1"))
    home.routes[""] = lambda path: Answer(catalogue(("child", f"{home.url}/{int(path[1:]) + 1}"), name=path))
    told = found(home)
    assert ["no end of it after 20 requests" in line for line in told.unread] == [True]
    assert len(home.asked) == 20


@pytest.mark.usefixtures("few_requests")
def test_a_catalogue_within_itself(home: Routes) -> None:
    root(home, ("child", "a/catalog.json"), ("child", "catalog.json"))
    home.routes |= {
        "/a/catalog.json": Answer(
            catalogue(("child", "../catalog.json"), ("child", "catalog.json"), ("item", "../good.json"))
        ),
        "/good.json": Answer(item("good")),
    }
    told = found(home)
    assert ([one.id for one in told.items], told.unread) == (["good"], ())


def test_more_items_than_anyone_wants(home: Routes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUNDBREAK_MAX_ITEMS", "5")
    api(home, {"type": "FeatureCollection", "features": [item(str(n)) for n in range(6)], "links": []})
    with pytest.raises(NotAllowedError, match=r"more than 5 Items.*GROUNDBREAK_MAX_ITEMS"):
        found(home)


@pytest.mark.parametrize("packed", [False, True])
def test_an_answer_that_is_too_long(packed: bool, home: Routes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUNDBREAK_MAX_ANSWER_MB", "1")
    body = b'{"type": "Catalog", "id": "' + b"a" * 20_000_000 + b'"}'
    how = {"Content-Encoding": "gzip"} if packed else {}
    home.routes["/catalog.json"] = Answer(gzip.compress(body) if packed else body, headers=how)
    with pytest.raises(NotAllowedError, match=r"answers more than 1 MB.*GROUNDBREAK_MAX_ANSWER_MB"):
        found(home)


def test_an_answer_that_trickles(home: Routes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "LONGEST_S", 0.2)
    monkeypatch.setattr(stac_io, "ATTEMPTS", 2)
    monkeypatch.setattr(web, "_CHUNK", 1)
    home.routes["/catalog.json"] = Answer(b" " * 1000, slowly=0.05)
    with pytest.raises(CatalogueError, match="no end of the answer"):
        found(home)


def test_redirects_in_a_circle(home: Routes) -> None:
    home.routes["/catalog.json"] = redirect("/catalog.json")
    with pytest.raises(CatalogueError, match=r"cannot be searched \(.*redirects"):
        found(home)
    assert len(home.asked) <= stac_io.ATTEMPTS * (web.REDIRECTS + 1)


@pytest.mark.parametrize(
    "body",
    ["[" * 100_000, '{"type":' * 100_000, '{"type": "Catalog", "id": NaN}'],
    ids=["lists", "objects", "NaN"],
)
def test_an_answer_that_is_no_json(body: str, home: Routes) -> None:
    home.routes["/catalog.json"] = Answer(body)
    with pytest.raises(CatalogueError, match="cannot be searched"):
        found(home)


@pytest.mark.parametrize(
    "geometry",
    [{"type": "Nonsense"}, {"type": "Polygon", "coordinates": [["a"]]}, [], 7, {"type": "Polygon"}],
)
def test_an_item_whose_geometry_is_none(geometry: object, home: Routes) -> None:
    root(home, ("item", "bad.json"), ("item", "good.json"))
    home.routes["/bad.json"] = Answer({**item("bad"), "geometry": geometry})
    home.routes["/good.json"] = Answer(item("good"))
    told = found(home)
    assert [one.id for one in told.items] == ["good"]
    assert [line.startswith("bad: not an Item as it should be") for line in told.unread] == [True]


def test_a_local_catalogue_may_lead_to_files(tmp_path: Path) -> None:
    """Whoever wrote it to this disk could have written the files, too."""
    write(tmp_path / "image.tif", noise(BOX), BOX)
    (tmp_path / "catalog.json").write_text(json.dumps(catalogue(("item", "item.json"))))
    (tmp_path / "item.json").write_text(json.dumps(item("good")))
    told = search(Search(str(tmp_path / "catalog.json")), AREA)
    assert [one.assets["image"].href for one in told.items] == [str(tmp_path / "image.tif")]
