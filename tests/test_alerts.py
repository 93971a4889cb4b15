"""Who is told of what, how often, and what they are told."""

from __future__ import annotations

import base64
import io
import itertools
import json
import logging
import multiprocessing
import os
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import feedparser
import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hook_server import Hook, hook_server
from outputs_fixture import BUILT, CRS, ground, make_rasters
from PIL import Image

from pipeline.alerts.deliver import Delivered, Patience, deliver
from pipeline.alerts.ledger import LEDGER, Delivery, Ledger, State
from pipeline.alerts.message import alert_id
from pipeline.alerts.notice import notice
from pipeline.alerts.rules import matching
from pipeline.config.alerts import Rule
from pipeline.results import PairResult, pair_results, showing
from pipeline.stages.track import Timeline

SITE = ("yard", "The yard")
QUICK = Patience(tries=3, first_s=0.01)
BEFORE, AFTER = "2019-09-09", "2019-09-21"


def findings(**changes: Any) -> gpd.GeoDataFrame:
    """A confirmed building in the north, and a candidate earthwork outside all zones."""
    columns = {
        "id": [1, 2], "kind": ["building", "earthwork"], "status": ["confirmed", "candidate"],
        "state": ["started", None], "not_before": [BEFORE, BEFORE], "first_seen": [AFTER, AFTER],
        "last_seen": ["2019-10-03", AFTER], "confidence": [0.91, 0.6], "area_m2": [120.0, 40.0],
        "zone": ["north", None],
    }  # fmt: skip
    shapes = [ground(*BUILT), ground(60, 10, 64, 50)]
    return gpd.GeoDataFrame({**columns, **changes}, geometry=shapes, crs=CRS)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A site's folder with one finished comparison."""
    result = tmp_path / "yard" / f"{BEFORE}_{AFTER}"
    make_rasters(result)
    (result / "run.json").write_text(json.dumps({"made": True}))
    return tmp_path / "yard"


@pytest.fixture
def hook() -> Iterator[Hook]:
    with hook_server() as running:
        yield running


def rule(*targets: dict[str, str], name: str = "built", **asked: Any) -> Rule:
    return Rule.model_validate({"name": name, "to": list(targets) or [{"file": "alerts.jsonl"}], **asked})


def note(folder: Path, *rules: Rule, table: gpd.GeoDataFrame | None = None) -> None:
    table = findings() if table is None else table
    history = [{"id": number, "date": date} for number in table["id"] for date in (BEFORE, AFTER)]
    notice(folder, SITE, rules, Timeline(table, pd.DataFrame(history), pd.DataFrame()), pair_results(folder))


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def states(folder: Path) -> list[tuple[str, str]]:
    with sqlite3.connect(folder / LEDGER) as ledger:
        return ledger.execute("SELECT target, state FROM deliveries ORDER BY target, finding").fetchall()


def attempts(folder: Path) -> list[str]:
    with sqlite3.connect(folder / LEDGER) as ledger:
        return [row[0] for row in ledger.execute("SELECT outcome FROM attempts ORDER BY rowid")]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, [1]),
        ({"status": "candidate, confirmed"}, [1, 2]),
        ({"status": ["candidate"]}, [2]),
        ({"status": "candidate, confirmed", "min_area_m2": 41}, [1]),
        ({"status": "candidate, confirmed", "min_confidence": 0.91}, [1]),
        ({"kind": "road, earthwork", "status": "candidate"}, [2]),
        ({"zone": "north", "status": "candidate, confirmed"}, [1]),
        ({"zone": "south"}, []),
        ({"since": "2019-09-22"}, []),
        ({"since": "2019-09-21"}, [1]),
    ],
)
def test_a_rule_asks_for_what_it_says(asked: dict[str, Any], found: list[int]) -> None:
    assert list(matching(rule(**asked), findings())["id"]) == found


def test_a_finding_is_a_line_of_json_once(folder: Path) -> None:
    asked = rule({"file": "alerts.jsonl"})
    for _ in range(2):
        note(folder, asked)
        deliver(folder, [asked])
    (told,) = lines(folder / "alerts.jsonl")
    assert told["id"] == alert_id("yard", "built", "1")
    assert (told["rule"], told["site"]) == ("built", {"id": "yard", "name": "The yard"})
    assert told["finding"]["area_m2"] == 120.0
    assert told["finding"]["not_before"] == BEFORE
    assert told["title"] == "MADE IMAGE: The yard: building confirmed"
    assert "not there on 9 September 2019" in told["text"]
    assert told["geometry"]["type"] == "Polygon"
    assert told["longitude"] == pytest.approx(np.mean(np.array(told["geometry"]["coordinates"][0])[:4, 0]))
    assert told["chips"] == {"before": "chips/1-before.png", "after": "chips/1-after.png"}
    assert states(folder) == [("file alerts.jsonl", "sent")]


def test_a_finding_that_comes_to_fit_a_rule_is_told_then(folder: Path) -> None:
    asked = rule()
    note(folder, asked)
    assert deliver(folder, [asked]) == Delivered(sent=1)
    note(folder, asked, table=findings(status=["confirmed", "confirmed"]))
    assert deliver(folder, [asked]) == Delivered(sent=1)
    assert [told["finding"]["id"] for told in lines(folder / "alerts.jsonl")] == [1, 2]


def test_two_rules_tell_the_same_finding_twice_and_a_new_target_hears_all(folder: Path) -> None:
    rules = rule({"file": "a.jsonl"}), rule({"file": "a.jsonl"}, name="large", min_area_m2=100)
    note(folder, *rules)
    assert deliver(folder, rules) == Delivered(sent=2)
    assert [told["rule"] for told in lines(folder / "a.jsonl")] == ["built", "large"]
    more = rule({"file": "a.jsonl"}, {"file": "b.jsonl"})
    note(folder, more)
    assert deliver(folder, [more]) == Delivered(sent=1)
    assert len(lines(folder / "b.jsonl")) == 1


def test_pictures_show_both_dates_and_say_that_they_are_made(folder: Path) -> None:
    note(folder, rule())
    before, after = (
        np.asarray(Image.open(folder / "chips" / f"1-{side}.png").convert("RGB")).astype(int)
        for side in ("before", "after")
    )
    assert before.shape == after.shape
    middle = 168, 216
    assert after[middle].mean() > before[middle].mean() + 60  # the roof is bright
    caption = after[-20:]
    assert (caption < 100).any()
    assert (caption[:, 130:260] < 100).any()  # behind the date: MADE IMAGE


def test_a_webhook_that_fails_first_gets_it_by_the_same_key(folder: Path, hook: Hook) -> None:
    hook.answers = [503, 429]
    asked = rule({"webhook": hook.url})
    note(folder, asked)
    assert deliver(folder, [asked], QUICK) == Delivered(sent=1)
    assert deliver(folder, [asked], QUICK) == Delivered()
    assert [headers["Idempotency-Key"] for headers, _ in hook.asked] == [alert_id("yard", "built", "1")] * 3
    ((_, body), *_) = hook.asked
    names = [each["filename"] for each in body["attachments"]]
    assert names == ["1-before.png", "1-after.png"]
    picture = Image.open(io.BytesIO(base64.b64decode(body["attachments"][1]["base64"])))
    assert (picture.format, max(picture.size) > 200) == ("PNG", True)
    assert attempts(folder) == [
        "failed: answered 503; check the address and the service; tried again",
        "failed: answered 429; check the address and the service; tried again",
        "sent",
    ]


def test_what_fails_waits_for_the_next_run_and_holds_nobody_up(folder: Path, hook: Hook) -> None:
    hook.answers = [404]
    asked = rule({"webhook": hook.url}, {"file": "alerts.jsonl"}, status="candidate, confirmed")
    note(folder, asked)
    assert deliver(folder, [asked], QUICK) == Delivered(sent=3, waiting=1)
    assert len(lines(folder / "alerts.jsonl")) == 2
    assert deliver(folder, [asked], QUICK) == Delivered(sent=1)
    assert len(hook.taken) == 2


def test_a_service_that_is_down_is_left_alone_and_asked_again_by_the_next_run(folder: Path) -> None:
    with hook_server() as hook:
        url = hook.url
    asked = rule({"webhook": url}, status="candidate, confirmed")
    note(folder, asked)
    assert deliver(folder, [asked], QUICK) == Delivered(waiting=2)
    tried = [outcome for outcome in attempts(folder) if outcome.startswith("failed")]
    assert len(tried) == QUICK.tries  # of the first alert; the second did not have to wait for it


def test_many_at_once_send_each_alert_once(folder: Path, hook: Hook) -> None:
    asked = rule({"webhook": hook.url}, {"file": "alerts.jsonl"}, status="candidate, confirmed")

    def watch(_: int) -> Delivered:
        note(folder, asked)
        return deliver(folder, [asked], QUICK)

    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(watch, range(6)))
    assert sum(each.sent for each in done) == 4
    assert len(hook.asked) == 2
    assert len(lines(folder / "alerts.jsonl")) == 2


def killed_after_sending(folder: Path, asked: Rule, monkeypatch: pytest.MonkeyPatch) -> None:
    """Deliver in a process that dies when it has sent the first alert, and has not noted it."""
    mark = Ledger.mark

    def dies(ledger: Ledger, delivery: Delivery, state: State, outcome: str | None = None) -> None:
        if state == "sent":
            os._exit(9)
        mark(ledger, delivery, state, outcome)

    with monkeypatch.context() as patched:
        patched.setattr(Ledger, "mark", dies)
        process = multiprocessing.get_context("fork").Process(target=deliver, args=(folder, [asked], QUICK))
        process.start()
        process.join(60)
    assert process.exitcode == 9


def test_killed_between_send_and_note_a_webhook_can_tell_the_repeat(
    folder: Path, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = rule({"webhook": hook.url})
    note(folder, asked)
    killed_after_sending(folder, asked, monkeypatch)
    assert states(folder) == [(f"webhook {hook.url}", "sending")]
    assert deliver(folder, [asked], QUICK) == Delivered(sent=1)
    assert len(hook.asked) == 2
    assert list(hook.taken) == [alert_id("yard", "built", "1")]


def test_killed_between_send_and_note_a_file_has_the_line_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = rule({"file": "alerts.jsonl"})
    note(folder, asked)
    killed_after_sending(folder, asked, monkeypatch)
    assert deliver(folder, [asked], QUICK) == Delivered(sent=1)
    assert len(lines(folder / "alerts.jsonl")) == 1


def test_killed_between_send_and_note_a_chat_is_not_told_again(
    folder: Path, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = hook.url.replace("http://", "json://")
    monkeypatch.setenv("YARD_CHAT", url)
    asked = rule({"apprise": "${YARD_CHAT}"})
    note(folder, asked)
    killed_after_sending(folder, asked, monkeypatch)
    assert deliver(folder, [asked], QUICK) == Delivered(unknown=1)
    assert deliver(folder, [asked], QUICK) == Delivered()
    assert len(hook.asked) == 1
    assert states(folder) == [("apprise ${YARD_CHAT}", "unknown")]


def test_a_line_that_was_cut_off_is_taken_away(folder: Path) -> None:
    asked = rule({"file": "alerts.jsonl"})
    (folder / "alerts.jsonl").write_bytes(b'{"id": "older"}\n{"id": "hal')
    note(folder, asked)
    deliver(folder, [asked])
    assert [told["id"] for told in lines(folder / "alerts.jsonl")] == [
        "older",
        alert_id("yard", "built", "1"),
    ]


def test_the_feed_can_be_read_and_its_pictures_are_there(folder: Path) -> None:
    asked = rule({"atom": "feed/alerts.xml"}, status="candidate, confirmed")
    note(folder, asked)
    assert deliver(folder, [asked]) == Delivered(sent=2)
    text = (folder / "feed" / "alerts.xml").read_bytes()
    feed = feedparser.parse(text)
    assert not feed.bozo
    assert (feed.version, feed.feed.title) == ("atom10", "Groundbreak: The yard")
    assert feed.feed.id
    assert feed.feed.updated_parsed
    assert feed.feed.author == "Groundbreak"
    assert {entry.id for entry in feed.entries} == {
        f"urn:uuid:{alert_id('yard', 'built', number)}" for number in "12"
    }
    for entry in feed.entries:
        assert entry.updated_parsed
        assert entry.title.startswith("MADE IMAGE: The yard: ")
        hrefs = [link.href for link in entry.links if link.rel == "enclosure"]
        assert [(folder / "feed" / href).resolve().is_file() for href in hrefs] == [True, True]
    note(folder, asked)
    deliver(folder, [asked])
    assert (folder / "feed" / "alerts.xml").read_bytes() == text


def test_any_service_that_apprise_reaches(
    folder: Path, hook: Hook, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    hook.answers = [500]
    secret = "7b2c-very-secret"
    monkeypatch.setenv("YARD_CHAT", f"{hook.url.replace('http://', 'json://')}/{secret}")
    asked = rule({"apprise": "${YARD_CHAT}"})
    note(folder, asked)
    with caplog.at_level(logging.DEBUG, "pipeline"):
        assert deliver(folder, [asked], QUICK) == Delivered(sent=1)
    assert len(hook.asked) == 2
    body = hook.asked[1][1]
    assert body["title"] == "MADE IMAGE: The yard: building confirmed"
    assert "First seen on 21 September 2019" in body["message"]
    assert [each["filename"] for each in body["attachments"]] == ["1-before.png", "1-after.png"]
    ours = [
        record.getMessage() for record in caplog.records if record.name.startswith(("pipeline", "apprise"))
    ]
    assert any("tried again" in line for line in ours)
    assert secret not in "\n".join(ours)
    assert secret.encode() not in (folder / LEDGER).read_bytes()


def test_an_address_that_the_environment_lacks_is_said_and_waits(
    folder: Path, hook: Hook, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked = rule({"webhook": "${YARD_HOOK}"})
    note(folder, asked)
    assert deliver(folder, [asked], QUICK) == Delivered(waiting=1)
    assert "the environment variable YARD_HOOK is not set" in caplog.text
    monkeypatch.setenv("YARD_HOOK", hook.url)
    assert deliver(folder, [asked], QUICK) == Delivered(sent=1)


def test_without_rules_there_is_no_ledger(folder: Path) -> None:
    assert deliver(folder, []) == Delivered()
    assert not (folder / LEDGER).exists()


def test_pictures_are_of_the_reference_or_of_the_last_day_without_it() -> None:
    days = ("2019-08-20", "2019-09-09", "2019-09-21", "2019-10-03")
    results = [
        PairResult(Path(f"{before}_{after}"), before, after)
        for before, after in itertools.combinations(days, 2)
    ]
    (a, b, c, d) = days
    assert showing(results, a, b, c) == PairResult(Path(f"{a}_{c}"), a, c)
    assert showing(results[1:], "2019-08-01", b, d) == PairResult(Path(f"{b}_{d}"), b, d)
    assert showing(results[4:], "2019-08-01", a, d) == PairResult(Path(f"{c}_{d}"), c, d)
    assert showing(results, a, None, a) is None


def test_a_damaged_result_gives_an_alert_without_pictures(folder: Path) -> None:
    (folder / f"{BEFORE}_{AFTER}" / "after.tif").write_bytes(b"no image")
    note(folder, rule())
    assert deliver(folder, [rule()]) == Delivered(sent=1)
    assert lines(folder / "alerts.jsonl")[0]["chips"] == {}
