"""From YAML text to a checked `SiteFile`, or to a list of all that is wrong with it, each with its line."""

from __future__ import annotations

import dataclasses
import difflib
import math
from pathlib import Path
from typing import Any, get_args, get_type_hints

import yaml
from pydantic import BaseModel, ValidationError

from pipeline.config.schema import SiteFile
from pipeline.errors import ConfigError
from pipeline.texts import read_text
from pipeline.trust import trust, variable

Loc = tuple[str | int, ...]
_NUMBERS = yaml.constructor.SafeConstructor()


class _Loader(yaml.SafeLoader):
    """Leaves dates as text, so that one that does not exist is found with its line, as any other fault."""

    yaml_implicit_resolvers = {  # noqa: RUF012 (a registry of PyYAML)
        first: [(tag, regexp) for tag, regexp in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def read_site_file(path: Path) -> SiteFile:
    """The file's values. Raises ConfigError that lists every fault as `file:line: key: what; mend`."""
    values, lines, faults = _parse(path)
    site: SiteFile | None = None
    if values is not None:
        try:
            site = SiteFile.model_validate(values)
        except ValidationError as error:
            told = tuple(faults)  # what is no number is so once
            for detail in sorted(error.errors(), key=lambda detail: _line(lines, detail["loc"])):
                loc = detail["loc"]
                if not (loc and any(known.startswith(_where(path, lines, loc)) for known in told)):
                    faults.append(_fault(path, lines, dict(detail)))
    if site is None or faults:
        raise ConfigError("\n".join(faults))
    return site


def _parse(path: Path) -> tuple[Any, dict[Loc, int], list[str]]:
    """Values, the line of every key, and faults that YAML itself has (bad syntax, a key twice)."""
    try:
        text = read_text(path, "max_site_mb")
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such site file; `groundbreak init` writes one.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as text ({error}); name a site file.") from None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if not isinstance(node, yaml.MappingNode):
            return None, {}, [f"{path}:1: not a site file; `groundbreak init` writes one to start from."]
        lines: dict[Loc, int] = {}
        most = trust().max_values
        faults = [f"{path}:{line}: {key}: {what}" for key, line, what in _walk(node, (), lines, most)]
        return loader.construct_document(node), lines, faults
    except RecursionError:
        return None, {}, [f"{path}:1: nested too deep, or within itself; write it flat."]
    except OverflowError:
        mend = f"leave some out, or set {variable('max_values')} higher"
        return None, {}, [f"{path}:1: more than {most} values, references written out; {mend}."]
    except (
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
    ) as error:  # PyYAML's, of a tag that does not fit
        return None, {}, [f"{path}:1: not valid YAML ({error}); take the tags (!!) out."]
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line if mark else text.count("\n", 0, getattr(error, "position", 0))
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        return None, {}, [f"{path}:{line + 1}: not valid YAML ({problem}); mend this line."]


def _walk(node: yaml.Node, at: Loc, lines: dict[Loc, int], most: int) -> list[tuple[str, int, str]]:
    """Note the line of each key below `node`; return faults with their keys and lines: what stands twice, and
    numbers that are none.

    What is referred to (*name) counts again each time, as it is written out when it is checked. Raises
    OverflowError where that makes more than `most` values.
    """
    if len(lines) > most:
        raise OverflowError
    faults: list[tuple[str, int, str]] = []
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            below, line = (*at, str(key.value)), key.start_mark.line + 1
            if below in lines:
                faults.append((_dotted(below), line, "stands twice; keep one."))
            lines[below] = line
            faults += _walk(value, below, lines, most)
    elif isinstance(node, yaml.SequenceNode):
        for i, value in enumerate(node.value):
            lines[*at, i] = value.start_mark.line + 1
            faults += _walk(value, (*at, i), lines, most)
    elif _is_no_number(node):
        faults.append((_dotted(at), node.start_mark.line + 1, f"{node.value} is no number; write one."))
    return faults


def _is_no_number(node: yaml.Node) -> bool:
    """Whether it is .nan or infinite, also as 1.0e+999."""
    if not isinstance(node, yaml.ScalarNode) or node.tag != "tag:yaml.org,2002:float":
        return False
    return not math.isfinite(_NUMBERS.construct_yaml_float(node))


def _dotted(loc: Loc) -> str:
    return ".".join(map(str, loc))


def _fault(path: Path, lines: dict[Loc, int], detail: dict[str, Any]) -> str:
    return f"{_where(path, lines, detail['loc'])}{_what(_written(lines, detail['loc']), detail)}"


def _where(path: Path, lines: dict[Loc, int], loc: Loc) -> str:
    """What a fault's line begins with."""
    written = _written(lines, loc)
    return f"{path}:{_line(lines, written)}: {f'{_dotted(written)}: ' if written else ''}"


def _written(lines: dict[Loc, int], loc: Loc) -> Loc:
    """Without numbers of entries that the file has not: one value may stand for a list of it."""
    seen: Loc = ()
    for step in loc:
        if not (isinstance(step, int) and (*seen, step) not in lines):
            seen = (*seen, step)
    return seen


def _line(lines: dict[Loc, int], loc: Loc) -> int:
    while loc and loc not in lines:
        loc = loc[:-1]
    return lines.get(loc, 1)


def _what(loc: Loc, detail: dict[str, Any]) -> str:
    """Pydantic's message in the words of someone who writes site files."""
    kind = detail["type"]
    if kind in {"extra_forbidden", "unexpected_keyword_argument"}:
        there = _keys(loc[:-1])
        near = difflib.get_close_matches(str(loc[-1]), there, n=1)
        return f"unknown key; is {near[0]} meant?" if near else f"unknown key; there are {', '.join(there)}."
    if kind == "missing":
        return "missing; add it."
    if kind == "string_pattern_mismatch":
        return f"{detail['input']!r} is not a name for a folder; use letters, digits, - and _ only."
    if kind in {"dataclass_type", "model_type", "model_attributes_type", "dict_type"}:
        return f"{detail['input']!r} is not a section; write its keys below it, indented."
    if kind == "value_error":
        return f"{detail['ctx']['error']}."
    return f"{detail['msg'].replace('Input should be', 'should be')}, not {detail['input']!r}."


def _keys(loc: Loc) -> list[str]:
    """The keys that are known at a place in the file."""
    model: Any = SiteFile
    for step in loc:
        if isinstance(step, str):
            fields = _fields(model)
            model = _section(fields[step]) if step in fields else None
    return list(_fields(model))


def _fields(model: Any) -> dict[str, Any]:
    """The types of a section's keys."""
    if isinstance(model, type) and issubclass(model, BaseModel):
        return {name: field.annotation for name, field in model.model_fields.items()}
    return dict(get_type_hints(model)) if dataclasses.is_dataclass(model) else {}


def _section(annotation: Any) -> Any:
    """The section in `Section | None`, `tuple[Section, ...]` and the like."""
    inner = [each for each in get_args(annotation) if each is not type(None)]
    return _section(inner[0]) if inner else annotation
