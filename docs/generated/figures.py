"""Figures of benchmarks/RESULTS.md where a page asks for them: `<!-- figures: SECTION / TABLE -->`."""

from __future__ import annotations

import re

_ASKED = re.compile(r"^<!-- figures: (?P<section>[\w-]+) / (?P<table>.+?) -->$", re.MULTILINE)

_PICTURE = re.compile(r"^!\[.*\)\n", re.MULTILINE)


def filled(page: str, results: str) -> str:
    """The page with each table that it asks for, and when it was measured. Raises KeyError for one there is
    not.
    """
    return _ASKED.sub(lambda asked: table(results, asked["section"], asked["table"]), page)


def table(results: str, section: str, title: str) -> str:
    """One table of a section with its notes, no pictures; the line below says when it was measured."""
    body = _part(results, rf"## {re.escape(section)}:[^\n]*\n", r"\n## ")
    found = _part(body, rf"### {re.escape(title)}\n", r"\n### ")
    measured = body.strip().splitlines()[0].split(";")[0]
    told = _PICTURE.sub("", found).strip()
    return f"{told}\n\n*benchmarks/RESULTS.md, section `{section}`: {measured}.*"


def _part(text: str, head: str, end: str) -> str:
    match = re.search(rf"{head}(?P<body>.*?)(?:{end}|\Z)", text, re.DOTALL)
    if match is None:
        raise KeyError(f"benchmarks/RESULTS.md has no {head.strip()}")
    return match["body"]
