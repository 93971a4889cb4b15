"""Writing the pages: a site's, and the index of all sites in a folder, which several may write at once."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from pipeline.config.pictures import USUAL, Pictures
from pipeline.outputs.files import write_text
from pipeline.outputs.languages import LANGUAGES
from pipeline.outputs.provenance import json_text
from pipeline.outputs.staging import locked
from pipeline.outputs.timelapse import write_timelapse
from pipeline.pages.card import FILE as CARD_FILE
from pipeline.pages.card import Card
from pipeline.pages.frames import FOLDER as FRAMES_FOLDER
from pipeline.pages.frames import Frames, write_frames
from pipeline.pages.history import History, read_history
from pipeline.pages.index import render_index
from pipeline.pages.site import render_site

PAGE = "index.html"


def write_site_page(folder: Path, also: Collection[str] = (), looks: Pictures = USUAL) -> None:
    """Write a site's `index.html`, `site.json` and `frames/` from what its comparisons left in `folder`.

    `also`: days that count though the site's timeline does not know them. `looks`: says which moving
    pictures are made of its dates, `timelapse.gif` or others. Nothing is written where no
    comparison is whole. Raises OutputError, SourceUnreadableError.
    """
    if not folder.is_dir():
        return
    with locked(folder / FRAMES_FOLDER, wait=True):
        history = read_history(folder, also)
        if history is None:
            return
        frames = Frames.of(history.pairs)
        fresh = _drawn(history, frames)
        if not fresh:
            write_frames(frames, folder)
        for kind in looks.timelapse:
            moving = folder / f"timelapse.{kind}"
            if not (fresh and moving.is_file()):
                shown = frames.pictures(looks.timelapse_width)
                write_timelapse(moving, shown, LANGUAGES[looks.language], history.made)
        write_text(folder / PAGE, render_site(history, frames))
        write_text(folder / CARD_FILE, json_text(Card.of(history, frames.mark).as_dict()))


def _drawn(history: History, frames: Frames) -> bool:
    """Whether the pictures that are there are these."""
    card = Card.read(history.folder)
    there = all((history.folder / FRAMES_FOLDER / f"{date}.jpg").is_file() for date in frames.paths)
    return card is not None and card.frames == frames.mark and there


def write_index(out: Path) -> None:
    """Write `out`/index.html over all sites in `out` that have a page; none where there is no site.

    Sites are read and the page is written under a lock, so that of several writers the last has seen all.
    Raises OutputError.
    """
    if not out.is_dir():
        return
    with locked(out, wait=True):
        folders = sorted(path for path in out.iterdir() if (path / PAGE).is_file())
        cards = [card for folder in folders if (card := Card.read(folder))]
        if cards:
            write_text(out / PAGE, render_index(cards))
