"""What is wrong with a site file, and what there is to compare where nothing is. No pixels are read."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.budget import Budget
from pipeline.cluster import worker_count
from pipeline.config import Site, load_site, problems
from pipeline.config.alerts import variable
from pipeline.errors import GroundbreakError
from pipeline.grid import native_grid, resolution_m, site_grid
from pipeline.job import load
from pipeline.scenes import common_bands
from pipeline.sight import sight
from pipeline.watch import site_job


@dataclass
class Checked:
    """One site file: its problems, a line each, and facts about what it leads to."""

    file: Path
    id: str | None = None
    problems: list[str] = field(default_factory=list)
    facts: list[str] = field(default_factory=list)


def check_site(path: Path) -> Checked:
    """All that is wrong at once: text, keys, areas, dates, images, and whether these share ground."""
    told = (line if line.startswith(str(path)) else f"{path}: {line}" for line in problems(path))
    checked = Checked(path, problems=list(told))
    try:
        site = load_site(path)
    except GroundbreakError:
        return checked
    checked.id = site.id
    for date in site.available_dates():
        _look(site, date, checked)
    if not checked.problems:
        checked.facts += [*_pair(site), *_alerts(site)]
    return checked


def _look(site: Site, date: str, checked: Checked) -> None:
    """How many scenes a date has, and whether they show the area."""
    try:
        scenes = site.scenes(date)
        bands = common_bands(scenes, scenes, site.bands)
        site_grid(native_grid(scenes, bands), site.aoi)
    except GroundbreakError as error:
        line = f"{checked.file}: {date}: {error}"
        if not any(str(error) in known for known in checked.problems):
            checked.problems.append(line)
        return
    masks = len(site.masks(date))
    count = f"{len(scenes)} image{'' if len(scenes) == 1 else 's'}"
    checked.facts.append(f"{date}: {count} ({', '.join(bands)}){f', {masks} cloud masks' if masks else ''}")


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
