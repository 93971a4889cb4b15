"""Runs the commands of a page's `console` blocks, one after the other, and puts under each what it said."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from base64 import b64encode
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

from PIL import Image

BLOCK = re.compile(r"^```console\n(?P<lines>.*?)^```$", re.MULTILINE | re.DOTALL)
PICTURE = re.compile(r"^<!-- picture: (?P<path>\S+) (?P<words>.+) -->$", re.MULTILINE)
PROMPT = "$ "
WIDTH = 1100  # pixels of a picture, at most
SECONDS = 1800  # for one command, on however busy a machine


class CommandFailedError(Exception):
    """A command of a page that did not end with status 0."""


def filled(page: str, folder: Path) -> str:
    """The page with the output of every command under it. Raises CommandFailedError."""

    def block(match: re.Match[str]) -> str:
        lines = [line for line in match["lines"].splitlines() if line.startswith(PROMPT)]
        told = [f"{line}\n{output(line.removeprefix(PROMPT), folder)}" for line in lines]
        return "```console\n" + "\n".join(told) + "```"

    return BLOCK.sub(block, page)


def commands(page: str) -> list[str]:
    """All commands of the page, in order."""
    blocks = "\n".join(match["lines"] for match in BLOCK.finditer(page))
    return [line.removeprefix(PROMPT) for line in blocks.splitlines() if line.startswith(PROMPT)]


def output(command: str, folder: Path) -> str:
    """What a command prints when it is typed in `folder`, its messages too. Raises CommandFailedError."""
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment(os.environ), text=True, timeout=SECONDS,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise CommandFailedError(f"{command}\n{done.stdout}")
    told = done.stdout.replace(f"{folder.resolve()}/", "").strip("\n")
    return "".join(f"{line.rstrip()}\n" for line in told.splitlines())


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """With the `groundbreak` of this Python first, and a width that tables fit into."""
    return {**given, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{given['PATH']}", "COLUMNS": "110"}


def with_pictures(page: str, folder: Path) -> str:
    """The page with pictures that its commands left, where it asks for them."""

    def picture(asked: re.Match[str]) -> str:
        buffer = BytesIO()
        with Image.open(folder / asked["path"]) as image:
            image.thumbnail((WIDTH, WIDTH))
            image.convert("RGB").save(buffer, "JPEG", quality=85)
        return f"![{asked['words']}](data:image/jpeg;base64,{b64encode(buffer.getvalue()).decode('ascii')})"

    return PICTURE.sub(picture, page)
