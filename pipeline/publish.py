"""What is made of a site's timeline beside itself: totals, a catalogue, models, its page, alerts."""

from __future__ import annotations

from pathlib import Path

import rasterio

from pipeline.config import Site
from pipeline.followed import tell_reports
from pipeline.outputs.catalog import write_catalog
from pipeline.pages import write_site_page
from pipeline.results import pair_results
from pipeline.stages.track import Timeline
from pipeline.timeline import CSV, GEOJSON, PHASES_CSV
from pipeline.zones import CSV as ZONES_CSV
from pipeline.zones import PARQUET as ZONES_PARQUET
from pipeline.zones import write_zones

_BESIDE = {
    GEOJSON: ("Findings followed over dates", "application/geo+json"),
    CSV: ("A row a finding and date", "text/csv"),
    PHASES_CSV: ("The site's phase by date", "text/csv"),
    ZONES_CSV: ("Totals by zone, kind and date", "text/csv"),
    ZONES_PARQUET: ("Totals by zone, kind and date", "application/vnd.apache.parquet"),
}


def publish(site: Site, folder: Path, timeline: Timeline) -> None:
    """Write all of it into the site's folder; nothing is sent. Raises OutputError, SourceUnreadableError."""
    dates = set(timeline.phases["date"])  # folders of withdrawn dates may still lie there
    results = [pair for pair in pair_results(folder) if {pair.before, pair.after} <= dates]
    if not results:
        return
    named = site.id, site.name
    with rasterio.open(results[-1].folder / "after.tif") as image:
        pixel_m = float(image.res[0])
    write_zones(folder, timeline, pixel_m)
    if site.file.smart is not None:
        from pipeline.smart.write import write_smart

        write_smart(folder, site.file.smart, site.aoi, timeline, results)
    runs = {
        f"{pair.before} to {pair.after}": pair.folder
        for pair in results
        if (pair.folder / "item.json").is_file()
    }
    write_catalog(folder, named, runs, _BESIDE)
    tell_reports(timeline, results)
    write_site_page(folder, looks=site.file.pictures)
    if site.file.alerts:
        from pipeline.alerts.notice import notice

        notice(folder, named, site.file.alerts, timeline, results)
