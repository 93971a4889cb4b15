"""Words and numbers for people, and the table in the terminal."""

from __future__ import annotations

from typing import Any

import pytest
from outputs_fixture import make_findings
from pyproj import Transformer
from rich.console import Console

from pipeline.outputs import words
from pipeline.outputs.table import findings_table


def plain(text: str) -> str:
    return text.replace(words.THIN, " ")


def test_sentence_counts_kinds_and_directions() -> None:
    sentence = plain(words.summary_sentence(make_findings()))
    assert sentence == "2 changes found: 1 building and 1 earthwork; 1 new and 1 altered; 196 m² in all."
    assert words.summary_sentence(make_findings([])) == "No change found."
    alone = plain(words.summary_sentence(make_findings().head(1)))
    assert alone == "1 change found: 1 building; new; 120 m² in all."


def test_screened_clouds_in_words() -> None:
    clear = {"used": True, "why": "screened", "cloud_share": 0.0, "shadow_share": 0.0}
    cloudy = clear | {"cloud_share": 0.081, "shadow_share": 0.04}
    masked = clear | {"used": False, "why": "mask given"}
    assert plain(words.clouds({"before": clear, "after": cloudy})) == "12 % of the image after"
    assert (
        words.clouds({"before": clear, "after": masked})
        == words.clouds({})
        == words.screened({}, "after")
        == ""
    )
    assert "8.1 % cloud and 4.0 % cloud shadow" in plain(words.screened({"after": cloudy}, "after"))
    assert (
        words.screened({"before": clear}, "before") == "before was screened for clouds, and none were found"
    )
    assert "mask of its own" in words.screened({"after": masked}, "after")


@pytest.mark.parametrize(
    ("share", "text"), [(1.0, "100 %"), (0.9999, "> 99 %"), (0.0, "0 %"), (0.001, "< 1 %"), (0.5, "50 %")]
)
def test_percent_never_rounds_to_all_or_none(share: float, text: str) -> None:
    assert plain(words.percent(share)) == text


def test_numbers() -> None:
    assert plain(words.number(1234567.4)) == "1 234 567"
    assert words.number(-0.75, 2) == "−0.75"
    assert words.number(-0.001, 1) == "0.0"
    assert words.number(None) == words.number(float("nan")) == "–"
    assert plain(words.square_metres(123456)) == "12.3 ha"
    assert plain(words.position(-3.5, -34.25)) == "34.25000° S, 3.50000° W"
    assert words.long_date("2019-09-09") == "9 September 2019"
    assert words.long_date(None) == "date unknown"
    assert words.days_apart("2019-09-21", "2019-09-09") == 12
    assert words.listed(["a", "b", "c"]) == "a, b and c"


@pytest.mark.parametrize(
    ("told", "text"),
    [
        ({"name": None}, "Which detector it was is not known."),
        ({"name": "classic", "false_alarm_rate": 0.01},
         "Detector: classic; of unchanged pixels it takes 1.0 % for changed."),
        ({"name": "onnx", "models": [{"file": "/a/m.onnx", "sha256": "01234567",
                                      "card": {"f1": 0.7, "x": []}}]},
         "Detector: onnx; model m.onnx 01234567; f1: 0.7."),
        ({"name": "learned", "models": [{"file": "package:a.onnx", "sha256": "01234567"},
                                        {"file": "package:b.onnx", "sha256": "89abcdef"}]},
         "Detector: learned; model a.onnx 01234567; model b.onnx 89abcdef."),
    ],
)  # fmt: skip
def test_the_detector_and_what_it_says_of_itself(told: dict[str, Any], text: str) -> None:
    assert plain(words.detector(told)) == text


def test_centres_are_lon_lat_and_on_the_finding() -> None:
    findings = make_findings()
    to_map = Transformer.from_crs("EPSG:4326", findings.crs, always_xy=True)
    x, y = to_map.transform(*words.centres(findings)[0])
    middle = findings.geometry.iloc[0].centroid
    assert (x, y) == pytest.approx((middle.x, middle.y), abs=1e-3)
    ring = findings.geometry.iloc[1]
    assert not ring.contains(ring.centroid)  # so the centroid would point beside it
    x, y = to_map.transform(*words.centres(findings)[1])
    assert ring.buffer(1e-3).covers(words.gpd.points_from_xy([x], [y])[0])


def test_table_shows_every_finding_and_no_markup_from_names() -> None:
    findings = make_findings()
    findings.loc[0, "zone"] = "[red]zone[/red]"
    console = Console(width=200, record=True)
    console.print(findings_table(findings))
    text = plain(console.export_text())
    assert "[red]zone[/red]" in text
    assert "34.3" in text
    assert "0.91" in text
    assert "15.0 m" in text


def test_long_table_says_how_many_are_left_out() -> None:
    table = findings_table(make_findings(), limit=1)
    assert table.row_count == 1
    assert "1 more" in str(table.caption)
