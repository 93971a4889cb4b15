"""The template with a site's own values in it."""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template

from pipeline.errors import OutputError
from pipeline.init.images import Images
from pipeline.outputs.files import write_text
from pipeline.scenes import Place
from pipeline.scenes.place import NOWHERE


@dataclass(frozen=True)
class Draft:
    """What is known of a new site.

    `area`: as the file has it, None for all of the images. `source`: a pattern of files, or `stac`: the
    address of a catalogue or API and the collections searched there. `place`: of files that do not say
    where they lie. `images`: what was found.
    """

    id: str
    name: str
    area: str | None
    files: str = "images/{date}/*.tif"
    stac: tuple[str, tuple[str, ...]] | None = None
    place: Place = NOWHERE
    images: Images | None = None


def write_site_file(path: Path, draft: Draft, *, force: bool) -> None:
    """Write the template with these values in it, also where they are wrong: `check` says so better.

    Raises OutputError where the file is there and `force` is not set, or it cannot be written.
    """
    if path.exists() and not force:
        raise OutputError(f"{path}: is there already; choose another name, or replace it with --force")
    template = Template((files("pipeline") / "template.yaml").read_text(encoding="utf-8"))
    found = f"\n# Found: {draft.images.told()}." if draft.images else ""
    values = {
        "id": _scalar(draft.id),
        "name": _scalar(draft.name),
        "aoi": f"aoi: {draft.area}" if draft.area else "# aoi: site.geojson",
        "found": found,
        "files": _scalar(draft.files),
        "source": _source(draft),
    }
    write_text(path, template.substitute(values))


def named(text: str) -> tuple[str, str]:
    """An id and a name for people, made of a file's or a folder's name."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9_-]+", "-", plain.lower()).strip("-_")[:64] or "my-site"
    words = " ".join(re.sub(r"[-_]+", " ", text).split()) or "My site"
    return slug, words[0].upper() + words[1:]


def _source(draft: Draft) -> str:
    if draft.stac is None:
        return "\n".join([f"  files: {_scalar(draft.files)}", *_place(draft.place)])
    url, collections = draft.stac
    listed = ", ".join(_scalar(each) for each in collections)
    return f"  stac:\n    url: {_scalar(url)}\n    collections: [{listed}]"


def _place(place: Place) -> list[str]:
    centre = f"at: [{place.centre[0]:.10g}, {place.centre[1]:.10g}]" if place.centre else None
    size = f"pixel_size: {place.pixel_size:.10g}" if place.pixel_size else None
    crs = f"crs: {_scalar(place.crs)}" if place.crs else None
    told = ", ".join(part for part in (centre, size, crs) if part)
    return [f"  place: {{{told}}}"] if told else []


def _scalar(text: str) -> str:
    """A YAML string: quoted as JSON (which YAML contains), so that no value can be anything else."""
    return json.dumps(text, ensure_ascii=False)
