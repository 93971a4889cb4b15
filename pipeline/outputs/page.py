"""What every page has: escaping, one stylesheet foundation, a policy that lets nothing else run or load."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pipeline.outputs import style, words

TEMPLATES = Path(__file__).parent / "templates"
ASSETS = Path(__file__).parent / "assets"
"""Scripts built by `make web` from web/, committed, so that nobody needs node."""


@cache
def environment() -> Environment:
    """Jinja with escaping on for everything, and the formats of `words` and `style`."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    made.globals.update(words=words, style=style)
    return made


@cache
def stylesheet(*names: str) -> str:
    """base.css, the templates' own `names` after it, and colours and dashes from style.py."""
    sheets = [(TEMPLATES / name).read_text(encoding="utf-8") for name in ("base.css", *names)]
    kinds = [f".kind-{name} {{ --kind: {kind.colour}; }}\n" for name, kind in style.KINDS.items()]
    ways = [
        f".way-{name} {{ --dash: {' '.join(f'{3 * step:.1f}px' for step in way.dash) or 'none'}; }}\n"
        for name, way in style.DIRECTIONS.items()
    ]
    return "".join([*sheets, *kinds, *ways])


@cache
def script(name: str) -> str:
    """A built script of `ASSETS`."""
    return (ASSETS / name).read_text(encoding="utf-8")


@cache
def licences() -> str:
    """Of all that the built scripts hold beside our own code."""
    return (ASSETS / "licences.txt").read_text(encoding="utf-8")


def policy(css: str, *scripts: str, images: str = "data:") -> str:
    """A Content-Security-Policy for a page with this text in <style> and these in <script>, which may run;
    pictures come from `images` (CSP sources), and nothing else is loaded, framed or sent.
    """
    runs = " ".join(_digest(text) for text in scripts) or "'none'"
    return (
        f"default-src 'none'; img-src {images}; style-src {_digest(css)}; script-src {runs}; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
