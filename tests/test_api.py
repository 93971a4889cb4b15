"""Groundbreak from Python: what it takes, what comes back, and that it is what the command line gives."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import dask.array as da
import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import xarray as xr
from distributed import Client
from jobs import SAME_BYTES, checksums, findings, physical, read, run_json
from odc.geo.geobox import GeoBox
from odc.geo.xr import xr_coords
from rasterio.merge import merge
from servers import served

from pipeline import Result, compare, monitor, open_result
from pipeline.api import open_site
from pipeline.arrays import Banded
from pipeline.cluster import connect
from pipeline.compute import has_processes
from pipeline.config import Settings
from pipeline.errors import (
    AreaError,
    BandError,
    ConfigError,
    GeoreferenceError,
    MissingExtraError,
    OutputError,
    SourceNotFoundError,
    SourceUnreadableError,
)
from pipeline.fingerprint import fingerprint
from pipeline.request import pair_job
from pipeline.scenes import describe

FENCES = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def result(compared: Path) -> Result:
    return open_result(compared)


def test_importing_the_package_loads_nothing_that_is_slow() -> None:
    told = (
        "import sys, pipeline; print(sorted({'numpy', 'dask', 'rasterio'} & set(sys.modules)), dir(pipeline))"
    )
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("[] ")
    assert "'compare'" in done.stdout


def test_images_are_lazy_and_hold_what_the_files_hold(result: Result, compared: Path) -> None:
    for name in ("before", "after"):
        image = result.images[name]
        assert isinstance(image.data, da.Array)
        assert image.dims == ("band", "y", "x")
        assert list(image["band"].values) == ["blue", "green", "red", "nir"]
        np.testing.assert_array_equal(image.values, physical(compared / f"{name}.tif"))
        assert image.attrs["date"] == run_json(compared)[name]["date"]
        assert image.attrs["made"] is True
    seen = read(compared / "change.tif")[0] != 255
    np.testing.assert_array_equal(result.images["observed"].values, seen)
    with rasterio.open(compared / "change.tif") as file:
        assert result.images.odc.geobox == result.change.odc.geobox == GeoBox.from_rio(file)


def test_change_and_shift_in_percent_and_metres(result: Result, compared: Path) -> None:
    stored = read(compared / "change.tif")[0]
    assert isinstance(result.change.data, da.Array)
    np.testing.assert_array_equal(result.change.values, np.where(stored == 255, np.nan, stored))
    assert result.change.attrs["units"] == "%"
    dx, dy = read(compared / "shift.tif")
    assert isinstance(result.shift["dx"].data, da.Array)
    np.testing.assert_array_equal(result.shift["dx"].values, dx)
    np.testing.assert_array_equal(result.shift["dy"].values, dy)


def test_findings_and_provenance(result: Result, compared: Path) -> None:
    assert result.findings.equals(findings(compared))
    assert result.findings.crs == "EPSG:32637"
    told = run_json(compared)
    assert result.run.alignment.residual_px == told["alignment"]["residual_px"]
    assert result.run.observed is not None
    assert result.run.observed.both == told["observed"]["both"]
    assert result.run.findings is not None
    assert result.run.findings.count == len(result.findings) > 0
    assert json.loads(result.run.model_dump_json(exclude_unset=True)) == told
    assert result.report == compared / "report.html"
    assert result.report.is_file()


def image_array(folder: Path) -> xr.DataArray:
    """A date of the made pair in one piece, as rioxarray gives it: counts, numbered bands, what is known of
    them in attributes.
    """
    files = [rasterio.open(path) for path in sorted(folder.glob("*.tif"))]
    counts, transform = merge(files)
    first = files[0]
    box = GeoBox(counts.shape[1:], transform, str(first.crs))
    attrs = {
        "_FillValue": first.nodata, "scale_factor": first.scales[0], "add_offset": first.offsets[0],
        "long_name": first.descriptions, "date": "2021-03-01" if folder.name == "before" else "2021-03-15",
        "made": True,
    }  # fmt: skip
    bands = {"band": list(range(1, len(counts) + 1)), **xr_coords(box, dims=("y", "x"))}
    return xr.DataArray(counts, dims=("band", "y", "x"), coords=bands, attrs=attrs)


def test_arrays_give_what_files_give_to_the_byte(made: Path, compared: Path, tmp_path: Path) -> None:
    before, after = image_array(made / "before"), image_array(made / "after").chunk(y=100, x=90)
    told = compare(before.transpose("y", "x", "band"), after, tmp_path / "out", name="arrays")
    assert checksums(tmp_path / "out") == checksums(compared, SAME_BYTES)
    assert told.run.site.name == "arrays"
    assert told.run.made
    assert [Path(one.href) for one in told.run.after.inputs] == [tmp_path / "out" / "inputs" / "after.tif"]
    assert told.run.after.date == "2021-03-15"


def test_variables_are_bands_and_one_time_is_no_axis(made: Path) -> None:
    counts = image_array(made / "before")
    named = counts.assign_coords(band=["blue", "green", "red", "nir"])
    loaded = named.to_dataset("band").expand_dims(time=[np.datetime64("2021-03-01T08:00")])
    image = Banded.of(loaded, "before")
    assert image.pixels.shape == counts.shape
    np.testing.assert_array_equal(image.pixels.values, counts.values)
    assert (image.names, image.day) == (("blue", "green", "red", "nir"), "2021-03-01")
    assert (image.nodata, image.scale) == (counts.attrs["_FillValue"], counts.attrs["scale_factor"])


def test_items_are_the_job_that_their_files_are(made: Path, tmp_path: Path) -> None:
    def job(before: Any, after: Any) -> str:
        return fingerprint(pair_job(before, after, tmp_path, settings=Settings(), name="pair"))

    items = [describe(made / date) for date in ("before", "after")]
    untouched = [item.to_dict() for item in items[0]]
    assert job(*items) == job(made / "before", str(made / "after" / "*.tif"))
    assert [item.to_dict() for item in items[0]] == untouched


def test_an_area_may_be_a_table(made: Path, tmp_path: Path) -> None:
    lonlat = gpd.read_file(made / "truth.geojson").dissolve()
    by_table = pair_job(made / "before", made / "after", tmp_path, settings=Settings(), aoi=lonlat)
    lonlat.to_file(tmp_path / "area.geojson")
    by_file = pair_job(
        made / "before", made / "after", tmp_path, settings=Settings(), aoi=tmp_path / "area.geojson"
    )
    assert by_table.aoi is not None
    assert by_file.aoi is not None
    assert by_table.aoi.geom.equals_exact(by_file.aoi.geom, 1e-9, normalize=True)
    with pytest.raises(AreaError, match="has no CRS"):
        pair_job(made, made, tmp_path, settings=Settings(), aoi=lonlat.set_crs(None, allow_override=True))


def test_what_is_wrong_is_an_error_of_ours(made: Path, tmp_path: Path, result: Result) -> None:
    before = result.images["before"]
    with pytest.raises(SourceNotFoundError, match="no such file"):
        compare(tmp_path / "nowhere.tif", made / "after", tmp_path / "out")
    with pytest.raises(ConfigError, match="is classic meant"):
        compare(made / "before", made / "after", tmp_path / "out", detector="clasic")
    with pytest.raises(GeoreferenceError, match="the array before has no georeference"):
        compare(xr.DataArray(before.values, dims=("band", "y", "x")), before, tmp_path / "out")
    with pytest.raises(BandError, match=r"the axes time, band beside y and x; choose one image"):
        compare(before.expand_dims(time=2), before, tmp_path / "out")
    with pytest.raises(OutputError, match="monitor writes to a folder only"):
        monitor(tmp_path, "s3://bucket/out")
    with pytest.raises(SourceNotFoundError, match=r"only a folder with run\.json holds a finished result"):
        open_result(tmp_path)
    (tmp_path / "run.json").write_text('{"groundbreak": "0.1.0"}', encoding="utf-8")
    with pytest.raises(
        SourceUnreadableError, match=r"not a record of Groundbreak \(created: Field required\)"
    ):
        open_result(tmp_path)
    assert not (tmp_path / "out" / "run.json").exists()


def test_a_result_is_shown_without_running_what_names_say(compared: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(compared, tmp_path / "result")
    told = run_json(folder)
    told["site"]["name"] = FENCES
    (folder / "run.json").write_text(json.dumps(told), encoding="utf-8")
    table = findings(folder)
    table["zone"] = FENCES
    table.to_parquet(folder / "changes.parquet")
    page = open_result(folder)._repr_html_()
    assert FENCES not in page
    assert page.count("&lt;img src=x onerror=alert(1)&gt;") == 1 + len(table)
    assert 'src="data:image/jpeg;base64,' in page
    assert "MADE IMAGE" in page
    assert "<script" not in page


def test_a_map_over_both_images(result: Result, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("folium")
    page = result.explore().get_root().render()
    assert page.count("data:image/png;base64") == 2
    assert page.count('"direction":') == len(result.findings)
    assert "tile.openstreetmap.org" not in page
    monkeypatch.setitem(sys.modules, "folium", None)
    with pytest.raises(MissingExtraError, match=r"groundbreak\[notebook\]"):
        result.explore()


def test_a_result_on_a_web_server(compared: Path) -> None:
    server = [sys.executable, str(Path(__file__).with_name("web_server.py")), str(compared.parent)]
    with served(*server) as address:
        there = open_result(f"{address}/{compared.name}/")
        assert there.findings.equals(findings(compared))
        assert there.report == f"{address}/{compared.name}/report.html"
        window = there.images["after"][:, :64, :64].values
        np.testing.assert_array_equal(window, physical(compared / "after.tif")[:, :64, :64])
        with pytest.raises(SourceNotFoundError, match="404"):
            open_result(f"{address}/elsewhere")


def test_sites_are_followed_and_what_fails_is_told(made: Path, tmp_path: Path) -> None:
    for date, day in (("before", "2021-03-01"), ("after", "2021-03-15")):
        shutil.copytree(made / date, tmp_path / "sites" / "images" / day)
    site = "id: yard\nsource: {files: 'images/{date}/*.tif'}\n"
    (tmp_path / "sites" / "yard.yaml").write_text(site, encoding="utf-8")
    (tmp_path / "sites" / "broken.yaml").write_text("id: broken\nsauce: {}\n", encoding="utf-8")
    told = monitor(tmp_path / "sites", tmp_path / "out")
    assert list(told) == ["yard"]
    assert list(told.outcomes["status"]) == ["failed", "done"]
    assert "sauce" in told.outcomes["reason"][0]
    yard = told["yard"]
    assert list(yard.timeline["status"].unique()) == ["candidate"]
    assert yard.timeline.crs == "OGC:CRS84"
    assert set(yard.timeline["first_seen"]) == {pd.Timestamp("2021-03-15")}
    assert len(yard.history) == 2 * len(yard.timeline)
    assert yard.history["present"].dtype == "boolean"
    assert list(yard.phases["date"]) == [pd.Timestamp("2021-03-01"), pd.Timestamp("2021-03-15")]
    assert list(yard.results) == [("2021-03-01", "2021-03-15")]
    assert len(yard.results["2021-03-01", "2021-03-15"].findings) == told.outcomes["findings"][1]
    page = told._repr_html_()
    assert page.count("<tr>") == 2 + 1 + len(yard.timeline)  # heads, the one that failed, the things
    assert "Missing" not in page
    with pytest.raises(KeyError):
        told["broken"]
    with pytest.raises(SourceNotFoundError, match="name the folder of one site"):
        open_site(tmp_path / "sites")


def test_a_client_that_is_active_does_the_work() -> None:
    with Client(processes=False, n_workers=1, threads_per_worker=1, dashboard_address=None) as client:
        with connect() as where:
            assert where == "the active Dask client"
            assert has_processes()
        assert client.status == "running"
    with connect() as where:
        assert where == "threads of this process"
