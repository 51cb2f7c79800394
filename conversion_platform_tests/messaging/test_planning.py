"""A plan is one unique row for each treated assignment, before anything leaves."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from conversion_platform.days import ONE_DAY, DayRange
from conversion_platform.errors import MessagingError, NotReadyError, SettingsError
from conversion_platform.messaging import (
    Ledger,
    plan_messages,
    suppression_warning,
    told_suppressions,
)
from conversion_platform_tests.messaging.conftest import Office, OpenOffice
from conversion_platform_tests.messaging.world import (
    AGREED,
    DAY,
    JOBS_SHOWN,
    TEN_IN_NEW_YORK,
    assign,
    everyone,
    person,
    phone,
    put,
    show,
)
from conversion_platform_tests.snapshots import keep


def test_the_holdout_gets_no_message(office: Office) -> None:
    summary = office.plan(person(1), person(2, arm="holdout"))
    assert (summary.assigned, summary.planned) == (1, 1)
    office.replay()
    assert office.texts_to(phone(2)) == []
    assert sum(office.ledger.counts().values()) == 1


def test_a_plan_made_twice_is_made_once(office: Office) -> None:
    people = everyone(20)
    first = office.plan(*people)
    again = office.plan(*people)
    assert (first.planned, first.already) == (20, 0)
    assert (again.planned, again.already) == (0, 20)
    office.replay()
    assert office.plan(*people).already == 20
    office.replay()
    assert len(office.provider.outbox()) == 20


def test_who_may_not_be_texted_is_suppressed_with_its_reason(office: Office) -> None:
    summary = office.plan(
        person(1, consent_at=None),
        person(2, phone=None),
        person(3, phone="12"),
        person(4, consent_text=None),
        person(5, consent_at=AGREED + timedelta(days=365)),
    )
    assert summary.planned == 0
    assert summary.suppressed == {
        "consent_incomplete": 1,
        "consent_later": 1,
        "invalid_phone": 1,
        "no_consent": 1,
        "no_phone": 1,
    }
    office.replay()
    assert office.provider.outbox() == []
    assert office.message("u000001")["rule_id"] == "consent-on-record"


def test_a_suppression_outlives_a_reimport_of_the_users(office: Office) -> None:
    office.ledger.suppress(phone(1), TEN_IN_NEW_YORK, "stop", "keyword-stop")
    written = phone(1).removeprefix("+1")
    renamed = person(1, user_id="another", phone=f"({written[:3]}) {written[3:6]}-{written[6:]}")
    assert office.plan(renamed).suppressed == {"opted_out": 1}


def test_nothing_is_planned_when_a_template_is_wrong(open_office: OpenOffice) -> None:
    office = open_office('[cohorts.everyone]\n[cohorts.nurses]\ntemplate = "{{ tilte }} STOP"\n')
    with pytest.raises(SettingsError, match="nurses"):
        office.plan(person(1))
    assert office.ledger.counts() == {}


def test_a_day_without_assignments_is_not_ready(office: Office) -> None:
    put(office.session, [person(1)])
    with pytest.raises(NotReadyError, match="job_of_the_day"):
        plan_messages(office.session, office.ledger, DAY + ONE_DAY)


def test_a_planned_text_follows_its_assignment_until_it_is_under_way(office: Office) -> None:
    office.plan(person(1), person(2))
    summary = office.plan(person(1, job_id="j2"))
    assert summary.withdrawn == 1
    assert office.message("u000001")["job_id"] == "j2"
    assert "Cook" in str(office.message("u000001")["body"])
    assert office.message("u000002")["reason"] == "withdrawn"


def test_a_deferred_text_goes_to_the_number_and_place_on_record_when_planned_again(
    open_office: OpenOffice,
) -> None:
    office = open_office(clock="wall")
    early = TEN_IN_NEW_YORK - timedelta(hours=4)
    office.plan(person(1, send_at=early))
    assert office.send(early).deferred == 1
    moved = {"phone": "+12135550103", "time_zone": "America/Los_Angeles", "state": "CA"}
    office.plan(person(1, send_at=early, **moved))
    assert office.send(TEN_IN_NEW_YORK).sent == 0, "seven in the morning in Los Angeles"
    assert office.send(TEN_IN_NEW_YORK + timedelta(hours=3)).sent == 1
    assert office.texts_to(phone(1)) == []
    assert len(office.texts_to("+12135550103")) == 1


def test_a_deferred_text_keeps_its_hour_when_it_is_planned_again(open_office: OpenOffice) -> None:
    office = open_office(clock="wall")
    early = TEN_IN_NEW_YORK - timedelta(hours=4)
    office.plan(person(1, send_at=early))
    office.send(early)
    before = office.message("u000001")
    office.plan(person(1, send_at=early))
    assert office.message("u000001") == before


def test_a_text_whose_number_is_no_longer_on_record_does_not_go(office: Office) -> None:
    office.plan(person(1))
    with office.ledger.transaction() as con:  # as the plan of another day does
        con.execute("UPDATE recipients SET phone = '+12135550103'")
    office.replay()
    assert office.provider.outbox() == []
    assert office.message("u000001")["reason"] == "phone_changed"


def test_a_job_without_the_value_that_the_template_prints_is_not_texted(office: Office) -> None:
    office.plan(person(1))
    office.plan(person(1, job_id="j3"), person(2, job_id="j3"))
    assert office.message("u000001")["reason"] == "missing_value"
    assert office.message("u000002")["reason"] == "missing_value"


@pytest.mark.parametrize(
    "column", ["left_at", "phone", "time_zone", "state", "consent_at", "valid_from"]
)
def test_a_user_whose_cell_about_sending_cannot_be_read_is_not_texted(
    office: Office, column: str
) -> None:
    office.plan(person(1, unread_columns=f"region|{column}"), person(2, unread_columns="region"))
    assert office.message("u000001")["reason"] == "unread_cell"
    assert office.message("u000002")["state"] == "planned"


def test_the_newest_number_and_consent_count_and_the_words_are_those_of_the_day(
    office: Office,
) -> None:
    put(office.session, [person(1), person(2), person(3), person(4)])
    dearer = [{"job_id": "j1", "title": "Chief Barista", "pay": 99.0}]
    now = [person(1, phone=phone(9)), person(2, consent_at=None), person(3, left_at=AGREED)]
    show(office.session, now, dearer)
    summary = plan_messages(office.session, office.ledger, DAY)
    assert summary.suppressed == {"no_consent": 1, "no_phone": 1, "user_left": 1}
    planned = office.message("u000001")
    assert planned["phone"] == phone(9)
    assert "Barista" in str(planned["body"]) and "Chief" not in str(planned["body"])


@pytest.mark.parametrize(
    ("closed_at", "reason"),
    [
        (TEN_IN_NEW_YORK - timedelta(days=3), "job_closed"),
        (TEN_IN_NEW_YORK, "job_closed"),
        (TEN_IN_NEW_YORK + timedelta(seconds=1), None),
        (None, None),
    ],
)
def test_a_job_that_has_closed_meanwhile_is_not_texted(
    office: Office, closed_at: datetime | None, reason: str | None
) -> None:
    put(office.session, [person(1), person(2, job_id="j2")])
    show(office.session, [person(1), person(2)], [{**JOBS_SHOWN[0], "closed_at": closed_at}])
    plan_messages(office.session, office.ledger, DAY)
    assert office.message("u000001")["reason"] == reason
    # The source does not show the other job any more.
    assert office.message("u000002")["reason"] == "job_closed"


def test_a_text_that_is_planned_again_tells_the_distance_that_the_day_saw(
    open_office: OpenOffice,
) -> None:
    """User and job have moved since: the text stays the same, and goes to the newest number."""
    office = open_office("[cohorts.everyone]\ntemplate = '{{ distance_km }} km. STOP'\n")
    near = {"latitude": 40.0, "longitude": -74.0}
    job = {"job_id": "j1", **near}
    show(office.session, [person(1, **near | {"latitude": 40.09})], [job])
    keep(office.session)
    assign(office.session, [person(1)])
    plan_messages(office.session, office.ledger, DAY)
    assert str(office.message("u000001")["body"]).startswith("10 km.")
    moved = [person(1, phone=phone(2), **near | {"latitude": 41.0})]
    show(office.session, moved, [{**job, "latitude": 43.0}])
    plan_messages(office.session, office.ledger, DAY)
    again = office.message("u000001")
    assert str(again["body"]).startswith("10 km.")
    assert again["phone"] == phone(2)


def test_a_sent_text_stays_what_it_was(office: Office) -> None:
    office.plan(person(1))
    office.replay()
    sent = office.message("u000001")
    office.plan(person(1, job_id="j2"), person(2))
    office.plan(person(2))
    assert office.message("u000001") == sent


def test_a_text_of_too_many_parts_is_not_sent(open_office: OpenOffice) -> None:
    office = open_office(f'[cohorts.everyone]\ntemplate = "{"long " * 100} STOP"\n')
    assert office.plan(person(1)).suppressed == {"too_long": 1}
    assert office.message("u000001")["segments"] == 4


def test_the_number_of_parts_is_in_the_plan(open_office: OpenOffice) -> None:
    office = open_office(f'[cohorts.everyone]\ntemplate = "{"word " * 40} STOP"\n')
    office.plan(person(1))
    assert office.message("u000001")["segments"] == 2


def test_the_day_of_a_text_ends_where_the_recipient_is(office: Office) -> None:
    honolulu = person(1, time_zone="Pacific/Honolulu", state="HI")
    nowhere = person(2, time_zone=None, state="TN")
    office.plan(honolulu, nowhere, replace(person(3), time_zone=None, state=None))
    assert office.message("u000001")["expires_at"] == "2026-03-11T10:00:00.000000+00:00"
    assert office.message("u000002")["expires_at"] == "2026-03-11T04:00:00.000000+00:00"


def test_a_suppressed_text_is_decided_again_only_when_asked(office: Office) -> None:
    office.plan(person(1, consent_text=None), person(2, consent_at=None), person(3))
    right = (person(1), person(2, phone=None), person(3))
    assert office.plan(*right).replanned == 0
    assert office.message("u000001")["state"] == "suppressed"
    summary = office.replan(*right)
    assert (summary.replanned, summary.already) == (1, 2)
    assert office.history("u000001") == ["suppressed", "planned"]
    first = office.message("u000001")
    assert (first["reason"], first["rule_id"]) == ("decided_again", "replanned")
    assert first["final_at"] is None and first["body"]
    assert office.history("u000002") == ["suppressed", "suppressed"]
    assert office.message("u000002")["reason"] == "no_phone"
    assert office.history("u000003") == ["planned"]
    office.replay()
    assert len(office.texts_to(phone(1))) == 1


def test_what_is_decided_again_alike_leaves_no_trace(office: Office) -> None:
    office.plan(person(1, consent_at=None))
    assert office.replan(person(1, consent_at=None)).replanned == 0
    assert office.history("u000001") == ["suppressed"]


def test_a_number_on_the_suppression_list_stays_suppressed(office: Office) -> None:
    office.ledger.suppress(phone(1), TEN_IN_NEW_YORK, "stop", "keyword-stop")
    office.plan(person(1))
    assert office.replan(person(1)).replanned == 0
    office.replay()
    assert office.texts_to(phone(1)) == []


def test_a_text_that_left_is_not_repeated_when_the_day_is_planned_again(office: Office) -> None:
    office.plan(*everyone(20))
    office.replay()
    assert office.replan(*everyone(20)).replanned == 0
    office.replay()
    assert all(len(office.texts_to(phone(number))) == 1 for number in range(20))


def test_what_the_provider_was_given_cannot_be_planned_again(office: Office) -> None:
    office.plan(person(1))
    with office.ledger.transaction() as con:
        con.execute("UPDATE messages SET state = 'sending', attempts = 1")
        con.execute("UPDATE messages SET state = 'suppressed'")
    refused = pytest.raises(MessagingError, match="cannot move that way")
    with refused, office.ledger.transaction() as con:
        con.execute("UPDATE messages SET state = 'planned'")
    assert office.replan(person(1)).replanned == 0


def test_a_ledger_of_the_earlier_schema_learns_the_new_move(office: Office) -> None:
    with office.ledger.transaction() as con:
        con.execute("DROP TRIGGER message_moves")
        con.execute(
            "CREATE TRIGGER message_moves BEFORE UPDATE OF state ON messages "
            "BEGIN SELECT RAISE(ABORT, 'of schema 1'); END"
        )
        con.execute("PRAGMA user_version = 1")
    office.ledger.close()
    office.ledger = Ledger(office.ledger.path)
    office.plan(person(1, consent_at=None))
    assert office.replan(person(1)).replanned == 1
    office.ledger.close()


def test_a_day_of_which_no_text_can_go_is_a_warning_with_the_reason(office: Office) -> None:
    days = DayRange.of(DAY)
    office.plan(*everyone(3, consent_text=None))
    told = "Of 3 messages of 2026-03-10, 3 are suppressed: consent_incomplete 3."
    assert told_suppressions(office.ledger, days) == told
    warning = suppression_warning(office.ledger, days)
    assert warning and "Every message of 2026-03-10 is suppressed (3), all for one" in warning
    office.plan(*everyone(3, consent_text=None), person(3, phone=None))
    warning = suppression_warning(office.ledger, days)
    assert warning and "(4), 3 for one reason: consent_incomplete" in warning
    office.plan(*everyone(3, consent_text=None), person(3, phone=None), person(4))
    assert suppression_warning(office.ledger, days) is None
    assert told_suppressions(office.ledger, DayRange.of(DAY + ONE_DAY)) is None


def test_a_template_that_fails_on_a_value_suppresses_that_text_alone(
    open_office: OpenOffice,
) -> None:
    office = open_office(
        "[cohorts.everyone]\ntemplate = '{{ 10 / (pay|float - 18.5) }} {{ title }} STOP'\n"
    )
    office.plan(person(1), person(2, job_id="j2"))
    assert office.message("u000001")["reason"] == "template_fails"
    assert office.message("u000002")["reason"] == "missing_value"
