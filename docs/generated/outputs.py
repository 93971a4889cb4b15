"""What a run leaves behind: its files, and the keys of run.json."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args, get_origin

from pipeline.outputs.item import FILES
from pipeline.record import Run, Section


def files() -> str:
    """A row a file."""
    rows = [(name, title) for name, _, _, _, title in FILES]
    rows.append(("item.json", "STAC 1.1 Item over all of it"))
    return "\n".join(["| file | what |", "| --- | --- |", *(f"| `{name}` | {what} |" for name, what in rows)])


def run() -> str:
    """A row a key of run.json."""
    return "\n".join(["| key | meaning |", "| --- | --- |", *_keys(Run, "")])


def _keys(model: type[Section], prefix: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        inner, listed = _section(field.annotation)
        about = field.description or (inner.__doc__ or "" if inner else "")
        where = f"{prefix}{name}{'[]' if listed else ''}"
        yield f"| `{where}` | {' '.join(about.split()).rstrip('.')} |"
        if inner is not None:
            yield from _keys(inner, f"{where}.")


def _section(annotation: Any) -> tuple[type[Section] | None, bool]:
    """The part that a field is, or holds, and whether it holds several."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation, False
    found = next((part for part in (_section(one)[0] for one in get_args(annotation)) if part), None)
    return found, found is not None and get_origin(annotation) in {tuple, dict}
