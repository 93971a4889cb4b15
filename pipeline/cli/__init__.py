"""The command `groundbreak`: words typed become calls; nothing is computed here.

Exit status: 0 done, 1 refused or failed with a message, 2 wrong usage.
"""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline import __version__
from pipeline.cli.pairs import align, compare
from pipeline.cli.sites import check, init, monitor, run
from pipeline.cli.train import train
from pipeline.cli.truth import score, simulate
from pipeline.cli.verify import verify

app = typer.Typer(
    name="groundbreak", no_args_is_help=True, rich_markup_mode="rich", pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
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


def _examples(*lines: str) -> str:
    return "\n\n".join(("[bold]Examples[/bold]", *(f"  {line}" for line in lines)))


_PAIRS, _SITES, _TRUTH = "Two images", "Sites", "Made scenes and scores"

app.command(
    rich_help_panel=_PAIRS,
    epilog=_examples(
        "groundbreak compare 2019-09-09.tif 2019-09-21.tif --out result",
        "groundbreak compare '0909/*.tif' '0921/*.tif' --aoi site.geojson --bands blue,green,red,nir",
        "groundbreak compare S2_before/ S2_after/ --after-mask clouds.tif --workers 2",
    ),
)(compare)
app.command(
    rich_help_panel=_PAIRS,
    epilog=_examples("groundbreak align before.tif after.tif --out aligned --warp"),
)(align)
app.command(
    rich_help_panel=_SITES,
    epilog=_examples(
        "groundbreak run configs/boukamal.yaml",
        "groundbreak run configs/boukamal.yaml --before 2019-08-20 --after 2019-09-09 --json",
    ),
)(run)
app.command(
    rich_help_panel=_SITES,
    epilog=_examples(
        "groundbreak monitor configs --out out --dry-run",
        "groundbreak monitor a.yaml b.yaml --workers 4",
        "groundbreak monitor configs --out out --every 6h",
    ),
)(monitor)
app.command(rich_help_panel=_SITES, epilog=_examples("groundbreak check configs/*.yaml"))(check)
app.command(
    rich_help_panel=_SITES,
    epilog=_examples(
        "groundbreak init",
        "groundbreak init yard.yaml --id yard --files 'tiles/{date}/*.tif' --aoi 40.94,34.42,40.96,34.44",
    ),
)(init)
app.command(
    rich_help_panel=_SITES,
    epilog=_examples("groundbreak verify out/boukamal", "groundbreak verify result --again --workers 2"),
)(verify)
app.command(
    rich_help_panel=_TRUTH,
    epilog=_examples(
        "groundbreak simulate made --seed 7", "groundbreak simulate made --size 512 --resolution 10"
    ),
)(simulate)
app.command(
    rich_help_panel=_TRUTH,
    epilog=_examples(
        "groundbreak score out/boukamal/2019-09-09_2019-09-21 sample_tiles/boukamal/truth.geojson"
    ),
)(score)
app.command(
    rich_help_panel=_TRUTH,
    epilog=_examples(
        "groundbreak train labelled --out mine.onnx",
        "groundbreak train backgrounds --shipped fine --out fine.onnx",
    ),
)(train)


def main() -> None:
    """The console script."""
    app(prog_name="groundbreak")
