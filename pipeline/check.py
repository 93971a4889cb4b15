"""What is wrong with a site file, and what there is to compare where nothing is. No more pixels are read than
tell what each date shows of the area.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.budget import Budget
from pipeline.compute import worker_count
from pipeline.config import Site, problems
from pipeline.config.alerts import variable
from pipeline.config.looks import Look
from pipeline.errors import GroundbreakError
from pipeline.grid import native_grid, resolution_m, site_grid
from pipeline.job import load
from pipeline.request import site_job
from pipeline.scenes import common_bands, has_mask
from pipeline.sight import sight


@dataclass
class Checked:
    """One site file: its problems, a line each, and facts about what it leads to."""

    file: Path
    id: str | None = None
    problems: list[str] = field(default_factory=list)
    facts: list[str] = field(default_factory=list)


def check_site(path: Path) -> Checked:
    """All that is wrong at once: text, keys, areas, dates, images, and whether these share ground."""
    site, found = problems(path)
    told = (line if line.startswith(str(path)) else f"{path}: {line}" for line in found)
    checked = Checked(path, problems=list(told))
    if site is None:
        return checked
    checked.id = site.id
    try:
        dates, left_out = site.available_dates(), site.left_out()
    except GroundbreakError as error:
        _add(checked, str(error))
        return checked
    for date in dates:
        _look(site, date, checked)
    for each in left_out:
        line = f"{each.date}: left out: {each.reason}" if each.date else each.reason
        if each.failed:
            _add(checked, line, each.reason)
        else:
            checked.facts.append(line)
    if not checked.problems:
        checked.facts += [*_pair(site), *_alerts(site)]
    return checked


def _add(checked: Checked, line: str, reason: str | None = None) -> None:
    """A problem, unless it is told already."""
    if not any((reason or line) in known for known in checked.problems):
        checked.problems.append(f"{checked.file}: {line}")


def _look(site: Site, date: str, checked: Checked) -> None:
    """How many scenes a date has, how much they show of the area, and whether they can be compared."""
    try:
        scenes = site.scenes(date)
        bands = common_bands(scenes, scenes, site.bands)
        site_grid(native_grid(scenes, bands), site.aoi)
    except GroundbreakError as error:
        _add(checked, f"{date}: {error}", str(error))
        return
    look, masks = site.looks.look(date), len(site.masks(date))
    word = "seen" if masks or all(map(has_mask, scenes)) else "covered, no cloud mask"
    seen = f", {look.seen:.0%} {word}" if isinstance(look, Look) else ""
    count = f"{len(scenes)} image{'' if len(scenes) == 1 else 's'}"
    mask = f", {masks} cloud masks" if masks else ""
    checked.facts.append(f"{date}: {count} ({', '.join(bands)}){mask}{seen}")


def _pair(site: Site) -> list[str]:
    """What `run` would compare, on which grid, and what cannot show on it."""
    before, after = site.pair()
    settings = site.settings
    scene = load(site_job(site, before, after, Path(), settings))
    grid, bands = scene.grid, scene.bands
    metres = resolution_m(grid)
    rows, cols = grid.shape.yx
    return [
        f"run compares {before} with {after}: {cols} x {rows} pixels of {metres:.3g} m in {grid.crs}",
        Budget.of(scene, worker_count()).told(settings.compute.chunk_size),
        f"detector: {settings.detect.chosen(bands, metres)}",
        *_sight(metres),
    ]


def _alerts(site: Site) -> list[str]:
    """Who is told of what, and which addresses the environment lacks here."""
    facts = [
        f"alert {rule.name!r}: {', '.join(target.name for target in rule.to)}" for rule in site.file.alerts
    ]
    named = {variable(target.address) for rule in site.file.alerts for target in rule.to}
    missing = sorted(name for name in named if name and not os.environ.get(name))
    return [*facts, *(f"not set in the environment here: {name}" for name in missing)]


def _sight(metres: float) -> list[str]:
    """The smallest thing of each kind that shows, and which kinds do not."""
    every = sight(metres)
    shown = [f"{one.kind} {one.size_m:.3g} m {one.measure}" for one in every if one.size_m is not None]
    hidden = [one.kind for one in every if one.size_m is None]
    return [
        *([f"smallest that shows, about: {', '.join(shown)}"] if shown else []),
        *([f"cannot be told at {metres:.3g} m a pixel: {', '.join(hidden)}"] if hidden else []),
    ]
