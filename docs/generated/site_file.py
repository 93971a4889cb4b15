"""The site file's reference, from its schema."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

import yaml
from pydantic import BaseModel

from pipeline.config.schema import SiteFile
from pipeline.init.write import Draft, write_site_file

Schema = Mapping[str, Any]


def reference() -> str:
    """A table for the file, and one for each section of it."""
    schema = SiteFile.model_json_schema()
    docs = described(SiteFile)
    parts = ["## All keys\n", table(schema, schema, docs["SiteFile"])]
    for name, key in _sections(schema, schema):
        part = schema["$defs"][name]
        about = (part.get("description") or "").split("\n\n")[0]
        parts += [f"## `{key}`\n", f"{about}\n", table(part, schema, docs.get(name, {}))]
    return "\n".join(parts)


def template() -> str:
    """The commented file that `init` writes."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "site.yaml"
        write_site_file(path, Draft("my-site", "My site", "[40.94, 34.42, 40.96, 34.44]"), force=False)
        return f"```yaml\n{path.read_text(encoding='utf-8')}```"


def table(part: Schema, whole: Schema, docs: Mapping[str, str]) -> str:
    """A row a key: type, default, range, meaning. Raises KeyError for one that nobody described."""
    rows = ["| key | type | default | range | meaning |", "| --- | --- | --- | --- | --- |"]
    required = part.get("required", [])
    for key, field in part["properties"].items():
        meaning = field.get("description") or docs[key]
        default = "**required**" if key in required else _default(field)
        cells = (f"`{key}`", _type(field, whole), default, _range(field, whole), _sentence(meaning))
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def described(model: type[BaseModel]) -> dict[str, dict[str, str]]:
    """What stands under each field of the classes that `model` is made of, by their names."""
    return {one.__name__: _attribute_docs(one) for one in _classes(model)}


def _classes(model: Any) -> Iterator[type]:
    """`model` and all sections within it, pydantic models and dataclasses."""
    if isinstance(model, type) and issubclass(model, BaseModel):
        yield model
        for field in model.model_fields.values():
            yield from _classes(field.annotation)
    elif isinstance(model, type) and is_dataclass(model):
        yield model
    else:
        for part in get_args(model):
            yield from _classes(part)


def _attribute_docs(one: type) -> dict[str, str]:
    tree = ast.parse(textwrap.dedent(inspect.getsource(one))).body[0]
    assert isinstance(tree, ast.ClassDef)
    found = {}
    for field, text in zip(tree.body, tree.body[1:], strict=False):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(text, ast.Expr)
        ):
            found[field.target.id] = str(ast.literal_eval(text.value))
    return found


def _sections(part: Schema, whole: Schema, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Each section's name in the schema and its key in the file, in the file's order, depth first."""
    for key, field in part["properties"].items():
        for name in _references(field):
            listed = "array" in str(field)
            where = f"{prefix}{key}{'[]' if listed else ''}"
            if "properties" in whole["$defs"][name]:
                yield name, where
                yield from _sections(whole["$defs"][name], whole, f"{where}.")


def _references(field: Any) -> list[str]:
    if isinstance(field, Mapping):
        own = [field["$ref"].rsplit("/", 1)[-1]] if "$ref" in field else []
        return [*own, *(name for key, value in field.items() if key != "$ref" for name in _references(value))]
    if isinstance(field, list):
        return [name for value in field for name in _references(value)]
    return []


def _type(field: Schema, whole: Schema) -> str:
    """In words."""
    if "$ref" in field:
        name = field["$ref"].rsplit("/", 1)[-1]
        return "section" if "properties" in whole["$defs"][name] else _type(whole["$defs"][name], whole)
    if "anyOf" in field:
        kinds = [_type(one, whole) for one in field["anyOf"] if one.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    if "enum" in field or "const" in field:
        return ", ".join(f"`{_written(one)}`" for one in field.get("enum", [field.get("const")]))
    if field.get("type") == "array":
        items: Schema = field.get("items") or next(iter(field.get("prefixItems", [])), {})
        return f"list of {_type(items, whole)}"
    if field.get("type") == "object":
        inside = field.get("additionalProperties")
        return f"name: {_type(inside, whole)}" if isinstance(inside, Mapping) else "name: value"
    names = {"string": "text", "boolean": "true or false", "number": "number", "integer": "whole number"}
    return names.get(str(field.get("type")), "file or box")


def _default(field: Schema) -> str:
    value = _said(field.get("default"))
    return "" if value in (None, [], {}) or isinstance(value, Mapping) else f"`{_written(value)}`"


def _said(value: Any) -> Any:
    """Without what is left open in it."""
    if isinstance(value, list):
        return [_said(one) for one in value]
    if isinstance(value, Mapping):
        return {key: one for key, one in value.items() if one is not None}
    return value


def _range(field: Schema, whole: Schema) -> str:
    for one in (field, *field.get("anyOf", [])):
        low = [f"≥ {one['minimum']:g}"] if "minimum" in one else []
        low += [f"> {one['exclusiveMinimum']:g}"] if "exclusiveMinimum" in one else []
        high = [f"≤ {one['maximum']:g}"] if "maximum" in one else []
        high += [f"< {one['exclusiveMaximum']:g}"] if "exclusiveMaximum" in one else []
        if low or high:
            return ", ".join(low + high)
        if "pattern" in one:
            return f"`{one['pattern']}`".replace("|", "\\|")
    return ""


def _written(value: Any) -> str:
    """As YAML has it."""
    text: str = yaml.safe_dump(value, default_flow_style=True)
    return text.removesuffix("\n").removesuffix("\n...")


def _sentence(text: str) -> str:
    return " ".join(text.split()).rstrip(".").replace("|", "\\|")
