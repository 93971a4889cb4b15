"""The command `groundbreak`: words typed become calls; nothing is computed here.

Exit status: 0 done, 1 refused or failed with a message, 2 wrong usage, 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable
from typing import Annotated

import typer

from pipeline import __version__
from pipeline.cli.doctor import doctor
from pipeline.cli.init import init
from pipeline.cli.pairs import align, compare
from pipeline.cli.serve import serve
from pipeline.cli.sites import check, monitor, run
from pipeline.cli.train import train
from pipeline.cli.truth import score, simulate
from pipeline.cli.usage import Command, Commands
from pipeline.cli.verify import verify

app = typer.Typer(
    name="groundbreak", cls=Commands, no_args_is_help=True, pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="groundbreak compare BEFORE AFTER\ngroundbreak init --images FOLDER\ngroundbreak compare --help",
)  # fmt: skip


def _version(asked: bool) -> None:
    if asked:
        print(f"groundbreak {__version__}")
        raise typer.Exit


@app.callback()
def groundbreak(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Compare satellite images of a place, before and after: what was built there, where, how sure."""


_PAIRS, _SITES, _TRUTH, _HELP = "Two images", "Sites", "Made scenes and scores", "When something is wrong"


def _add(command: Callable[..., None], panel: str, *examples: str) -> None:
    app.command(cls=Command, rich_help_panel=panel, epilog="\n".join(examples))(command)


_add(
    compare,
    _PAIRS,
    "groundbreak compare 2019-09-09.tif 2019-09-21.tif --out result",
    "groundbreak compare '0909/*.tif' '0921/*.tif' --aoi site.geojson --bands blue,green,red,nir",
    "groundbreak compare S2_before/ S2_after/ --after-mask clouds.tif --workers 2",
    "groundbreak compare tiles --before-date 2019-09-09 --after-date 2019-09-21",
    "groundbreak compare before.png after.png --at 34.4123,40.9321 --pixel-size 0.5",
)
_add(align, _PAIRS, "groundbreak align before.tif after.tif --out aligned --warp")
_add(
    run,
    _SITES,
    "groundbreak run configs/boukamal.yaml",
    "groundbreak run configs/boukamal.yaml --before 2019-08-20 --after 2019-09-09 --json",
)
_add(
    monitor,
    _SITES,
    "groundbreak monitor configs --out out --dry-run",
    "groundbreak monitor a.yaml b.yaml --workers 4",
    "groundbreak monitor configs --out out --every 6h",
)
_add(serve, _SITES, "groundbreak serve out --open", "groundbreak serve result --port 9000")
_add(verify, _SITES, "groundbreak verify out/boukamal", "groundbreak verify result --again --workers 2")
_add(check, _SITES, "groundbreak check configs/*.yaml")
_add(
    init,
    _SITES,
    "groundbreak init",
    "groundbreak init --images tiles --name 'The yard'",
    "groundbreak init yard.yaml --images 'tiles/{date}/*.tif' --at 34.4123,40.9321 --radius 2km",
    "groundbreak init --aoi yard.kml --stac catalogue/catalog.json --collection sentinel-2-l2a",
)
_add(
    simulate,
    _TRUTH,
    "groundbreak simulate made --seed 7",
    "groundbreak simulate made --size 512 --resolution 10",
)
_add(
    score,
    _TRUTH,
    "groundbreak score out/boukamal/2019-09-09_2019-09-21 sample_tiles/boukamal/truth.geojson",
)
_add(
    train,
    _TRUTH,
    "groundbreak train labelled --out mine.onnx",
    "groundbreak train backgrounds --shipped fine --out fine.onnx",
)
_add(
    doctor,
    _HELP,
    "groundbreak doctor",
    "groundbreak doctor --test",
    "groundbreak doctor --json > doctor.json",
)


def main() -> None:
    """The console script."""
    gc.set_threshold(50_000, 20, 20)  # most objects are modules and graphs, which stay; 700 looks too often
    try:
        app(prog_name="groundbreak")
    except SystemExit as end:
        if end.code is not None and not isinstance(end.code, int):
            raise
        _end(end.code or 0)


def _end(status: int) -> None:
    """At once: Python would wait for threads that were told to stop, and take half a second to take apart
    what the system takes back whole.
    """
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(status)
