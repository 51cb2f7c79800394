"""Receipts move texts forward; answers end the texts, and are answered once at most."""

from __future__ import annotations

from datetime import timedelta

import pytest

from conversion_platform.messaging.providers.base import Callback, Receipt, Reply
from conversion_platform.messaging.providers.sandbox import Sandbox
from conversion_platform.messaging.receiving import receive
from conversion_platform_tests.messaging.conftest import Office, OpenOffice
from conversion_platform_tests.messaging.world import TEN_IN_NEW_YORK, later, person, phone

FAREWELL = "Gigs: you will get no more texts. Reply START to undo."


class Reporting(Sandbox):
    """A sandbox that reports what the test gives it, again and again."""

    def __init__(self, office: Office, *callbacks: Callback) -> None:
        path = office.ledger.path.with_name("sandbox.sqlite")
        super().__init__(path, office.settings.messaging.sandbox)
        self._waiting = list(callbacks)

    def poll(self, now: object, limit: int) -> list[Callback]:
        reported, self._waiting = self._waiting[:limit], self._waiting[limit:]
        return reported


def said(office: Office, number: int, body: str, minutes: float, reply_id: str = "") -> None:
    at = later(minutes=minutes)
    office.provider.receive_reply(phone(number), body, at, reply_id or f"{body}{minutes}")


def sent_to(office: Office, *numbers: int) -> None:
    office.plan(*(person(number) for number in numbers))
    office.send(TEN_IN_NEW_YORK)


@pytest.mark.parametrize("body", ["no more!", "wrong number", "please stop texting me"])
def test_an_opt_out_in_words_gets_one_confirmation(office: Office, body: str) -> None:
    sent_to(office, 1)
    said(office, 1, body, 5)
    said(office, 1, body, 6)
    summary = office.receive(later(hours=1))
    assert (summary.replies, summary.suppressed, summary.notices) == ({"stop": 2}, 1, 1)
    assert office.texts_to(phone(1))[1:] == [FAREWELL]
    office.receive(later(hours=2))
    assert len(office.texts_to(phone(1))) == 2


def test_a_keyword_that_the_carrier_answers_gets_no_second_confirmation(office: Office) -> None:
    sent_to(office, 1)
    said(office, 1, "STOP", 5)
    assert office.receive(later(hours=1)).notices == 0
    texts = [text for text in office.provider.outbox() if text.phone == phone(1)]
    assert [text.message_id is None for text in texts] == [False, True]
    assert list(office.ledger.rows("SELECT * FROM notices")) == []


def test_on_the_wall_clock_a_late_confirmation_does_not_go(open_office: OpenOffice) -> None:
    office = open_office(clock="wall")
    sent_to(office, 1, 2)
    said(office, 1, "no more", 5)
    said(office, 2, "no more", 9)
    assert office.receive(later(minutes=11)).notices == 1
    assert FAREWELL in office.texts_to(phone(2))
    assert FAREWELL not in office.texts_to(phone(1))
    assert office.receive(later(minutes=12)).notices == 0


def test_what_is_unsure_suppresses_and_waits_for_a_person(office: Office) -> None:
    sent_to(office, 1)
    said(office, 1, "who is this?", 5)
    summary = office.receive(later(hours=1))
    assert (summary.suppressed, summary.notices) == (1, 0)
    (waiting,) = office.ledger.replies_for_a_person()
    assert waiting["body"] == "who is this?"
    assert office.ledger.suppression(phone(1)) is not None


def test_start_lets_texts_go_again_and_a_new_stop_ends_them_again(office: Office) -> None:
    sent_to(office, 1)
    said(office, 1, "no more", 1)
    said(office, 1, "START", 2)
    office.receive(later(minutes=3))
    assert office.ledger.suppression(phone(1)) is None
    said(office, 1, "no more please", 4)
    assert office.receive(later(minutes=5)).notices == 1
    assert office.ledger.suppression(phone(1)) == "wording-stop"


def test_a_start_from_before_the_stop_that_comes_late_lifts_nothing(office: Office) -> None:
    sent_to(office, 1)
    said(office, 1, "no more", 5)
    office.receive(later(minutes=6))
    said(office, 1, "START", 4)
    office.receive(later(minutes=7))
    assert office.ledger.suppression(phone(1)) is not None


def test_what_a_person_suppressed_only_a_person_lifts(office: Office) -> None:
    sent_to(office, 1)
    office.ledger.suppress(phone(1), TEN_IN_NEW_YORK, "person", "complaint")
    said(office, 1, "START", 5)
    office.receive(later(minutes=6))
    assert office.ledger.suppression(phone(1)) == "complaint"
    assert office.ledger.lift(phone(1), later(minutes=7), "support desk")
    assert office.ledger.suppression(phone(1)) is None


def test_a_persons_word_counts_above_an_answer_that_came_before(office: Office) -> None:
    sent_to(office, 1)
    said(office, 1, "not interested", 1)
    office.receive(later(minutes=2))
    assert office.ledger.suppress(phone(1), later(minutes=3), "person", "read-by-support")
    said(office, 1, "START", 5)
    office.receive(later(minutes=6))
    assert office.ledger.suppression(phone(1)) == "read-by-support"
    assert not office.ledger.suppress(phone(1), later(minutes=7), "stop", "keyword-stop")
    assert office.ledger.suppression(phone(1)) == "read-by-support"


def test_a_start_from_between_two_stops_that_comes_last_lifts_nothing(office: Office) -> None:
    sent_to(office, 1)
    for body, minutes in (("STOP", 2), ("STOP", 6), ("START", 4)):
        said(office, 1, body, minutes)
        office.receive(later(minutes=10))
    assert office.ledger.suppression(phone(1)) is not None


def test_help_is_answered_with_name_way_out_and_rates_once_a_day(office: Office) -> None:
    sent_to(office, 1)
    said(office, 1, "HELP", 5)
    said(office, 1, "help?", 6)
    assert office.receive(later(hours=1)).notices == 1
    (answer,) = office.texts_to(phone(1))[1:]
    assert answer.startswith("Gigs:")
    assert "STOP" in answer
    assert "Msg & data rates may apply" in answer


def test_an_opted_out_number_gets_no_help_text(office: Office) -> None:
    sent_to(office, 1)
    said(office, 1, "no more", 5)
    said(office, 1, "HELP", 6)
    assert office.receive(later(hours=1)).notices == 1
    assert office.texts_to(phone(1))[1:] == [FAREWELL]


def test_receipts_that_repeat_or_come_out_of_order_only_move_forward(office: Office) -> None:
    sent_to(office, 1)
    message_id = str(office.message("u000001")["message_id"])
    delivered = Receipt("c1", message_id, "delivered", later(minutes=1))
    failed = Receipt("c2", message_id, "failed", later(minutes=2), "30003")
    unknown = Receipt("c3", "of-nobody", "delivered", later(minutes=2))
    provider = Reporting(office, delivered, failed, delivered, unknown)
    summary = receive(office.ledger, provider, office.settings, later(hours=1))
    assert summary.receipts == {"delivered": 1, "failed": 0}
    assert office.history("u000001") == ["planned", "sending", "sent", "delivered"]
    assert office.message("u000001")["delivered_at"] == "2026-03-10T14:01:00.000000+00:00"
    provider.close()


def test_an_answer_reported_twice_is_kept_once(office: Office) -> None:
    sent_to(office, 1)
    reply = Reply("r1", phone(1), "no more", later(minutes=3))
    provider = Reporting(office, reply, reply)
    summary = receive(office.ledger, provider, office.settings, later(minutes=4))
    assert (summary.replies, summary.notices) == ({"stop": 1}, 1)
    provider.close()


def test_an_undelivered_text_says_the_carriers_code(open_office: OpenOffice) -> None:
    office = open_office("[messaging.sandbox]\nfail_share = 1.0\n")
    sent_to(office, 1)
    office.receive(later(hours=1))
    row = office.message("u000001")
    assert (row["state"], row["rule_id"]) == ("failed", "carrier-30003")
    assert row["delivered_at"] is None


def test_an_opt_out_belongs_to_the_latest_text_before_it(office: Office) -> None:
    sent_to(office, 1)
    said(office, 1, "stop it now", 30)
    office.receive(later(hours=1))
    assert office.message("u000001")["opted_out_at"] == "2026-03-10T14:30:00.000000+00:00"


def test_an_answer_from_a_stranger_is_kept_and_suppresses(office: Office) -> None:
    said(office, 77, "stop it now", 1)
    assert office.receive(later(minutes=2)).suppressed == 1
    assert office.ledger.suppression(phone(77)) == "wording-stop"


def test_a_notice_that_was_being_sent_at_a_crash_goes_once(office: Office) -> None:
    class Dying(Sandbox):
        def send(self, message: object) -> object:  # type: ignore[override]
            super().send(message)  # type: ignore[arg-type]
            raise KeyboardInterrupt

    sent_to(office, 1)
    said(office, 1, "no more", 5)
    path = office.ledger.path.with_name("sandbox.sqlite")
    dying = Dying(path, office.settings.messaging.sandbox)
    with pytest.raises(KeyboardInterrupt):
        receive(office.ledger, dying, office.settings, later(minutes=6))
    dying.close()
    assert office.receive(later(minutes=7)).notices == 0
    assert office.texts_to(phone(1))[1:] == [FAREWELL]


def test_help_is_not_given_an_hour_late_on_the_wall_clock(open_office: OpenOffice) -> None:
    office = open_office(clock="wall")
    sent_to(office, 1)
    said(office, 1, "help", 5)
    at = TEN_IN_NEW_YORK + timedelta(minutes=66)
    assert office.receive(at).notices == 0
