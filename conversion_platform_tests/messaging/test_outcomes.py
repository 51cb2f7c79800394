"""What became of assignments, texted or held out; and what the lake gets to see of the ledger."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from conversion_platform.days import ONE_DAY, DayRange
from conversion_platform.messaging import measure_outcomes, outcome_days, snapshot
from conversion_platform.messaging.tables import (
    MESSAGE_STATES,
    OUTCOMES,
    REPLIES,
    SENT_MESSAGES,
    TABLES,
)
from conversion_platform_tests.messaging.conftest import Office, OpenOffice
from conversion_platform_tests.messaging.world import (
    DAY,
    TEN_IN_NEW_YORK,
    later,
    person,
    phone,
    put_events,
    read,
)

WINDOW = timedelta(days=3)
MATURE = DAY + 4 * ONE_DAY


def outcomes_of(office: Office, as_of: date = MATURE) -> dict[str, dict[str, Any]]:
    measure_outcomes(office.session, office.ledger, DayRange.of(DAY), as_of)
    return {row["user_id"]: row for row in read(office.session, OUTCOMES)}


def put_at(office: Office, *events: tuple[str, str, str, datetime]) -> None:
    """Events in the partitions of their days (New York)."""
    by_day: dict[date, list[tuple[str, str, str, datetime]]] = {}
    for event in events:
        by_day.setdefault((event[3] - timedelta(hours=4)).date(), []).append(event)
    for day, rows in by_day.items():
        put_events(office.session, day, *rows)


def test_clicks_and_conversions_within_the_window_count(office: Office) -> None:
    office.plan(person(1), person(2), person(3))
    office.replay()
    put_at(
        office,
        ("u000001", "j1", "click", later(hours=2)),
        ("u000001", "j1", "click", later(hours=1)),
        ("u000001", "j1", "application", later(hours=5)),
        ("u000002", "j9", "application", later(days=1)),
        ("u000003", "j1", "impression", later(days=1)),
    )
    found = outcomes_of(office)
    assert found["u000001"]["clicked_at"] == later(hours=1)
    assert found["u000001"]["converted_at"] == later(hours=5)
    assert found["u000001"]["converted_any_at"] == later(hours=5)
    assert found["u000002"]["converted_at"] is None
    assert found["u000002"]["converted_any_at"] == later(days=1)
    assert found["u000003"]["clicked_at"] is None
    assert found["u000001"]["state"] == "delivered"
    assert found["u000001"]["sent_at"] == TEN_IN_NEW_YORK


@pytest.mark.parametrize(
    ("after", "counts"),
    [
        (timedelta(0), True),
        (-timedelta(microseconds=1), False),
        (WINDOW - timedelta(microseconds=1), True),
        (WINDOW, False),
    ],
)
def test_the_edges_of_the_window(office: Office, after: timedelta, counts: bool) -> None:
    office.plan(person(1))
    office.replay()
    at = TEN_IN_NEW_YORK + after
    put_at(office, ("u000001", "j1", "application", at))
    assert (outcomes_of(office)["u000001"]["converted_at"] == at) is counts


def test_the_window_opens_when_the_text_was_really_sent(office: Office) -> None:
    office.plan(person(1, time_zone="America/Los_Angeles", state="CA"))
    office.replay()
    put_at(
        office,
        ("u000001", "j1", "click", later(minutes=30)),
        ("u000001", "j1", "application", later(minutes=90)),
    )
    found = outcomes_of(office)["u000001"]
    assert found["sent_at"] == later(hours=1)
    assert found["clicked_at"] is None
    assert found["converted_at"] == later(minutes=90)


def test_the_holdout_is_measured_from_when_it_would_have_been_texted(office: Office) -> None:
    office.plan(person(1), person(2, arm="holdout"), person(3, consent_at=None))
    office.replay()
    put_at(
        office,
        ("u000002", "j1", "application", later(hours=1)),
        ("u000003", "j1", "application", later(hours=2)),
    )
    found = outcomes_of(office)
    assert (found["u000002"]["arm"], found["u000002"]["state"]) == ("holdout", None)
    assert found["u000002"]["message_id"] is None
    assert found["u000002"]["converted_at"] == later(hours=1)
    assert found["u000003"]["state"] == "suppressed"
    assert found["u000003"]["converted_at"] == later(hours=2)


def test_an_outcome_is_mature_when_its_whole_window_is_past(office: Office) -> None:
    office.plan(person(1))
    office.replay()
    assert not outcomes_of(office, DAY + 3 * ONE_DAY)["u000001"]["matured"]
    assert outcomes_of(office, DAY + 4 * ONE_DAY)["u000001"]["matured"]


def test_nothing_from_the_day_of_looking_or_later_is_seen(office: Office) -> None:
    office.plan(person(1))
    office.replay()
    put_at(office, ("u000001", "j1", "application", later(days=1)))
    assert outcomes_of(office, DAY + ONE_DAY)["u000001"]["converted_at"] is None
    assert outcomes_of(office, DAY + 2 * ONE_DAY)["u000001"]["converted_at"] == later(days=1)


def test_an_opt_out_is_in_the_outcome(office: Office) -> None:
    office.plan(person(1))
    office.replay()
    office.provider.receive_reply(phone(1), "no more", later(hours=3), "r1")
    office.receive(later(hours=4))
    assert outcomes_of(office)["u000001"]["opted_out_at"] == later(hours=3)


def test_days_without_assignments_are_left_out(office: Office) -> None:
    office.plan(person(1))
    days = outcome_days(office.settings, DayRange.of(DAY))
    written = measure_outcomes(office.session, office.ledger, days, DAY)
    assert [one.day for one in written] == [DAY]
    assert (days.first, days.last) == (DAY - 6 * ONE_DAY, DAY)


def test_a_text_that_went_out_has_an_outcome_after_its_day_was_assigned_anew_without_it(
    office: Office,
) -> None:
    office.plan(person(1), person(2), person(3, consent_at=None))
    office.replay()
    office.plan(person(2, arm="holdout"), person(4, arm="holdout"))
    put_at(office, ("u000001", "j1", "application", later(hours=1)))
    found = outcomes_of(office)
    assert {user: (row["arm"], row["state"]) for user, row in found.items()} == {
        "u000001": ("treatment", "delivered"),
        "u000002": ("treatment", "delivered"),
        "u000004": ("holdout", None),
    }
    assert found["u000001"]["converted_at"] == later(hours=1)
    assert found["u000001"]["model_version"] is None
    assert found["u000001"]["matured"]


def test_outcomes_have_the_declared_columns_and_types(office: Office) -> None:
    office.plan(person(1), person(2, arm="holdout"))
    office.replay()
    outcomes_of(office)
    office.snapshot()
    for table in TABLES:
        found = office.con.sql(f"DESCRIBE SELECT * EXCLUDE (dt) FROM {office.lake.select(table)}")
        names = [(name, kind) for name, kind, *_ in found.fetchall()]
        declared = [
            (column.name, column.type.replace("TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE"))
            for column in table.columns
        ]
        assert names == declared


def test_no_number_and_no_word_reaches_the_lake(open_office: OpenOffice) -> None:
    office = open_office("[messaging.sandbox]\nstop_share = 0.5\n")
    office.plan(*(person(n) for n in range(20)))
    office.provider.receive_reply(phone(1), "my secret is 4711", later(hours=1), "SMsecret")
    office.replay()
    office.receive(later(hours=9))
    office.snapshot()
    outcomes_of(office)
    shown = str([read(office.session, table) for table in TABLES])
    for secret in ("+1212", "4711", "Reply", "Barista", "no more", "SMsecret", "example.invalid"):
        assert secret not in shown
    assert "opted_out" in shown


def test_the_lake_tells_the_whole_story_of_each_text(office: Office) -> None:
    office.plan(person(1, time_zone="America/Los_Angeles", state="CA"), person(2, phone=None))
    office.replay()
    office.snapshot()
    messages = {row["user_id"]: row for row in read(office.session, SENT_MESSAGES)}
    assert messages["u000001"]["state"] == "delivered"
    assert messages["u000001"]["provider"] == "sandbox"
    assert (messages["u000002"]["state"], messages["u000002"]["reason"]) == (
        "suppressed",
        "no_phone",
    )
    states = read(office.session, MESSAGE_STATES)
    story = [row["state"] for row in states if row["user_id"] == "u000001"]
    assert story == ["planned", "deferred", "sending", "sent", "delivered"]


def test_answers_stand_on_their_own_local_day(office: Office) -> None:
    office.plan(person(1))
    office.replay()
    last_minute = later(hours=13, minutes=59)
    for body, at in (("thanks", last_minute), ("who is this", last_minute + timedelta(minutes=1))):
        office.provider.receive_reply(phone(1), body, at, body)
    office.receive(later(days=1))
    office.snapshot()
    office.snapshot(DAY + ONE_DAY)
    found = {row["dt"]: row for row in read(office.session, REPLIES)}
    assert (found[DAY]["kind"], found[DAY]["needs_person"]) == ("other", False)
    assert (found[DAY + ONE_DAY]["kind"], found[DAY + ONE_DAY]["needs_person"]) == ("unsure", True)
    assert found[DAY]["message_id"] == office.message("u000001")["message_id"]


def test_a_day_that_was_not_assigned_gets_no_empty_partition(office: Office) -> None:
    office.plan(person(1))
    days = outcome_days(office.settings, DayRange.of(DAY))
    written = snapshot(office.session, office.ledger, days)
    assert {one.day for one in written} == {DAY}
    assert [one.rows for one in written] == [1, 1, 0]
    assert office.lake.days(SENT_MESSAGES) == [DAY]
