"""Who may be texted when: the decision against an independent table of the rules."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from conversion_platform.marketplace import normalised_phone
from conversion_platform.messaging.consent import (
    Consent,
    Defer,
    Recipient,
    Send,
    Suppress,
    decide,
)
from conversion_platform.messaging.places import places_of, states_on_clock
from conversion_platform.messaging.quiet_hours import instants_of
from conversion_platform.messaging.rules import WEEKDAYS, rules

AGREED = Consent(datetime(2020, 1, 1, tzinfo=UTC), "web form", "I agree")
NEW_YORK_PHONE = "+12125550123"
MINUTE = timedelta(minutes=1)

# Written down apart from the package's data, from the published table.
TABLE: dict[str, list[tuple[str, str]]] = {
    "": [("08:00", "21:00")] * 7,
    "FL": [("08:00", "20:00")] * 7,
    "WA": [("08:00", "20:00")] * 7,
    "OK": [("08:00", "20:00")] * 7,
    "MD": [("08:00", "20:00")] * 7,
    "NJ": [("08:00", "20:00")] * 7,
    "MS": [("08:00", "20:00")] * 7,
    "CT": [("09:00", "20:00")] * 7,
    "TX": [("09:00", "21:00")] * 6 + [("12:00", "21:00")],
    "RI": [("09:00", "18:00")] * 5 + [("10:00", "17:00")] * 2,
}


def allowed_there(zone: str, state: str | None, moment: datetime) -> bool:
    local = moment.astimezone(ZoneInfo(zone))
    tables = [TABLE[""]]
    if state in TABLE and not (state == "TX" and local.date() < date(2025, 9, 1)):
        tables.append(TABLE[state])
    return all(
        time.fromisoformat(hours[local.weekday()][0])
        <= local.time()
        < time.fromisoformat(hours[local.weekday()][1])
        for hours in tables
    )


def anyone(**known: object) -> Recipient:
    return Recipient(**{"phone": NEW_YORK_PHONE, "consent": AGREED, **known})  # type: ignore[arg-type]


def local(zone: str, text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


ZONES = (
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Phoenix",
    "America/Los_Angeles",
    "America/Anchorage",
    "Pacific/Honolulu",
    "America/St_Johns",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Australia/Adelaide",
    "Europe/London",
    "Pacific/Chatham",
    "America/Sao_Paulo",
    "Africa/Cairo",
)
STATES = (*[name for name in TABLE if name], "NY", "CA", "Texas", "rhode island")
moments = st.datetimes(
    datetime(2024, 1, 1),  # noqa: DTZ001 hypothesis adds the zone
    datetime(2027, 12, 31),  # noqa: DTZ001
    timezones=st.just(UTC),
)
# Around both changes of the clock, the year's end, and the day Texas changed.
delicate = st.sampled_from(
    [
        datetime(2026, 3, 8, 10, tzinfo=UTC),
        datetime(2026, 11, 1, 9, tzinfo=UTC),
        datetime(2026, 3, 29, 1, tzinfo=UTC),
        datetime(2026, 10, 25, 1, tzinfo=UTC),
        datetime(2026, 4, 4, 15, tzinfo=UTC),
        datetime(2026, 10, 3, 15, 30, tzinfo=UTC),
        datetime(2026, 1, 1, 5, tzinfo=UTC),
        datetime(2025, 9, 1, 5, tzinfo=UTC),
    ]
).flatmap(lambda at: st.integers(-2880, 2880).map(lambda n: at + n * MINUTE))


def candidates(recipient: Recipient) -> list[tuple[str, str | None]]:
    """Every zone and state that the recipient may be in."""
    places = places_of(NEW_YORK_PHONE, recipient.time_zone, recipient.state, recipient.postal_code)
    return [(place.zone, None if place.rules_of == "US" else place.rules_of) for place in places]


@settings(max_examples=150, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    state=st.sampled_from(STATES),
    now=moments | delicate,
    seconds=st.integers(0, 59),
)
@example(
    zone="America/Chicago",
    state="TX",
    now=datetime(2026, 11, 22, 14, tzinfo=UTC),
    seconds=0,
)
def test_a_text_goes_only_when_allowed_and_waits_no_minute_longer(
    zone: str, state: str, now: datetime, seconds: int
) -> None:
    now = now.replace(second=seconds)
    recipient = anyone(time_zone=zone, state=state)
    code = {"Texas": "TX", "rhode island": "RI"}.get(state, state)
    decision = decide(recipient, now)
    assert isinstance(decision, Send | Defer)
    assert isinstance(decision, Send) == allowed_there(zone, code, now)
    if isinstance(decision, Defer):
        assert allowed_there(zone, code, decision.until)
        assert decide(recipient, decision.until) == Send()
        minute = now.replace(second=0) + MINUTE
        while minute < decision.until:
            assert not allowed_there(zone, code, minute)
            minute += MINUTE


@settings(max_examples=40, deadline=None)
@given(
    zone=st.none() | st.sampled_from(ZONES[:7]),
    state=st.none() | st.sampled_from(["TN", "TX", "FL", "OR"]),
    zip_code=st.none() | st.sampled_from(["02903", "33101", "10001", "00000", "nonsense"]),
    now=moments | delicate,
)
def test_every_candidate_place_must_allow(
    zone: str | None, state: str | None, zip_code: str | None, now: datetime
) -> None:
    recipient = anyone(time_zone=zone, state=state, postal_code=zip_code)
    where = candidates(recipient)
    decision = decide(recipient, now)
    assert isinstance(decision, Send | Defer)
    assert isinstance(decision, Send) == all(allowed_there(*place, now) for place in where)
    if isinstance(decision, Defer):
        assert all(allowed_there(*place, decision.until) for place in where)
        step = now.replace(second=0, microsecond=0) + 7 * MINUTE
        while step < decision.until:
            assert not all(allowed_there(*place, step) for place in where)
            step += 7 * MINUTE


@settings(max_examples=100, deadline=None)
@given(
    now=moments | delicate,
    ages=st.lists(st.integers(0, 60 * 30), max_size=6),
)
def test_florida_gets_at_most_three_in_any_24_hours(now: datetime, ages: list[int]) -> None:
    recent = tuple(now - age * MINUTE for age in ages)
    recipient = anyone(time_zone="America/New_York", state="FL", recent=recent)
    decision = decide(recipient, now)

    def counted(at: datetime) -> int:
        return sum(at - timedelta(hours=24) < sent <= at for sent in recent)

    def fine(at: datetime) -> bool:
        return counted(at) < 3 and allowed_there("America/New_York", "FL", at)

    assert isinstance(decision, Send) == fine(now)
    if isinstance(decision, Defer):
        assert fine(decision.until)
        step = now + 11 * MINUTE
        while step < decision.until:
            assert not fine(step)
            step += 11 * MINUTE


@pytest.mark.parametrize(
    ("state", "zone", "now", "until"),
    [
        ("TX", "America/Chicago", "2026-11-22T11:59", "2026-11-22T12:00"),
        ("TX", "America/Chicago", "2026-11-21T21:00", "2026-11-22T12:00"),
        ("TX", "America/Chicago", "2025-08-31T08:30", None),
        ("TX", "America/Chicago", "2025-09-01T08:30", "2025-09-01T09:00"),
        ("RI", "America/New_York", "2026-11-20T18:00", "2026-11-21T10:00"),
        ("RI", "America/New_York", "2026-11-22T17:00", "2026-11-23T09:00"),
        ("CT", "America/New_York", "2026-12-31T20:00", "2027-01-01T09:00"),
        ("NY", "America/New_York", "2026-12-31T23:59", "2027-01-01T08:00"),
        ("NY", "America/New_York", "2026-03-08T01:59", "2026-03-08T08:00"),
        ("NY", "America/New_York", "2026-11-01T00:00", "2026-11-01T08:00"),
        ("NY", "America/St_Johns", "2026-03-07T21:00", "2026-03-08T08:00"),
        ("NY", "America/New_York", "2026-06-01T20:59", None),
    ],
)
def test_known_cases(state: str, zone: str, now: str, until: str | None) -> None:
    decision = decide(anyone(time_zone=zone, state=state), local(zone, now))
    if until is None:
        assert decision == Send()
    else:
        assert isinstance(decision, Defer)
        assert decision.until == local(zone, until)
        assert decision.reason == "quiet_hours"


def test_an_opening_time_that_the_clock_skips_is_the_instant_of_the_jump() -> None:
    jump = datetime(2026, 3, 8, 7, tzinfo=UTC)
    assert instants_of(date(2026, 3, 8), time(2, 30), "America/New_York") == (jump,)
    lord_howe = datetime(2026, 10, 3, 15, 30, tzinfo=UTC)
    assert instants_of(date(2026, 10, 4), time(2, 15), "Australia/Lord_Howe") == (lord_howe,)


def test_an_opening_time_that_comes_twice_is_two_instants() -> None:
    first = datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    both = (first, first + timedelta(hours=1))
    assert instants_of(date(2026, 11, 1), time(1, 30), "America/New_York") == both


def test_the_users_own_zone_and_state_win_over_the_number() -> None:
    nine_in_honolulu = local("Pacific/Honolulu", "2026-06-01T09:00")
    assert decide(anyone(time_zone="Pacific/Honolulu", state="HI"), nine_in_honolulu) == Send()
    eight_in_new_york = local("America/New_York", "2026-06-01T08:00")
    assert isinstance(
        decide(anyone(time_zone="Pacific/Honolulu", state="HI"), eight_in_new_york), Defer
    )


def test_a_zip_code_stands_in_for_a_missing_state() -> None:
    sunday_nine = local("America/Chicago", "2026-11-22T09:00")
    decision = decide(anyone(time_zone="America/Chicago", postal_code="78701-1234"), sunday_nine)
    assert isinstance(decision, Defer)
    assert decision.rule_id == "hours-tx-2025"
    illinois = anyone(time_zone="America/Chicago", postal_code="60601")
    assert decide(illinois, sunday_nine) == Send()


def test_without_a_state_the_strictest_state_on_that_clock_counts() -> None:
    saturday_half_past_five = local("America/New_York", "2026-11-21T17:30")
    decision = decide(anyone(time_zone="America/New_York"), saturday_half_past_five)
    assert isinstance(decision, Defer)
    assert "RI" in states_on_clock("America/New_York")
    assert "RI" not in states_on_clock("America/Chicago")
    assert states_on_clock("US/Eastern") == states_on_clock("America/New_York")
    assert states_on_clock("Europe/London") == ()


def test_a_number_that_may_ring_anywhere_waits_for_an_hour_that_suits_all() -> None:
    toll_free = "+18005550123"
    zones = {place.zone for place in places_of(toll_free, None, None, None)}
    assert {"America/New_York", "Pacific/Honolulu", "Pacific/Guam"} <= zones
    now = local("America/New_York", "2026-06-01T10:00")
    decision = decide(Recipient(toll_free, consent=AGREED), now)
    assert not isinstance(decision, Send)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"phone": None}, "no_phone"),
        ({"phone": "  "}, "no_phone"),
        ({"phone": "12345"}, "invalid_phone"),
        ({"phone": "call me"}, "invalid_phone"),
        ({"consent": None}, "no_consent"),
        ({"consent": Consent(AGREED.given_at, None, "I agree")}, "consent_incomplete"),
        ({"consent": Consent(AGREED.given_at, "web", " ")}, "consent_incomplete"),
        ({"consent": Consent(datetime(2030, 1, 1, tzinfo=UTC), "web", "ok")}, "consent_later"),
        ({"suppressed": "keyword-stop"}, "opted_out"),
    ],
)
def test_who_gets_no_text_at_all(changes: dict[str, object], reason: str) -> None:
    noon = local("America/New_York", "2026-06-01T12:00")
    decision = decide(anyone(state="NY", **changes), noon)
    assert isinstance(decision, Suppress)
    assert decision.reason == reason


def test_the_suppression_list_comes_before_everything_else() -> None:
    night = local("America/New_York", "2026-06-01T03:00")
    decision = decide(Recipient(None, suppressed="keyword-stop"), night)
    assert decision == Suppress("opted_out", "keyword-stop")


def test_numbers_are_compared_in_one_form() -> None:
    forms = ("(212) 555-0123", "212-555-0123", "+1 212 555 0123", "1 212 555 0123")
    assert {normalised_phone(form, "US") for form in forms} == {NEW_YORK_PHONE}
    assert normalised_phone("020 7946 0018", "GB") == "+442079460018"


@given(st.text(max_size=30))
def test_no_text_in_place_of_a_number_breaks_the_decision(phone: str) -> None:
    decision = decide(anyone(phone=phone), datetime(2026, 6, 1, 16, tzinfo=UTC))
    assume(not isinstance(decision, Send | Defer))
    assert isinstance(decision, Suppress)


def test_the_packages_data_is_the_published_table() -> None:
    for state, hours in TABLE.items():
        rule = rules().hours_on(state or "US", date(2026, 1, 1))
        assert rule is not None
        assert rule.source
        for weekday in range(len(WEEKDAYS)):
            assert tuple(at.strftime("%H:%M") for at in rule.windows[weekday]) == hours[weekday]
    assert rules().hours_on("TX", date(2025, 8, 31)) is None
