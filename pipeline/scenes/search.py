"""Which Items a STAC catalogue holds of an area: a static one, walked, or an API, asked.

What is asked of an API is checked again on each Item that it gives, by the rules by which a static catalogue
is searched; so a condition means the same whatever a server supports.
"""

from __future__ import annotations

import os
import textwrap
import warnings
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import pystac
import shapely
from odc.geo import Geometry
from pystac.errors import STACError, STACTypeError
from pystac_client import Client
from pystac_client.conformance import ConformanceClasses
from pystac_client.exceptions import APIError
from shapely.errors import ShapelyError

from pipeline.errors import CatalogueError, NotAllowedError
from pipeline.remote import is_url
from pipeline.scenes.item import acquired
from pipeline.scenes.mask_kinds import is_mask
from pipeline.scenes.sources import is_image
from pipeline.scenes.stac_io import PatientIO
from pipeline.scenes.wanted import OPERATORS, Found, Search
from pipeline.secrecy import without_secrets
from pipeline.trust import trust, variable

PAGE = 100  # Items a page that an API is asked for
_BESIDE = 8  # Items of a static catalogue that are fetched at a time
_FAULTS = (
    APIError, STACError, STACTypeError, ValueError, KeyError, TypeError, AttributeError, RecursionError,
    OSError, ShapelyError,
)  # fmt: skip

_CQL2 = {"eq": "=", "neq": "<>", "lt": "<", "lte": "<=", "gt": ">", "gte": ">=", "in": "in"}


def search(wanted: Search, area: Geometry) -> Found:
    """All Items that meet the search and touch the area; asset links absolute. Raises CatalogueError."""
    shape = area.to_crs("EPSG:4326").geom
    unread: list[str] = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what a catalogue does not say that it conforms to
            client = Client.open(wanted.url, stac_io=PatientIO(wanted.url, _headers(wanted)))
            asked = client.conforms_to(ConformanceClasses.ITEM_SEARCH)
            given = _ask(client, wanted, shape) if asked else _walk(client, wanted, shape, unread)
            items = {(one.collection_id, one.id): one for one in _those(given, wanted, shape, unread)}
    except _FAULTS as error:
        reason = without_secrets(_brief(error))
        mend = "check url, collections and query, or try again later"
        raise CatalogueError(
            f"{without_secrets(wanted.url)}: cannot be searched ({reason}); {mend}"
        ) from None
    for item in items.values():
        with suppress(STACError):  # an Item that does not say where it is; its relative links stay so
            item.make_asset_hrefs_absolute()
    kept = [item for item in items.values() if not is_url(wanted.url) or _leads_to_the_web(item, unread)]
    ordered = sorted(kept, key=lambda one: (acquired(one) or "", one.collection_id or "", one.id))
    return Found(tuple(ordered), tuple(unread))


def _those(
    items: Iterable[pystac.Item], wanted: Search, shape: shapely.Geometry, unread: list[str]
) -> Iterator[pystac.Item]:
    """Those that are wanted; what is none is told. Raises NotAllowedError where there is no end of them."""
    most = trust().max_items
    for number, item in enumerate(items):
        if number >= most:
            raise NotAllowedError(
                f"more than {most} Items; narrow the search, or set {variable('max_items')} higher"
            )
        try:
            if _meets(item, wanted, shape):
                yield item
        except _FAULTS as error:
            unread.append(f"{item.id}: not an Item as it should be ({_brief(error)})")


def _leads_to_the_web(item: pystac.Item, unread: list[str]) -> bool:
    """Whether images and masks of an Item from the web are there, too, and not files of this machine; other
    assets that are not are taken off it.
    """
    for key, asset in list(item.assets.items()):
        href = asset.href
        if urlsplit(href).scheme not in {"", "file"}:
            continue
        if is_image(key, asset) or is_mask(key, asset):
            unread.append(
                f"{item.id}: not used, as its asset {key!r} names a file of this machine ({href}), "
                "which a catalogue on the web may not"
            )
            return False
        del item.assets[key]
    return True


def _headers(wanted: Search) -> dict[str, str]:
    missing = [name for name in wanted.credentials.values() if name not in os.environ]
    if missing:
        raise CatalogueError(f"{wanted.url}: the environment variable {missing[0]} is not set; set it")
    return {header: os.environ[name] for header, name in wanted.credentials.items()}


def _ask(client: Client, wanted: Search, shape: shapely.Geometry) -> Iterator[pystac.Item]:
    """All pages of an API's answer; properties are left to us where it cannot search by them."""
    how: dict[str, Any] = {}
    if wanted.query and client.conforms_to(ConformanceClasses.QUERY):
        how = {"query": {name: dict(tests) for name, tests in wanted.query.items()}}
    elif wanted.query and client.conforms_to(ConformanceClasses.FILTER):
        how = {"filter": _cql2(wanted.query), "filter_lang": "cql2-json"}
    days = f"{wanted.start or '..'}/{wanted.end or '..'}" if wanted.start or wanted.end else None
    asked = client.search(
        collections=list(wanted.collections) or None,
        intersects=shapely.geometry.mapping(shape),
        datetime=days,
        limit=PAGE,
        **how,
    )
    yield from asked.items()


def _cql2(query: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    tests = [
        {"op": _CQL2[test], "args": [{"property": name}, value]}
        for name, given in sorted(query.items())
        for test, value in sorted(given.items())
    ]
    return {"op": "and", "args": tests} if len(tests) > 1 else tests[0]


def _walk(
    root: pystac.Catalog, wanted: Search, shape: shapely.Geometry, unread: list[str]
) -> Iterator[pystac.Item]:
    """Items of a static catalogue and what is below it, each part of it once, but for collections whose
    extent says that they hold none of ours; what cannot be read is added to `unread`.
    """
    waiting: list[pystac.Catalog | pystac.Link] = [root]
    known: set[str] = set()
    while waiting:
        node = _catalogue(waiting.pop(), root, known, unread)
        if node is None or (isinstance(node, pystac.Collection) and not _may_hold(node, wanted, shape)):
            continue
        links = [link.get_absolute_href() or link.href for link in node.get_item_links()]
        with ThreadPoolExecutor(_BESIDE) as beside:
            for href, read in zip(links, beside.map(partial(_item, node), links), strict=True):
                if isinstance(read, pystac.Item):
                    yield read
                else:
                    unread.append(_untold(href, read))
        waiting += list(node.get_child_links())[::-1]


def _catalogue(
    part: pystac.Catalog | pystac.Link, root: pystac.Catalog, known: set[str], unread: list[str]
) -> pystac.Catalog | None:
    """A part of a catalogue, or what a link leads to; None where it is `known`, or cannot be read."""
    if isinstance(part, pystac.Catalog):
        return part
    href = part.get_absolute_href() or part.href
    if href in known:
        return None
    known.add(href)
    try:
        child = part.resolve_stac_object(root=root.get_root()).target
    except (*_FAULTS, NotAllowedError) as error:
        unread.append(_untold(href, _brief(error.__cause__ or error)))  # pystac says but that there is one
        return None
    return child if isinstance(child, pystac.Catalog) else None


def _untold(href: str, reason: str) -> str:
    return f"{without_secrets(href)}: cannot be read ({without_secrets(reason)})"


def _item(node: pystac.Catalog, href: str) -> pystac.Item | str:
    """The Item, or what is wrong with it."""
    io = node._stac_io
    assert io is not None  # pystac-client gives its own to all that it reads
    try:
        item = pystac.Item.from_dict(io.read_json(href), href=href)
        item.collection_id = item.collection_id or (node.id if isinstance(node, pystac.Collection) else None)
    except (*_FAULTS, NotAllowedError) as error:
        return _brief(error)
    return item


def _brief(error: BaseException) -> str:
    """In one line; some servers answer with whole pages."""
    return textwrap.shorten(str(error) or type(error).__name__, 200)


def _may_hold(collection: pystac.Collection, wanted: Search, shape: shapely.Geometry) -> bool:
    """Whether its extent meets the area and the days."""
    boxes = [shapely.box(*box[:2], *box[len(box) // 2 :][:2]) for box in collection.extent.spatial.bboxes]
    there = not boxes or any(box.intersects(shape) for box in boxes)
    spans = collection.extent.temporal.intervals
    return there and (not spans or any(_overlaps(span, wanted) for span in spans))


def _overlaps(span: Any, wanted: Search) -> bool:
    first, last = (moment.date().isoformat() if moment else None for moment in span)
    return (first is None or wanted.end is None or first <= wanted.end) and (
        last is None or wanted.start is None or last >= wanted.start
    )


def _meets(item: pystac.Item, wanted: Search, shape: shapely.Geometry) -> bool:
    """Whether an Item is wanted."""
    day = acquired(item)
    if day is None or (wanted.start and day < wanted.start) or (wanted.end and day > wanted.end):
        return False
    if wanted.collections and item.collection_id not in wanted.collections:
        return False
    if not all(_passes(item.properties.get(name), tests) for name, tests in wanted.query.items()):
        return False
    return item.geometry is not None and bool(shapely.geometry.shape(item.geometry).intersects(shape))


def _passes(value: Any, tests: Mapping[str, Any]) -> bool:
    try:
        return value is not None and all(OPERATORS[test](value, given) for test, given in tests.items())
    except TypeError:  # words compared with a number
        return False
