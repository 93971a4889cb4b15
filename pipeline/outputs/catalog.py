"""catalog.json: a static STAC catalogue over the runs of a site, each an Item in its own folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pystac

from pipeline.outputs.files import write_text
from pipeline.outputs.provenance import json_text

CATALOG = "catalog.json"


def write_catalog(
    folder: Path, site: tuple[str, str], runs: Mapping[str, Path], beside: Mapping[str, tuple[str, str]]
) -> None:
    """Write `folder`/catalog.json; links are relative, so that the folder can be moved or put on the web.

    site: id and name. runs: title of a run to its folder, which holds its item.json. beside: name of a file
    in `folder` to its title and media type; linked as related where it is there. Raises OutputError.
    """
    catalog = pystac.Catalog(
        id=site[0],
        title=site[1],
        description=f"What was found to have been built at {site[1]}, a run an Item.",
    )
    catalog.clear_links()
    catalog.add_link(pystac.Link(pystac.RelType.ROOT, f"./{CATALOG}", pystac.MediaType.JSON, site[1]))
    for title, run in runs.items():
        href = f"./{run.relative_to(folder).as_posix()}/item.json"
        catalog.add_link(pystac.Link(pystac.RelType.ITEM, href, pystac.MediaType.GEOJSON, title))
    for name, (title, media_type) in beside.items():
        if (folder / name).is_file():
            catalog.add_link(pystac.Link("related", f"./{name}", media_type, title))
    text = json_text(catalog.to_dict(include_self_link=False, transform_hrefs=False))
    write_text(folder / CATALOG, text)
