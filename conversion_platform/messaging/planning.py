"""Puts a day's messages into the ledger: one unique row each, before anything can leave."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from conversion_platform.applications.job_of_the_day import JOB_OF_THE_DAY
from conversion_platform.days import ONE_DAY, DayRange, day_start
from conversion_platform.lake import Session, sql_file
from conversion_platform.marketplace import (
    JOBS,
    JOBS_HISTORY,
    USERS,
    USERS_CONTACTS,
    USERS_HISTORY,
    as_of,
    normalised_phone,
    require_history,
)
from conversion_platform.messaging.consent import Consent, Recipient, Suppress, decide
from conversion_platform.messaging.ledger import Ledger, message_id_of, stamp, suppression
from conversion_platform.messaging.places import places_of
from conversion_platform.messaging.segments import count_segments
from conversion_platform.messaging.templates import (
    MissingValueError,
    TemplateFailsError,
    Templates,
)

if TYPE_CHECKING:
    from conversion_platform.settings import Settings

CAMPAIGN = "job_of_the_day"
BATCH = 5_000
KM_PER_MILE = 1.609344
TEMPLATE_COLUMNS = ("title", "pay", "category", "employer", "region", "shift")

MESSAGE_COLUMNS = (
    "message_id",
    "user_id",
    "campaign",
    "day",
    "assignment_id",
    "job_id",
    "cohort",
    "phone",
    "body",
    "segments",
    "state",
    "state_at",
    "reason",
    "rule_id",
    "send_at",
    "due_at",
    "expires_at",
    "final_at",
)
# Until it is given to the provider, a message follows its assignment and its user's record; later
# the ledger decides (and a message for a number that is no longer on record does not go).
FOLLOWING = (
    "assignment_id",
    "job_id",
    "cohort",
    "phone",
    "body",
    "segments",
    "send_at",
    "expires_at",
)
RECIPIENT_COLUMNS = (
    "user_id",
    "phone",
    "country",
    "time_zone",
    "state",
    "postal_code",
    "consent_at",
    "consent_source",
    "consent_text",
)


INSERT_MESSAGE = (
    f"INSERT INTO messages ({', '.join(MESSAGE_COLUMNS)})"
    f" VALUES ({', '.join(':' + name for name in MESSAGE_COLUMNS)}) ON CONFLICT DO NOTHING"
)
# What was put off keeps its hour; for another number it is decided anew.
FOLLOW_ASSIGNMENT = (
    f"UPDATE messages SET {', '.join(f'{name} = :{name}' for name in FOLLOWING)},"
    " due_at = CASE WHEN state = 'deferred' AND phone IS :phone"
    " THEN max(due_at, :due_at) ELSE :due_at END"
    " WHERE message_id = :message_id AND state IN ('planned', 'deferred') AND attempts = 0"
)
# Only what never left: what the provider was given is never repeated (ledger_moves.sql).
DECIDE_AGAIN = (
    f"UPDATE messages SET {', '.join(f'{name} = :{name}' for name in FOLLOWING)}, due_at = :due_at,"
    " state = :state, state_at = max(state_at, :at), reason = :reason, rule_id = :rule_id,"
    " final_at = CASE WHEN :state = 'suppressed' THEN max(state_at, :at) END"
    " WHERE message_id = :message_id AND state = 'suppressed' AND attempts = 0"
    " AND (:state = 'planned' OR reason IS NOT :reason)"
)
SUPPRESS_WAITING = (
    "UPDATE messages SET state = 'suppressed', state_at = max(state_at, :state_at),"
    " final_at = max(state_at, :state_at), reason = :reason, rule_id = :rule_id"
    " WHERE message_id = :message_id AND state IN ('planned', 'deferred')"
)
UPSERT_RECIPIENT = (
    f"INSERT OR REPLACE INTO recipients ({', '.join(RECIPIENT_COLUMNS)})"
    f" VALUES ({', '.join(':' + name for name in RECIPIENT_COLUMNS)})"
)


@dataclass(frozen=True)
class PlanSummary:
    """What planning a day did.

    Attributes:
        assigned: Rows of the treatment arm.
        planned: New messages that may go.
        suppressed: New messages that will not, by reason.
        replanned: Messages that were suppressed, and may go after they were decided about again.
        already: Other assignments whose message was in the ledger before.
        withdrawn: Messages that no assignment asks for any more.
    """

    assigned: int = 0
    planned: int = 0
    suppressed: Mapping[str, int] = field(default_factory=dict)
    replanned: int = 0
    already: int = 0
    withdrawn: int = 0


def plan_messages(
    session: Session, ledger: Ledger, day: date, replanned_at: datetime | None = None
) -> PlanSummary:
    """Plans the message of every treated assignment of `day`; the holdout gets no row.

    Planning again adds nothing, and changes a message only until it is given to the provider.

    Args:
        session: Settings, lake and DuckDB connection.
        ledger: Where the messages go.
        day: Campaign day.
        replanned_at: When suppressed messages that were never given to the provider are decided
            about again, as after a correction of settings or source; None: they stay suppressed.

    Raises:
        SettingsError: a template does not work; nothing was planned.
        NotReadyError: the day was not assigned yet.
    """
    templates = Templates(session.settings)
    session.lake.require(JOB_OF_THE_DAY, [day])
    require_history(session.lake)
    session.lake.require(USERS_CONTACTS)
    planner = Planner(session.settings, templates, day)
    _start_list(ledger)
    counts: Counter[str] = Counter()
    for rows in assigned_rows(session, session.lake.select(JOB_OF_THE_DAY, DayRange.of(day)), day):
        counts["assigned"] += len(rows)
        _insert(ledger, planner, rows, counts, replanned_at)
    return PlanSummary(
        assigned=counts["assigned"],
        planned=counts["planned"],
        suppressed={
            key.removeprefix("suppressed:"): number
            for key, number in sorted(counts.items())
            if key.startswith("suppressed:")
        },
        replanned=counts["replanned"],
        already=counts["already"],
        withdrawn=_withdraw(ledger, day, planner.planned_at),
    )


def assigned_rows(session: Session, assignments: str, day: date) -> Iterator[list[dict[str, Any]]]:
    """Yield the treatment arm of assignments, each with what decides about its message.

    Args:
        session: Settings, lake and DuckDB connection.
        assignments: SQL (a relation, or a parenthesised query) of assignments.
        day: Their day.
    """
    session.con.execute(
        f"CREATE OR REPLACE TEMP VIEW messaging_assigned AS SELECT * FROM {assignments}"
    )
    session.lake.view(session.con, USERS, name="messaging_newest_users")
    session.lake.view(session.con, USERS_CONTACTS, name="messaging_contacts")
    session.lake.view(session.con, JOBS, name="messaging_newest_jobs")
    for name, history in (("users", USERS_HISTORY), ("jobs", JOBS_HISTORY)):
        session.con.execute(
            f"CREATE OR REPLACE TEMP VIEW messaging_{name}_of_day AS "
            f"FROM {as_of(session.lake, history, day)}"
        )
    for batch in session.con.sql(sql_file(__package__, "planning")).to_arrow_reader(BATCH):
        yield batch.to_pylist()


class Planner:
    """Makes one ledger row from one assignment."""

    def __init__(self, settings: Settings, templates: Templates, day: date) -> None:
        self._messaging = settings.messaging
        self.country = settings.messaging.country
        self._zone = settings.platform.time_zone
        self._templates = templates
        self._day = day
        # The daily run belongs to its day, whenever it runs: the same plan, the same history.
        self.planned_at = day_start(day, self._zone)

    def recipient(self, row: dict[str, Any], suppressed: str | None) -> Recipient:
        return Recipient(
            phone=row["phone"],
            country=self.country,
            time_zone=row["time_zone"],
            state=row["state"],
            postal_code=row["postal_code"],
            consent=_consent(row),
            suppressed=suppressed,
        )

    def message(
        self, row: dict[str, Any], phone: str | None, suppressed: str | None
    ) -> dict[str, Any]:
        """Return the ledger's row, with its state decided as of the time it is to be sent."""
        message_id = message_id_of(row["user_id"], CAMPAIGN, self._day)
        refusal = self._refusal(row, suppressed)
        body, segments = None, None
        if refusal is None:
            body, segments, refusal = self._words(row, message_id)
        return {
            **{name: row[name] for name in ("user_id", "assignment_id", "job_id", "cohort")},
            "message_id": message_id,
            "campaign": CAMPAIGN,
            "day": self._day.isoformat(),
            "phone": phone,
            "body": body,
            "segments": segments,
            "state": "suppressed" if refusal else "planned",
            "state_at": stamp(self.planned_at),
            "reason": refusal.reason if refusal else None,
            "rule_id": refusal.rule_id if refusal else None,
            "send_at": stamp(row["send_at"]),
            "due_at": stamp(row["send_at"]),
            "expires_at": stamp(self._day_over(row, phone)),
            "final_at": stamp(self.planned_at) if refusal else None,
        }

    def _refusal(self, row: dict[str, Any], suppressed: str | None) -> Suppress | None:
        if row["unread"]:
            return Suppress("unread_cell", "cells-readable")
        if row["has_left"]:
            return Suppress("user_left", "recipient-present")
        if row["closed"]:
            return Suppress("job_closed", "job-open")
        decision = decide(self.recipient(row, suppressed), row["send_at"])
        return decision if isinstance(decision, Suppress) else None

    def _words(
        self, row: dict[str, Any], message_id: str
    ) -> tuple[str | None, int | None, Suppress | None]:
        link = f"{self._messaging.link_base.rstrip('/')}/{message_id[:12]}"
        try:
            body = self._templates.render(row["cohort"], {**_values(row), "link": link})
        except MissingValueError:
            return None, None, Suppress("missing_value", "template-complete")
        except TemplateFailsError:
            return None, None, Suppress("template_fails", "template-complete")
        segments = count_segments(body).count
        if segments > self._messaging.max_segments:
            return body, segments, Suppress("too_long", "max-segments")
        return body, segments, None

    def _day_over(self, row: dict[str, Any], phone: str | None) -> datetime:
        """Return the end of the campaign day wherever the recipient may be: the earliest one."""
        places = (
            places_of(phone, row["time_zone"], row["state"], row["postal_code"]) if phone else ()
        )
        zones = {place.zone for place in places} or {self._zone}
        return min(day_start(self._day + ONE_DAY, zone) for zone in zones)


def _consent(row: dict[str, Any]) -> Consent | None:
    if row["consent_at"] is None:
        return None
    return Consent(row["consent_at"], row["consent_source"], row["consent_text"])


def _values(row: dict[str, Any]) -> dict[str, Any]:
    values = {name: row[name] for name in TEMPLATE_COLUMNS}
    far = row["distance"]
    values["distance_km"] = None if far is None else round(far)
    values["distance_miles"] = None if far is None else round(far / KM_PER_MILE)
    return values


def _start_list(ledger: Ledger) -> None:
    with ledger.transaction() as con:
        con.execute("CREATE TEMP TABLE IF NOT EXISTS asked_for (message_id TEXT PRIMARY KEY)")
        con.execute("DELETE FROM asked_for")


def _insert(
    ledger: Ledger,
    planner: Planner,
    rows: list[dict[str, Any]],
    counts: Counter[str],
    replanned_at: datetime | None,
) -> None:
    """One batch of assignments, in one transaction."""
    with ledger.transaction() as con:
        for row in rows:
            phone = normalised_phone(row["phone"], planner.country)
            message = planner.message(row, phone, suppression(con, phone))
            con.execute(UPSERT_RECIPIENT, _recipient_values(row, planner.country))
            con.execute("INSERT INTO asked_for VALUES (?)", (message["message_id"],))
            counts[_recorded(con, message, replanned_at)] += 1


def _recorded(
    con: sqlite3.Connection, message: dict[str, Any], replanned_at: datetime | None
) -> str:
    """Write one row and say what it counts as."""
    if con.execute(INSERT_MESSAGE, message).rowcount == 0:
        if replanned_at is not None and _decided_again(con, message, replanned_at):
            return "replanned"
        con.execute(FOLLOW_ASSIGNMENT, message)
        if message["reason"]:
            con.execute(SUPPRESS_WAITING, message)
        return "already"
    return f"suppressed:{message['reason']}" if message["reason"] else "planned"


def _decided_again(con: sqlite3.Connection, message: dict[str, Any], at: datetime) -> bool:
    """Give a suppressed message that never left its new state; return whether it may go now."""
    planned = message["state"] == "planned"
    told = {"reason": "decided_again", "rule_id": "replanned"} if planned else {}
    changed = con.execute(DECIDE_AGAIN, {**message, **told, "at": stamp(at)})
    return planned and changed.rowcount == 1


def _recipient_values(row: dict[str, Any], country: str) -> dict[str, Any]:
    given_at = row["consent_at"]
    return {
        **{name: row[name] for name in RECIPIENT_COLUMNS if name in row},
        "country": country,
        "consent_at": stamp(given_at) if given_at else None,
    }


def _withdraw(ledger: Ledger, day: date, at: datetime) -> int:
    """Take back messages of the day that the present assignments do not ask for."""
    with ledger.transaction() as con:
        changed = con.execute(
            "UPDATE messages SET state = 'suppressed', state_at = max(state_at, :at),"
            " final_at = max(state_at, :at), reason = 'withdrawn',"
            " rule_id = 'assignment-withdrawn'"
            " WHERE day = :day AND campaign = :campaign AND state IN ('planned', 'deferred')"
            " AND message_id NOT IN (SELECT message_id FROM asked_for)",
            {"at": stamp(at), "day": day.isoformat(), "campaign": CAMPAIGN},
        )
        return changed.rowcount
