"""How the command line talks of itself: help that reads well at any width, and wrong usage as one line."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from gettext import gettext as _
from itertools import groupby
from typing import Any

import typer
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text
from typer.core import TyperArgument, TyperCommand, TyperGroup

STOPPED = 130  # the exit status of what SIGINT ended: 128 + 2
WIDEST = 100  # columns; longer lines are hard to read
_HEADING, _NAME = "bold green", "bold cyan"
Rows = list[tuple[str, str]]


class Command(TyperCommand):
    """A command, whose epilog holds examples, a line each."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print what it does, its arguments, its options in groups, and examples."""
        _print_help(self, ctx, _sections(self, ctx))


class Commands(TyperGroup):
    """The commands, with wrong usage told in one line on standard error and exit status 2."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print what there is, in groups."""
        commands = [(name, self.commands[name]) for name in self.list_commands(ctx)]
        groups = groupby(commands, lambda one: getattr(one[1], "rich_help_panel", None) or "Commands")
        sections = [
            (title, [(name, _first_sentence(one.help)) for name, one in group]) for title, group in groups
        ]
        _print_help(self, ctx, [*sections, *_sections(self, ctx)])

    def main(self, *args: Any, **options: Any) -> Any:
        """Run the command that the words name, and end the process with its status."""
        try:
            status = super().main(*args, **{**options, "standalone_mode": False})
        except typer.TyperException as error:
            status = _told(error)
        except typer.Abort:  # Ctrl-C or the end of the input at a question
            print("groundbreak: stopped", file=sys.stderr)
            status = STOPPED
        sys.exit(status if isinstance(status, int) else 0)


def _told(error: typer.TyperException) -> int:
    """Say what is wrong with the words; the exit status. Without any words help has been printed already."""
    context = getattr(error, "ctx", None)
    message = " ".join(error.format_message().split())
    if message:
        message = message[0].lower() + message[1:].rstrip(".")
        more = f" (see `{context.command_path} --help`)" if context else ""
        print(f"groundbreak: error: {message}{more}", file=sys.stderr)
    return int(error.exit_code)


def _print_help(command: Any, ctx: Any, sections: Iterable[tuple[str, Rows]]) -> None:
    console = Console(highlight=False)
    console.width = min(console.width, WIDEST)
    usage = ctx.get_usage().removeprefix(_("Usage: ")).replace("{", "").replace("}", "")
    parts: list[RenderableType] = [
        Text(" ".join((command.help or "").split())),
        Text.assemble("\n", ("Usage:", _HEADING), " ", (usage, "bold")),
    ]
    for title, rows in sections:
        parts += [Text(f"\n{title}:", style=_HEADING), Padding(_table(rows), (0, 0, 0, 2))]
    console.print(Group(*parts))
    if command.epilog:
        console.print("\nExamples:", style=_HEADING)
        for line in command.epilog.splitlines():
            console.print(f"  {line}", soft_wrap=True, markup=False)


def _table(rows: Rows) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style=_NAME, no_wrap=True)
    table.add_column()
    for name, text in rows:
        table.add_row(Text(name), Text(text))
    return table


def _sections(command: Any, ctx: Any) -> list[tuple[str, Rows]]:
    """Arguments, then options by their groups, in the order in which they first stand."""
    found: dict[str, Rows] = {}
    for parameter in command.get_params(ctx):
        if isinstance(parameter, TyperArgument):
            name = parameter.display_name_raw + ("" if parameter.nargs == 1 else "...")
            found.setdefault("Arguments", []).append((name, f"{parameter.help}{_needed(parameter)}"))
        elif not parameter.hidden:
            title = getattr(parameter, "rich_help_panel", None) or "Options"
            found.setdefault(title, []).append(_option(parameter, ctx))
    return list(found.items())


def _option(parameter: Any, ctx: Any) -> tuple[str, str]:
    """As typed, with what it takes, and its help with the default."""
    shorts = [name for name in parameter.opts if not name.startswith("--")]
    longs = [name for name in parameter.opts if name.startswith("--")]
    names = ", ".join([*(shorts or ["  "]), longs[0]]).replace("  , ", "    ")
    takes = "" if parameter.is_flag else f" {parameter.display_type_rich(ctx)}"
    needed = " [required]" if parameter.required else _needed(parameter)
    return f"{names}{takes}", f"{parameter.help}{needed}"


def _needed(parameter: Any) -> str:
    """The default, where there is one to tell."""
    if isinstance(parameter.show_default, str):
        return f" [default: {parameter.show_default}]"
    shown = parameter.show_default and parameter.default not in {None, False, ""}
    return f" [default: {parameter.default}]" if shown else ""


def _first_sentence(text: str | None) -> str:
    return " ".join((text or "").split()).split(". ")[0].rstrip(".")
