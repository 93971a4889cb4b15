"""What run.json says of where images are from."""

from __future__ import annotations

from pathlib import Path

from jobs import compare, run_json

from pipeline.scenes import describe


def test_source_and_licence_of_the_items_are_kept(made: Path, tmp_path: Path) -> None:
    who = [{"name": "Kite & Co", "roles": ["producer"]}]
    told = {"platform": "kite", "license": "CC-BY-4.0", "providers": who}
    paths = []
    for side, properties in (("before", told), ("after", {})):
        (item,) = describe(min((made / side).glob("*.tif")))
        item.properties.update(properties)
        paths.append(tmp_path / f"{side}.json")
        item.save_object(include_self_link=False, dest_href=str(paths[-1]))
    result = compare(*paths, tmp_path / "result")
    before, after = (run_json(result)[side] for side in ("before", "after"))
    assert {key: before[key] for key in ("sensor", "licence", "providers")} == {
        "sensor": "kite", "licence": "CC-BY-4.0", "providers": "Kite & Co",
    }  # fmt: skip
    assert (after["licence"], after["providers"]) == (None, None)
    page = (result / "report.html").read_text(encoding="utf-8")
    assert "kite, from <bdi>Kite &amp; Co</bdi>" in page
    assert "Licence: <bdi>CC-BY-4.0</bdi>" in page
