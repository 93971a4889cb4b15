"""Remakes the sample tiles, byte for byte: python -m pipeline.simulate.samples --out sample_tiles."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd

from pipeline.simulate.boukamal import boukamal
from pipeline.simulate.qaim_crossing import qaim_crossing
from pipeline.simulate.scene import SceneSpec, scene, shift_field, truth
from pipeline.simulate.sites import DATES, QUIET
from pipeline.simulate.write import NOTE, sun_tags, write_geojson, write_text, write_tiles

SITES: Final[dict[str, Callable[..., SceneSpec]]] = {"boukamal": boukamal, "qaim_crossing": qaim_crossing}
_NODES = 64  # pixels between the nodes of the shift truth


def make_samples(
    out: Path, sites: Iterable[str] = tuple(SITES), dates: Iterable[str] = (*DATES, *QUIET)
) -> list[Path]:
    """Write sample sites under `out`: tiles, truth.geojson, shift_truth.json. Returns the tiles."""
    tiles: list[Path] = []
    for site in sites:
        spec = SITES[site]()
        for date in dates:
            made = scene(spec, date)
            tags = {**sun_tags(made), "GROUNDBREAK_SEED": str(spec.seed)}
            tiles += write_tiles(out / site / date, f"{site}_{date}", made, tags)
        write_geojson(out / site / "truth.geojson", timeline_truth(spec))
        write_text(out / site / "shift_truth.json", json.dumps(shift_truth(spec), indent=1) + "\n")
    return tiles


def timeline_truth(spec: SceneSpec) -> gpd.GeoDataFrame:
    """Changes from each date to the next, where the earlier image shows them."""
    steps = []
    for before, after in pairwise(sorted(spec.views)):
        changes = truth(spec, before, after)
        steps.append(changes.assign(not_before=before, first_seen=after))
    return gpd.GeoDataFrame(pd.concat(steps, ignore_index=True), crs=str(spec.geobox.crs))


def shift_truth(spec: SceneSpec) -> dict[str, Any]:
    """The exact shifts: each date's coefficients, and each pair's field on a coarse grid of nodes, metres."""
    origin = spec.frame.origin
    pairs = {}
    for before, after in pairwise(sorted(spec.views)):
        field = shift_field(spec, before, after)
        middle = slice(_NODES // 2, None, _NODES)
        x, y = spec.frame.pixel_centres()
        pairs[f"{before}_{after}"] = {
            "x": np.round(x[0, middle] + origin[0], 3).tolist(),
            "y": np.round(y[middle, 0] + origin[1], 3).tolist(),
            "dx": np.round(field[0, middle, middle].astype(float), 5).tolist(),
            "dy": np.round(field[1, middle, middle].astype(float), 5).tolist(),
        }
    return {
        "note": NOTE,
        "convention": "What `before` shows at (X, Y), `after` shows at (X + dx, Y + dy); metres.",
        "crs": str(spec.geobox.crs),
        "origin": origin,
        "dates": {date: view.shift.as_dict() for date, view in spec.views.items()},
        "pairs": pairs,
    }


def main() -> None:
    """Command line of `make samples`."""
    parser = argparse.ArgumentParser(description="Remake the sample tiles, byte for byte.")
    parser.add_argument("--out", type=Path, default=Path("sample_tiles"))
    tiles = make_samples(parser.parse_args().out)
    print(f"{len(tiles)} tiles, {sum(t.stat().st_size for t in tiles) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
