"""The site files that a person names, by themselves or by their folders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from pipeline.config import Site, load_site
from pipeline.errors import ConfigError


def site_files(paths: Iterable[Path]) -> list[Path]:
    """The site files among `paths`, folders opened (not their subfolders), in a stable order, each once."""
    found: dict[Path, None] = {}
    for path in paths:
        inside = (
            sorted(p for p in path.iterdir() if p.suffix in {".yaml", ".yml"}) if path.is_dir() else [path]
        )
        if not inside:
            raise ConfigError(f"{path}: holds no site file (*.yaml); `groundbreak init` writes one")
        found |= dict.fromkeys(inside)
    return list(found)


def sites(paths: Iterable[Path]) -> Iterator[tuple[Path, Site | Exception]]:
    """Each site file of `paths` with its site, or with what is wrong with it; ids that are taken are."""
    owners: dict[str, Path] = {}
    for path in site_files(paths):
        try:
            site = load_site(path)
            if owners.setdefault(site.id, path) != path:
                raise ConfigError(
                    f"{path}: id {site.id!r} is taken by {owners[site.id]}; give each site its own"
                )
            yield path, site
        except Exception as error:
            yield path, error
