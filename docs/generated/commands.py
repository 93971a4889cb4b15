"""The command line's reference, from its parser."""

from __future__ import annotations

import re
from typing import Any

import typer

from pipeline.cli import app


def reference() -> str:
    """A section a command."""
    program: Any = typer.main.get_command(app)
    context = program.make_context("groundbreak", [], resilient_parsing=True)
    parts: list[str] = []
    for name in program.list_commands(context):
        command = program.get_command(context, name)
        if not command.hidden:
            parts += _command(
                command, command.make_context(f"groundbreak {name}", [], resilient_parsing=True)
            )
    return "\n".join(parts)


def _command(command: Any, context: Any) -> list[str]:
    usage = command.get_usage(context).removeprefix("Usage: ")
    parts = [f"## {command.name}\n", f"{_plain(command.help)}\n", f"```text\n{usage}\n```\n"]
    rows = [_row(one) for one in command.get_params(context) if not getattr(one, "hidden", False)]
    parts += ["| | | default |", "| --- | --- | --- |", *rows, ""]
    if examples := _examples(command.epilog or ""):
        parts += ["```sh", *examples, "```\n"]
    return parts


def _row(one: Any) -> str:
    """Names and value, meaning, default of an argument or option."""
    value = one.metavar or ("" if getattr(one, "is_flag", False) else one.name.upper())
    names = [] if one.param_type_name == "argument" else [*one.opts]
    shown = " ".join(filter(None, (", ".join(names), value)))
    default = one.show_default if isinstance(one.show_default, str) else _default(one)
    return f"| `{shown}` | {_plain(one.help or '')} | {default} |"


def _default(one: Any) -> str:
    shown = one.show_default and one.default not in (None, False, ()) and not callable(one.default)
    return f"`{one.default}`" if shown else ""


def _examples(epilog: str) -> list[str]:
    return [line.strip() for line in epilog.splitlines() if line.strip().startswith("groundbreak ")]


def _plain(text: str) -> str:
    """One line, without rich's markup."""
    return re.sub(r"\[/?(?:bold|dim|italic)[^\]]*\]", "", " ".join(text.split())).replace("|", "\\|")
