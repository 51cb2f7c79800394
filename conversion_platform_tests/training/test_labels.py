"""Each click and conversion is credited once, to the last showing of its pair before it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from conversion_platform.days import day_start
from conversion_platform.lake import Lake, Session
from conversion_platform.settings import Settings
from conversion_platform.training import build_examples
from conversion_platform_tests.training.examples import DAY, DAYS, SHOWN, changed, rows
from conversion_platform_tests.training.world import START, ZONE, Event, at, put_events

WINDOW = timedelta(days=3)
PAIR = ("u0001", "j0001")
SAMPLED = {"u0001", "u0003"}


def labels(found: list[dict[str, Any]]) -> list[tuple[bool, bool]]:
    """Whether each row was clicked and converted, in the order of showing."""
    ordered = sorted(found, key=lambda row: row["shown_at"])
    return [(row["clicked"], row["converted"]) for row in ordered]


@pytest.mark.parametrize(
    ("attribution", "expected"),
    [
        ("last_touch", [(False, False), (True, False), (False, True)]),
        ("any", [(True, True), (True, True), (False, True)]),
    ],
)
def test_the_last_showing_before_it_takes_the_credit_of_each_click_and_conversion(
    build: Any, settings: Settings, attribution: str, expected: list[tuple[bool, bool]]
) -> None:
    events = [
        *(Event(*PAIR, "impression", at(SHOWN, hour)) for hour in (8, 32, 50)),
        Event(*PAIR, "click", at(SHOWN, 32)),
        Event(*PAIR, "application", at(SHOWN, 50.1)),
        Event(*PAIR, "application", at(SHOWN, 50.2)),
    ]
    found = build(events, changed(settings, "training", attribution=attribution))
    assert labels(found) == expected


def test_a_showing_whose_window_is_still_open_takes_the_credit_too(build: Any) -> None:
    immature = at(date(2026, 1, 12), 1)
    events = [
        Event(*PAIR, "impression", at(date(2026, 1, 11), 12)),
        Event(*PAIR, "impression", immature),
        Event(*PAIR, "application", immature + timedelta(hours=1)),
    ]
    assert labels(build(events)) == [(False, False)]


def test_a_showing_that_is_not_known_on_the_day_takes_no_credit(build: Any) -> None:
    events = [
        Event(*PAIR, "impression", at(SHOWN, 8)),
        Event(*PAIR, "impression", at(SHOWN, 9), recorded=at(DAY, 0)),
        Event(*PAIR, "application", at(SHOWN, 10)),
    ]
    assert labels(build(events)) == [(False, True)]


def test_a_window_that_has_ended_gives_no_credit_back_to_an_earlier_showing(build: Any) -> None:
    events = [
        Event(*PAIR, "impression", at(SHOWN, 8)),
        Event(*PAIR, "application", at(SHOWN, 8) + WINDOW),
    ]
    assert labels(build(events)) == [(False, False)]


def test_a_conversion_through_a_message_belongs_to_the_message(build: Any) -> None:
    shown = Event(*PAIR, "impression", at(SHOWN, 8))
    texted = [
        Event(*PAIR, kind, at(SHOWN, 20), channel="text") for kind in ("click", "application")
    ]
    assert labels(build([shown, *texted])) == [(False, False)]
    logged = Event(*PAIR, "impression", at(SHOWN, 12), channel="text")
    later = Event(*PAIR, "impression", at(SHOWN, 19), channel="web")
    assert labels(build([shown, logged, later, *texted])) == [
        (False, False),
        (True, True),
        (False, False),
    ]


def test_a_showing_by_message_takes_the_credit_of_what_came_by_other_means(build: Any) -> None:
    events = [
        Event(*PAIR, "impression", at(SHOWN, 8)),
        Event(*PAIR, "impression", at(SHOWN, 9), channel="text"),
        Event(*PAIR, "application", at(SHOWN, 10), channel="web"),
    ]
    assert labels(build(events)) == [(False, False), (False, True)]


happenings = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.integers(0, 1),
        st.sampled_from(["impression", "impression", "click", "application"]),
        st.integers(0, 24 * len(DAYS) - 1),
        st.sampled_from([None, "web", "text"]),
        st.sampled_from([0, 0, 30]),
    ),
    max_size=60,
)
Credited = dict[tuple[str, str, datetime], set[str]]


def credited(events: list[Event]) -> tuple[Credited, int]:
    """Return the kinds credited to each showing, and how many events were, by the definition."""
    known = [event for event in events if (event.recorded or event.at) < day_start(DAY, ZONE)]
    found: Credited = {}
    count = 0
    for event in (event for event in known if event.kind != "impression"):
        before = [
            shown.at
            for shown in known
            if shown.kind == "impression"
            and (shown.user, shown.job) == (event.user, event.job)
            and shown.at <= event.at
            and (shown.channel == "text" or event.channel != "text")
        ]
        if before and event.at < max(before) + WINDOW:
            count += 1
            found.setdefault((event.user, event.job, max(before)), set()).add(event.kind)
    return found, count


@hypothesis_settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(happened=happenings)
def test_labels_are_what_the_definition_says_and_no_event_is_credited_twice(
    build: Any, happened: list[tuple[int, int, str, int, str | None, int]]
) -> None:
    events = [
        Event(f"u000{user}", f"j000{job}", kind, when, when + timedelta(hours=late), None, channel)
        for user, job, kind, hour, channel, late in happened
        for when in (at(START, hour),)
    ]
    expected, count = credited(events)
    found = build(events)
    for row in found:
        kinds = expected.get((row["user_id"], row["job_id"], row["shown_at"]), set())
        assert (row["clicked"], row["converted"]) == ("click" in kinds, "application" in kinds)
    assert sum(row["clicked"] + row["converted"] for row in found) <= count


def sampled_rows(session: Session, settings: Settings, events: list[Event]) -> list[dict[str, Any]]:
    """The examples of a source without impressions, whose every day has some interest."""
    more = [Event("u0002", "j0002", "click", at(day, 9)) for day in DAYS]
    more.append(Event("u0002", "j0002", "application", at(SHOWN, 11)))
    put_events(session, more + events, DAYS)
    build_examples(Session(settings, session.lake, session.con), DAY)
    return [row for row in rows(session) if row["user_id"] in SAMPLED]


@pytest.mark.parametrize(
    ("attribution", "monday"), [("last_touch", (True, False)), ("any", (True, True))]
)
def test_without_impressions_the_first_interest_of_the_last_day_takes_the_credit(
    session: Session,
    sampled: Settings,
    day: date,
    attribution: str,
    monday: tuple[bool, bool],
) -> None:
    chosen = changed(sampled, "training", attribution=attribution)
    events = [
        Event(*PAIR, "click", at(SHOWN, 9)),
        Event(*PAIR, "application", at(SHOWN, 30)),
        Event("u0003", "j0003", "click", at(SHOWN, 9)),
        Event("u0003", "j0003", "application", at(SHOWN, 12)),
    ]
    found = sampled_rows(session, chosen, events)
    assert labels([r for r in found if (r["user_id"], r["job_id"]) == PAIR]) == [
        monday,
        (False, True),
    ]
    own = [r for r in found if (r["user_id"], r["job_id"]) == ("u0003", "j0003")]
    assert labels(own) == [(True, True)]


def test_without_impressions_what_came_through_a_message_stands_for_no_showing(
    session: Session, sampled: Settings, day: date
) -> None:
    texted = [Event(*PAIR, kind, at(SHOWN, 9), channel="text") for kind in ("click", "application")]
    assert not sampled_rows(session, sampled, texted)
    any_credit = changed(sampled, "training", attribution="any")
    assert any(row["converted"] for row in sampled_rows(session, any_credit, texted))


def test_a_job_that_the_user_showed_interest_in_within_the_window_is_not_drawn(
    session: Session, con: duckdb.DuckDBPyConnection, lake: Lake, sampled: Settings, day: date
) -> None:
    # Every job of the region but one is clicked on the next day: it is all that can be drawn.
    liked = [f"j{number:04d}" for number in range(1, 23, 2) if number != 1]
    events = [Event(*PAIR, "click", at(SHOWN, 9))]
    events += [Event("u0001", job, "application", at(SHOWN, 40)) for job in liked]
    drawn = {
        attribution: {
            row["job_id"]
            for row in sampled_rows(
                session, changed(sampled, "training", attribution=attribution), events
            )
            if row["day"] == SHOWN and row["job_id"] != "j0001"
        }
        for attribution in ("last_touch", "any")
    }
    assert drawn["last_touch"] <= {"j0023"}
    assert drawn["any"] & set(liked)
