"""`compare`: two images, from wherever they are, to a result."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Literal

import xarray as xr

from pipeline.api.computing import computing, settings_with, temporary
from pipeline.api.result import Result, open_result
from pipeline.arrays import Banded, write_array
from pipeline.config import Settings
from pipeline.progress import Progress
from pipeline.remote import absolute, delivered
from pipeline.request import Area, Images, pair_job
from pipeline.run import run
from pipeline.scenes.counts import told_counts
from pipeline.scenes.place import NOWHERE, Place
from pipeline.scenes.told import Told

INPUTS = "inputs"


def compare(
    before: Images | xr.DataArray | xr.Dataset,
    after: Images | xr.DataArray | xr.Dataset | None = None,
    out: str | Path | None = None,
    *,
    aoi: Area | None = None,
    exclude: Area | None = None,
    before_mask: str | Path | None = None,
    after_mask: str | Path | None = None,
    before_date: str | date | None = None,
    after_date: str | date | None = None,
    bands: Sequence[str] | None = None,
    scale: float | None = None,
    offset: float | None = None,
    nodata: float | Literal["none"] | None = None,
    place: Place | None = None,
    name: str | None = None,
    detector: str | None = None,
    chunk_size: int | None = None,
    settings: Settings | None = None,
    scheduler: str | None = None,
    workers: int = 0,
    progress: Progress | None = None,
) -> Result:
    """Compare two images and say what was built between them, as `groundbreak compare` does.

    Args:
        before: The earlier image: a file, a folder, a glob, a URL (`https://`, `s3://`), a `pystac.Item`,
            several files or Items, or an xarray array (band, y, x) or (y, x) with a CRS, NumPy or Dask, as
            rioxarray and stackstac give it, or a Dataset with a variable a band (odc-stac). The array's band
            names (or `long_name`), nodata, `scale_factor`, `add_offset` and `time` are read.
        after: The later image, likewise. Sensors, grids and CRSs may differ. Without it: two dates of
            those in `before`, as given, else the last two there are.
        out: Folder (or `s3://BUCKET/FOLDER`) for the files of the result; one that is there until Python ends
            if not given. Arrays are kept there too, under `inputs/`, so that the record names what was
            compared.
        aoi: Where to look: a vector file, a box of west, south, east, north in degrees, a GeoDataFrame or an
            `odc.geo.Geometry`. All of the image before if not given.
        exclude: Where nothing is a finding, likewise.
        before_mask: Raster, not 0 where clouds hide the image before.
        after_mask: Likewise, of the image after.
        before_date: Day of the image before, where it does not say it itself, or which of its days.
        after_date: Likewise, of the image after.
        bands: Names of the bands by position, or those to use.
        scale: Reflectance = counts * scale + offset, instead of what the images say.
        offset: See scale.
        nodata: Value of pixels that hold no image, instead of what the images say; `"none"`: all do.
        place: Where images lie that do not say so themselves (plain PNG, JPEG).
        name: Heads the report; what the images are called if not given.
        detector: `auto`, `classic`, `learned`, or `onnx:PATH`.
        chunk_size: Side of a block in pixels: speed and memory hang on it, the result does not.
        settings: Parameters of every stage.
        scheduler: Address of a Dask cluster, whose workers see the same files.
        workers: So many processes of this machine; 0 for a Dask client that is active, else threads.
        progress: Is told how far it is, such as `pipeline.progress.PlainProgress()`; nobody if not given.

    Raises:
        GroundbreakError: What can be mended, in one line: bad input, `NoOverlapError`,
            `NothingObservedError`, `AlignmentRejectedError` for a pair that cannot be aligned, ... .
    """
    progress, target = progress or Progress(), absolute(out or temporary())
    chosen = settings_with(settings or Settings(), chunk_size, detector)
    with computing(scheduler, workers), delivered(target) as folder:
        job = pair_job(
            _as_files(before, folder / INPUTS / "before.tif"),
            None if after is None else _as_files(after, folder / INPUTS / "after.tif"),
            folder,
            settings=chosen,
            told=Told(
                None if bands is None else tuple(bands),
                told_counts(scale, offset, nodata),
                place or NOWHERE,
            ),
            name=name,
            aoi=aoi,
            exclude=exclude,
            before_mask=_path(before_mask),
            after_mask=_path(after_mask),
            before_date=_day(before_date),
            after_date=_day(after_date),
        )
        progress.begin(job.site_name)
        run(job, progress)
    return open_result(target)


def _as_files(images: Images | xr.DataArray | xr.Dataset, path: Path) -> Images:
    """An array as the file `path`, all else as it is."""
    if not isinstance(images, xr.DataArray | xr.Dataset):
        return images
    write_array(Banded.of(images, path.stem), path)
    return path


def _path(given: str | Path | None) -> Path | None:
    return None if given is None else Path(given).expanduser().absolute()


def _day(given: str | date | None) -> str | None:
    return given.isoformat()[:10] if isinstance(given, date) else given
