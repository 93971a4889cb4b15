"""Results as a notebook shows them. All text is escaped: names come from site files and images."""

from __future__ import annotations

import base64
from collections import Counter
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from PIL import Image

from pipeline.errors import GroundbreakError
from pipeline.outputs import style, words
from pipeline.remote import fetch

if TYPE_CHECKING:
    from pipeline.api.result import Result
    from pipeline.api.site import SiteResult
    from pipeline.api.sites import Monitored

_ROWS = 10
_WIDTH = 720  # pixels of the small picture

_PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
)  # fmt: skip
_PAGES.globals |= {"words": words, "style": style}


def result_html(result: Result) -> str:
    """A comparison: one sentence, the picture, the surest findings."""
    findings = result.findings if result.run.findings else None
    shown = [] if findings is None else list(findings.head(_ROWS).itertuples())
    return _PAGES.get_template("result.html").render(
        result=result, run=result.run, rows=shown, picture=_picture(f"{result.folder}/overview.png"),
        sentence="Aligned, not compared." if findings is None else words.summary_sentence(findings),
        more=0 if findings is None else len(findings) - len(shown),
    )  # fmt: skip


def site_html(site: SiteResult) -> str:
    """A site over its dates: its phase, and the things that are followed."""
    table = site.timeline
    return _PAGES.get_template("site.html").render(
        site=site, rows=list(table.head(_ROWS).itertuples()), more=max(len(table) - _ROWS, 0),
        phase=None if site.phases.empty else site.phases["phase"].iloc[-1],
        counts=Counter(table["status"]), dates=len(site.phases),
    )  # fmt: skip


def monitored_html(monitored: Monitored) -> str:
    """A round over some sites: how each stands, and what was not done with its reason."""
    told = [one for one in monitored.done if one.status in {"refused", "failed"}]
    return _PAGES.get_template("monitored.html").render(
        monitored=monitored, counts=Counter(one.status for one in monitored.done), told=told[:_ROWS],
        more=max(len(told) - _ROWS, 0),
    )  # fmt: skip


def _picture(place: str) -> str | None:
    """A small JPEG as a data URI; None where there is no picture."""
    with suppress(GroundbreakError, OSError), Image.open(BytesIO(fetch(place))) as image:
        image.thumbnail((_WIDTH, _WIDTH))
        buffer = BytesIO()
        image.convert("RGB").save(buffer, "JPEG", quality=82)
        return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
    return None
