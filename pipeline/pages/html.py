"""A page as text: its template, the common stylesheet, its own script, and the policy for these alone."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from pipeline import __version__
from pipeline.outputs.page import TEMPLATES, environment, policy, stylesheet


def render(name: str, **values: Any) -> str:
    """Template `name`.html with the script `name`.js; pictures beside it may be shown. All is escaped."""
    css, script = stylesheet("pages.css"), (TEMPLATES / f"{name}.js").read_text(encoding="utf-8")
    page: str = environment().get_template(f"{name}.html").render(
        css=Markup(css),
        script=Markup(script),
        policy=policy(css, script, images="'self'"),
        version=__version__,
        **values,
    )  # fmt: skip
    return page
