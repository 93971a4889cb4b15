"""index.html: all sites, on a map and in a table."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.pages import locator
from pipeline.pages.card import Card
from pipeline.pages.history import STATUSES
from pipeline.pages.html import render


def render_index(cards: Sequence[Card]) -> str:
    """The page; sites in which something happened last come first."""
    ordered = sorted(cards, key=lambda card: card.id)
    ordered.sort(key=lambda card: (card.last_activity or "", card.last_date), reverse=True)
    return render(
        "index",
        cards=ordered,
        map=locator.locate([card.place for card in ordered]),
        width=locator.WIDTH,
        height=locator.HEIGHT,
        statuses=STATUSES,
        made=any(card.made for card in ordered),
    )
