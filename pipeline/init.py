"""A new site file, with every setting that people change explained in it."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from string import Template

from pipeline.errors import OutputError
from pipeline.outputs.files import write_text


def write_site_file(
    path: Path, site_id: str, name: str, images: str, aoi: str | None, *, force: bool
) -> None:
    """Write the template with these values in it, also where they are wrong: `check` says so better.

    aoi: "west,south,east,north" in degrees or a file; None leaves it out (all of the image).
    Raises OutputError where the file is there and `force` is not set, or it cannot be written.
    """
    if path.exists() and not force:
        raise OutputError(f"{path}: is there already; choose another name, or replace it with --force")
    template = Template((files("pipeline") / "template.yaml").read_text(encoding="utf-8"))
    area = f"aoi: {_area(aoi)}" if aoi else "# aoi: site.geojson"
    values = {"id": _scalar(site_id), "name": _scalar(name), "files": _scalar(images), "aoi": area}
    write_text(path, template.substitute(values))


def _area(text: str) -> str:
    parts = text.split(",")
    try:
        box = [float(part) for part in parts]
    except ValueError:
        return _scalar(text)
    return f"[{', '.join(f'{value:.10g}' for value in box)}]"


def _scalar(text: str) -> str:
    """A YAML string: quoted as JSON (which YAML contains), so that no value can be anything else."""
    return json.dumps(text, ensure_ascii=False)
