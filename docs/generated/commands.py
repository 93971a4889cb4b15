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
    rows = [_row(one, context) for one in command.get_params(context) if not getattr(one, "hidden", False)]
    parts += ["| | | default |", "| --- | --- | --- |", *rows, ""]
    if examples := _examples(command.epilog or ""):
        parts += ["```sh", *examples, "```\n"]
    return parts


def _row(one: Any, context: Any) -> str:
    """Names and metavar, meaning, default of an argument or option."""
    if one.param_type_name == "argument":
        names = f"`{one.make_metavar(context)}`"
    else:
        value = "" if one.is_flag else f" {one.make_metavar(context)}"
        names = ", ".join(f"`{name}`" for name in one.opts[:-1]) + f"`{one.opts[-1]}{value}`"
    default = one.show_default if isinstance(one.show_default, str) else _default(one)
    return f"| {names} | {_plain(one.help or '')} | {default} |".replace(" |  |", " | |")


def _default(one: Any) -> str:
    shown = (
        one.show_default is not False and one.default not in (None, False, ()) and not callable(one.default)
    )
    return f"`{one.default}`" if shown else ""


def _examples(epilog: str) -> list[str]:
    return [line.strip() for line in epilog.splitlines() if line.strip().startswith("groundbreak ")]


def _plain(text: str) -> str:
    """One line, without rich's markup."""
    return re.sub(r"\[/?(?:bold|dim|italic)[^\]]*\]", "", " ".join(text.split())).replace("|", "\\|")
