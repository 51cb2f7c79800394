"""What is due goes out once, when every rule allows it at that very moment."""

from __future__ import annotations

import sqlite3
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from conversion_platform.errors import MessagingError
from conversion_platform.messaging import Ledger, replay_day, send_due
from conversion_platform.messaging.consent import Consent, Recipient, Send, decide
from conversion_platform.messaging.providers.base import (
    Accepted,
    Outgoing,
    ProviderRefusedError,
)
from conversion_platform.messaging.providers.sandbox import Sandbox
from conversion_platform.settings import SandboxSection
from conversion_platform_tests.messaging.conftest import Office, OpenOffice
from conversion_platform_tests.messaging.world import (
    AGREED,
    DAY,
    TEN_IN_NEW_YORK,
    everyone,
    later,
    person,
    phone,
)


class Breaking(Sandbox):
    """A sandbox whose line breaks at the n-th text, before or after the provider has it."""

    def __init__(self, office: Office, at: int, after: bool) -> None:
        path = office.ledger.path.with_name("sandbox.sqlite")
        super().__init__(path, office.settings.messaging.sandbox)
        self._left = at
        self._after = after

    def send(self, message: Outgoing) -> Accepted:
        self._left -= 1
        if self._left == 0 and not self._after:
            raise ConnectionResetError
        accepted = super().send(message)
        if self._left == 0:
            raise ConnectionResetError
        return accepted


class Refusing(Sandbox):
    """A sandbox that refuses with given codes first."""

    def __init__(self, office: Office, *refusals: ProviderRefusedError) -> None:
        path = office.ledger.path.with_name("sandbox.sqlite")
        super().__init__(path, SandboxSection(fail_share=0.0, stop_share=0.0))
        self._refusals = list(refusals)

    def send(self, message: Outgoing) -> Accepted:
        if self._refusals:
            raise self._refusals.pop(0)
        return super().send(message)


BUSY = ProviderRefusedError("20429", "too many requests", permanent=False)
UNKNOWN_NUMBER = ProviderRefusedError("21211", "no such number", permanent=True)


def test_a_text_goes_through_every_state_in_order(office: Office) -> None:
    office.plan(person(1))
    assert office.send(TEN_IN_NEW_YORK).sent == 1
    assert office.history("u000001") == ["planned", "sending", "sent"]
    office.receive(later(minutes=2))
    assert office.history("u000001") == ["planned", "sending", "sent", "delivered"]
    assert len(office.texts_to(phone(1))) == 1


def test_nothing_goes_before_its_time(office: Office) -> None:
    office.plan(person(1))
    assert office.send(later(seconds=-1)).sent == 0
    assert office.send(later(seconds=0)).sent == 1


def test_a_text_in_quiet_hours_waits_for_the_first_minute_that_is_allowed(office: Office) -> None:
    early = person(1, time_zone="America/Los_Angeles", state="CA")
    office.plan(early)
    summary = office.send(TEN_IN_NEW_YORK)
    assert (summary.sent, summary.deferred) == (0, 1)
    row = office.message("u000001")
    assert (row["state"], row["reason"]) == ("deferred", "quiet_hours")
    assert row["rule_id"] == "hours-federal"
    assert row["due_at"] == "2026-03-10T15:00:00.000000+00:00"
    assert office.send(later(minutes=59)).sent == 0
    assert office.send(later(hours=1)).sent == 1


def test_a_text_that_would_wait_past_its_day_expires(office: Office) -> None:
    late = person(1, state="RI", send_at=datetime(2026, 3, 10, 22, 30, tzinfo=UTC))
    office.plan(late)
    assert office.replay().expired == 1
    row = office.message("u000001")
    assert (row["state"], row["reason"], row["rule_id"]) == ("expired", "quiet_hours", "hours-ri")
    assert office.provider.outbox() == []


def test_a_day_that_is_over_is_never_texted_for(office: Office) -> None:
    office.plan(*everyone(3))
    next_noon = later(days=1, hours=2)
    assert office.send(next_noon).expired == 3
    assert office.provider.outbox() == []
    assert office.message("u000000")["reason"] == "day_over"


def test_who_opted_out_after_the_plan_gets_no_text(office: Office) -> None:
    office.plan(person(1), person(2))
    office.provider.receive_reply(phone(1), "please stop texting me", later(minutes=-5), "r1")
    summary = office.send(TEN_IN_NEW_YORK)
    assert (summary.sent, summary.suppressed) == (1, {"opted_out": 1})
    assert office.message("u000001")["rule_id"] == "wording-stop"


def test_consent_withdrawn_in_the_source_counts_for_a_text_that_waits(office: Office) -> None:
    office.plan(person(1, send_at=later(hours=2)), person(2))
    office.plan(person(1, send_at=later(hours=2), consent_at=None), person(2))
    assert office.message("u000001")["reason"] == "no_consent"


def test_a_number_blocked_by_the_carrier_is_taken_for_an_opt_out(office: Office) -> None:
    office.provider.receive_reply(phone(1), "STOP", later(days=-30), "long ago")
    office.provider.acknowledge(office.provider.poll(later(days=-1), 10))
    office.plan(person(1))
    assert office.send(TEN_IN_NEW_YORK).suppressed == {"carrier_opt_out": 1}
    assert office.ledger.suppression(phone(1)) == "carrier-21610"
    assert office.history("u000001") == ["planned", "sending", "suppressed"]


def test_florida_gets_no_fourth_text_within_24_hours(office: Office) -> None:
    shared = {"phone": phone(9), "state": "FL"}
    office.plan(*(person(number, **shared) for number in range(5)))
    summary = office.send(TEN_IN_NEW_YORK)
    assert (summary.sent, summary.expired) == (3, 2)
    assert office.ledger.counts()["sent"] == 3
    # 24 hours later is a day that their assignment is not for.
    row = office.message("u000001")
    rules = {office.message(f"u00000{n}")["rule_id"] for n in range(5)} - {None}
    assert rules == {"frequency-fl"}, row


def test_a_busy_provider_is_tried_again_later_and_later(office: Office) -> None:
    office.plan(person(1))
    provider = Refusing(office, BUSY, BUSY)
    replayed = replay_day(office.ledger, provider, office.settings, DAY)
    assert (replayed.sent, replayed.retried) == (1, 2)
    assert office.message("u000001")["sent_at"] == "2026-03-10T14:03:00.000000+00:00"
    provider.close()


def test_a_refused_text_keeps_its_waiting_time_and_its_words_when_its_day_is_planned_again(
    office: Office,
) -> None:
    office.plan(person(1))
    provider = Refusing(office, BUSY)
    send_due(office.ledger, provider, office.settings, TEN_IN_NEW_YORK)
    refused = office.message("u000001")
    office.plan(person(1, job_id="j2"))
    assert office.message("u000001") == refused
    assert refused["due_at"] == "2026-03-10T14:01:00.000000+00:00"
    provider.close()


def test_a_provider_that_stays_busy_fails_the_text(office: Office) -> None:
    office.plan(person(1))
    provider = Refusing(office, *[BUSY] * 5)
    assert replay_day(office.ledger, provider, office.settings, DAY).failed == 1
    assert office.message("u000001")["rule_id"] == "carrier-20429"
    provider.close()


def test_a_refusal_for_good_fails_the_text_at_once(office: Office) -> None:
    office.plan(person(1), person(2))
    provider = Refusing(office, UNKNOWN_NUMBER)
    summary = send_due(office.ledger, provider, office.settings, TEN_IN_NEW_YORK)
    assert (summary.sent, summary.failed) == (1, 1)
    provider.close()


@pytest.mark.parametrize("after", [False, True], ids=["before it left", "after it left"])
@pytest.mark.parametrize("at", [1, 2, 5, 9, 10])
def test_a_line_that_breaks_loses_nothing_and_sends_nothing_twice(
    office: Office, at: int, after: bool
) -> None:
    office.plan(*everyone(10))
    broken = Breaking(office, at, after)
    with pytest.raises(ConnectionResetError):
        send_due(office.ledger, broken, office.settings, TEN_IN_NEW_YORK)
    broken.close()
    assert office.ledger.counts()["sending"] == 11 - at
    summary = office.send(later(minutes=1))
    assert summary.recovered == 11 - at
    assert office.provider.duplicates() == 0
    assert Counter(text.phone for text in office.provider.outbox()) == Counter(
        phone(number) for number in range(10)
    )
    assert set(office.ledger.counts()) <= {"sent", "delivered"}


def test_a_clock_that_reaches_the_quiet_hour_stops_a_long_sending(office: Office) -> None:
    evening = datetime(2026, 3, 11, 0, 59, tzinfo=UTC)
    office.plan(*everyone(1200, state="NY", send_at=evening))
    times = iter([evening, *[evening + timedelta(minutes=1)] * 9])
    summary = send_due(
        office.ledger, office.provider, office.settings, evening, clock=lambda: next(times)
    )
    assert (summary.sent, summary.expired) == (500, 700)


def test_a_replayed_day_goes_by_each_recipients_clock(office: Office) -> None:
    zones = {
        1: ("America/New_York", "NY", 14),
        2: ("America/Chicago", "IL", 15),
        3: ("America/Los_Angeles", "CA", 17),
        4: ("Pacific/Honolulu", "HI", 20),
    }
    people = [
        person(n, time_zone=zone, state=state, send_at=datetime(2026, 3, 10, hour, tzinfo=UTC))
        for n, (zone, state, hour) in zones.items()
    ]
    office.plan(*people)
    assert office.replay().sent == 4
    for number, (_, _, hour) in zones.items():
        row = office.message(f"u00000{number}")
        assert row["sent_at"] == f"2026-03-10T{hour}:00:00.000000+00:00"
        assert row["state"] == "delivered"
        assert str(row["delivered_at"]) < str(row["expires_at"])


def test_replaying_a_day_again_changes_nothing(open_office: OpenOffice) -> None:
    office = open_office("[messaging.sandbox]\nfail_share = 0.2\nstop_share = 0.3\n")
    office.plan(*everyone(60))
    office.replay()
    before = [tuple(row) for row in office.ledger.rows("SELECT * FROM message_states")]
    assert office.replay().sent == 0
    assert before == [tuple(row) for row in office.ledger.rows("SELECT * FROM message_states")]


def test_replay_is_for_the_replay_clock_only(open_office: OpenOffice) -> None:
    office = open_office(clock="wall")
    office.plan(person(1))
    with pytest.raises(MessagingError, match="a day that is over"):
        office.replay()


def test_whatever_was_sent_was_allowed_at_that_moment(open_office: OpenOffice) -> None:
    office = open_office("[messaging.sandbox]\nstop_share = 0.4\n")
    states = ("TX", "RI", "FL", "CT", None, "CA")
    zones = ("America/New_York", "America/Los_Angeles", None, "Pacific/Honolulu")
    people = [
        person(n, state=states[n % 6], time_zone=zones[n % 4], send_at=later(hours=n % 15 - 4))
        for n in range(180)
    ]
    office.plan(*people)
    office.replay()
    by_id = {one.user_id: one for one in people}
    sent = list(office.ledger.rows("SELECT * FROM messages WHERE sent_at IS NOT NULL"))
    assert len(sent) > 60
    for row in sent:
        one = by_id[row["user_id"]]
        recipient = Recipient(
            one.phone,
            time_zone=one.time_zone,
            state=one.state,
            consent=Consent(AGREED, "web", "ok"),
        )
        assert decide(recipient, datetime.fromisoformat(row["sent_at"])) == Send()
        assert row["sent_at"] >= row["send_at"]
        assert row["sent_at"] < row["expires_at"]


def test_the_file_itself_refuses_a_move_that_the_state_machine_does_not_have(
    office: Office,
) -> None:
    office.plan(person(1))
    office.replay()
    for move in (
        "UPDATE messages SET state = 'planned'",
        "UPDATE messages SET state = 'sent'",
        "DELETE FROM messages",
        "UPDATE message_states SET at = ''",
        "DELETE FROM message_states",
    ):
        with pytest.raises(MessagingError), office.ledger.transaction() as con:
            con.execute(move)
    assert office.history("u000001")[-1] == "delivered"


def test_only_one_process_sends_at_a_time(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conversion_platform.messaging.ledger.BUSY_SECONDS", 0.05)
    office.plan(person(1))
    with (
        Ledger(office.ledger.path) as other,
        other.exclusive(),
        pytest.raises(MessagingError, match="locked"),
    ):
        office.send(TEN_IN_NEW_YORK)
    assert office.send(TEN_IN_NEW_YORK).sent == 1


def test_a_damaged_ledger_says_what_to_do(office: Office) -> None:
    path = office.ledger.path.with_name("damaged.sqlite")
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(MessagingError, match="backup"):
        Ledger(path)


def test_a_ledger_of_a_newer_version_is_left_alone(office: Office) -> None:
    path = office.ledger.path.with_name("newer.sqlite")
    con = sqlite3.connect(path)
    con.execute("PRAGMA user_version = 99")
    con.close()
    with pytest.raises(MessagingError, match="newer"):
        Ledger(path)


def test_a_disk_that_fills_up_loses_nothing_and_sends_nothing_twice(office: Office) -> None:
    people = everyone(3000)
    office.plan(*people[:200])
    with office.ledger.transaction() as con:
        pages = con.execute("PRAGMA page_count").fetchone()[0]
        con.execute(f"PRAGMA max_page_count = {pages + 3}")
    with pytest.raises(MessagingError, match="full") as caught:
        office.plan(*people)
    assert "Free space" in caught.value.remedy
    with pytest.raises(MessagingError, match="full"):
        office.replay()
    with office.ledger.transaction() as con:
        con.execute("PRAGMA max_page_count = 1000000")
    office.plan(*people)
    office.replay()
    assert office.ledger.counts() == {"delivered": 3000}
    assert office.provider.duplicates() == 0
    assert len(office.provider.outbox()) == 3000
