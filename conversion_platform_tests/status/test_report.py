"""How the platform stands: every figure of the report, before, during and after."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from conversion_platform import training
from conversion_platform.cli.render import status_table
from conversion_platform.lake import Lake, Session
from conversion_platform.settings import Settings, load_settings
from conversion_platform.status import TRUTH_KEY, Status, collect
from conversion_platform.terminal import console_to
from conversion_platform.training import (
    ModelCard,
    candidate,
    champion,
    fit_candidate,
    judge,
    load_card,
    newest_evaluation,
    promote,
    record_evaluation,
)
from conversion_platform_tests.sessions import in_session
from conversion_platform_tests.tiny_platform import LIVED, NEXT, lake_in, rows, settings_in

NOW = datetime(2026, 1, 26, 12, 0, tzinfo=UTC)
KEYS = {
    "platform",
    "lake",
    "last_day_run",
    "newest_event",
    "rows",
    "log_events",
    "champion",
    "champion_since",
    "map_k",
    "map_source",
    "map_model",
    "map_human",
    "map_popularity",
    "map_oracle",
    "gain_over_human",
    "gap_closed",
    "messages",
    "suppressed",
    "warnings",
    "drift_day",
    "drift_share",
    "drifted",
    "next_run",
}


def screen(session: Session) -> str:
    return shown(collect(session, NOW))


def shown(status: Status) -> str:
    out = io.StringIO()
    console_to(out, 100, color=False).print(status_table(status))
    return out.getvalue()


def test_before_anything_ran_there_is_a_report_all_the_same(
    session: Session, settings: Settings
) -> None:
    found = collect(session, NOW).to_json()
    assert set(found) == KEYS
    nothing = ("last_day_run", "champion", "map_model", "map_human", "map_oracle", "drift_day")
    assert [found[name] for name in nothing] == [None] * len(nothing)
    assert found["messages"] == {}
    assert set(found["log_events"].values()) == {0}
    assert "none yet" in screen(session)
    assert not Path(settings.resolve(settings.messaging.ledger)).exists()  # looking makes nothing


def test_names_with_brackets_are_shown_as_they_are(session: Session) -> None:
    odd = "Applied [/x] [web] :smile:"
    found = replace(
        collect(session, NOW),
        **{"platform": odd, "lake": odd, "messages": {odd: 1}, "warnings": [odd], "champion": odd},
    )
    assert shown(found).count(odd) == 5


def test_after_a_day_every_figure_is_there(lived: Path) -> None:
    found = json.loads(json.dumps(in_session(settings_in(lived), collect, NOW).to_json()))
    assert set(found) == KEYS
    assert found["last_day_run"] == found["champion_since"] == found["drift_day"] == str(LIVED)
    assert found["champion"].startswith(f"{LIVED}-")
    assert (found["map_k"], found["map_source"]) == (10, "logged slates")
    for name in ("map_model", "map_human", "map_popularity"):
        assert 0 < found[name] < 1
    assert found["map_oracle"] is None  # only a simulator knows it
    gain = found["gain_over_human"]
    assert gain["low"] <= gain["value"] <= gain["high"]
    assert found["gap_closed"] == {"value": None, "low": None, "high": None}
    assert 0 <= found["drift_share"] <= 1
    assert found["drifted"] in (True, False)
    assert found["next_run"] is None  # the schedule is off


def test_figures_of_sampled_negatives_are_not_told_as_logged_slates(
    lived: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def with_sampled(lake: Lake, version: str) -> ModelCard:
        card = load_card(lake, version)
        return replace(card, label={**card.label, "negatives": "sampled"})

    monkeypatch.setattr(training, "load_card", with_sampled)
    assert in_session(settings_in(lived), collect, NOW).map_source == "sampled negatives"


def test_the_counts_are_those_of_the_tables(lived: Path) -> None:
    found = in_session(settings_in(lived), collect, NOW)
    for stage, table in (("marketplace", "users"), ("inference", "daily_predictions")):
        ((count,),) = rows(lived, f"SELECT count(*) FROM {table}")
        assert found.rows[stage][table] == count > 0
    states = rows(lived, "SELECT state, count(*) FROM sent_messages GROUP BY ALL")
    assert found.messages == dict(states)
    logged = rows(lived, "SELECT event_type, count(*) FROM event_log GROUP BY ALL")
    assert {kind: count for kind, count in found.log_events.items() if count} == dict(logged)


def test_where_somebody_knows_the_truth_its_figures_stand_first(
    platform: Path,
) -> None:
    estimate = {"value": 0.3, "low": 0.2, "high": 0.4}
    names = ("map_model", "map_human", "map_popularity", "map_oracle")
    known = dict.fromkeys((*names, "gain_over_human", "gap_closed"), estimate)
    lake = lake_in(platform)
    known["versions"] = [champion(lake)]
    lake.write_json(TRUTH_KEY, {"k": 10, "days": "x", "slates": 5, "users": 4, **known})
    found = in_session(settings_in(platform), collect, NOW).to_json()
    assert found["map_source"] == "truth"
    assert [found[name] for name in names] == [0.3] * 4
    assert found["gap_closed"] == estimate
    assert "30% [20%, 40%]" in in_session(settings_in(platform), screen)


def retrained(platform: Path) -> str:
    """A new champion, which was not judged; returns its version."""
    lake, settings = lake_in(platform), settings_in(platform)
    training = settings.training.model_copy(update={"seed": 8})
    other = settings.model_copy(update={"training": training})
    with lake.connect() as con:
        version = fit_candidate(Session(other, lake, con), LIVED).version
    promote(lake, version, NEXT, "Retrained.")
    return version


def test_after_a_retraining_no_figure_of_the_earlier_champion_is_shown(platform: Path) -> None:
    lake, settings = lake_in(platform), settings_in(platform)
    old = champion(lake)
    assert old is not None
    estimate = {"value": 0.3, "low": 0.2, "high": 0.4}
    lake.write_json(TRUTH_KEY, {"k": 10, "versions": [old], "map_model": estimate})
    assert in_session(settings, collect, NOW).map_source == "truth"
    new = retrained(platform)
    found = in_session(settings, collect, NOW)
    assert (found.champion, found.map_source, found.map_model.value) == (new, None, None)
    assert "this version was not judged yet" in in_session(settings, screen)


def test_a_retrained_champion_is_shown_with_its_own_figures(platform: Path) -> None:
    lake, settings = lake_in(platform), settings_in(platform)
    new = retrained(platform)
    own = in_session(settings, judge, new, NEXT, LIVED).evaluation
    assert own != newest_evaluation(lake, candidate(lake, LIVED)).evaluation  # type: ignore[union-attr]
    assert in_session(settings, collect, NOW).map_model.value == own.map_model.value
    better = replace(own.map_model, value=0.9)
    record_evaluation(lake, replace(own, map_model=better), LIVED, "others", NEXT)
    assert in_session(settings, collect, NOW).map_model.value == 0.9


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-01-26T10:59:00+00:00", "2026-01-26T06:00:00-05:00"),
        ("2026-01-26T11:00:00+00:00", "2026-01-27T06:00:00-05:00"),
        ("2026-03-08T04:00:00+00:00", "2026-03-08T06:00:00-04:00"),
    ],
)
def test_the_next_run_is_the_next_morning_on_the_platforms_wall(
    tmp_path: Path, now: str, expected: str
) -> None:
    file = tmp_path / "conversion_platform.toml"
    file.write_text("")
    settings = load_settings(file)
    found = in_session(settings, collect, datetime.fromisoformat(now))
    assert found.next_run == expected
