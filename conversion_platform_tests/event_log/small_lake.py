"""A lake of a few rows: what the stages leave for one day, without running them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

from conversion_platform.applications.job_of_the_day.tables import JOB_OF_THE_DAY
from conversion_platform.inference.tables import DAILY_PREDICTIONS
from conversion_platform.lake import Session, Table
from conversion_platform.marketplace.tables import (
    REJECTED_USERS,
    REJECTED_USERS_VALUES,
    USERS,
    USERS_CONTACTS,
    USERS_PROTECTED,
)
from conversion_platform.messaging.tables import MESSAGE_STATES, OUTCOMES, REPLIES

if TYPE_CHECKING:
    pass

DAY = date(2026, 3, 2)
PHONE = "+15125550123"


def put(
    session: Session,
    table: Table,
    *rows: Mapping[str, str],
    day: date | None = None,
) -> None:
    """Writes a partition. Values are SQL; a column without one is NULL."""
    selects = []
    for row in rows:
        declared = {column.name: column.type for column in table.columns}
        cells = [
            f'({row.get(name, "NULL")})::{kind} AS "{name}"' for name, kind in declared.items()
        ]
        cells += [f'{value} AS "{name}"' for name, value in row.items() if name not in declared]
        selects.append(f"SELECT {', '.join(cells)}")
    session.lake.write(session.con, table, " UNION ALL ".join(selects), day)


def fill(session: Session, version: str = "'v1'") -> None:
    """Two users: one texted who clicks and says STOP, one held out who converts."""
    prediction = {"score": "0.5", "probability": "0.25", "features_day": "DATE '2026-03-02'"}
    shared = prediction | {"model_version": version}
    put(
        session,
        DAILY_PREDICTIONS,
        {"user_id": "'u1'", "job_id": "'j1'", "rank": "1", **shared},
        {"user_id": "'u1'", "job_id": "'j2'", "rank": "2", **shared},
        {"user_id": "'u2'", "job_id": "'j1'", "rank": "1", **shared},
        day=DAY,
    )
    first = {"assignment_id": "'a1'", "user_id": "'u1'", "job_id": "'j1'", "cohort": "'c'"}
    second = {"assignment_id": "'a2'", "user_id": "'u2'", "job_id": "'j1'", "cohort": "'c'"}
    texted, held = {"arm": "'treatment'", "model_version": version}, {"arm": "'holdout'"}
    put(session, JOB_OF_THE_DAY, first | texted, second | held, day=DAY)
    message = {"message_id": "'m1'", "user_id": "'u1'", "job_id": "'j1'", "cohort": "'c'"}
    put(
        session,
        MESSAGE_STATES,
        message | {"sequence": "1", "state": "'planned'", "at": "'2026-03-02 12:00:00+00'"},
        message | {"sequence": "2", "state": "'sent'", "at": "'2026-03-02 15:00:00+00'"},
        day=DAY,
    )
    reply = {"reply_id": "'r1'", "message_id": "'m1'", "user_id": "'u1'", "kind": "'stop'"}
    put(session, REPLIES, reply | {"at": "'2026-03-02 16:00:00+00'"}, day=DAY)
    put(
        session,
        OUTCOMES,
        first
        | texted
        | {"message_id": "'m1'", "clicked_at": "'2026-03-02 15:10:00+00'"}
        | {"opted_out_at": "'2026-03-02 16:00:00+00'"},
        second | held | {"converted_any_at": "'2026-03-04 01:00:00+00'"},
        day=DAY,
    )


def fill_people(session: Session) -> None:
    """A user with a phone and a name, and one who was rejected."""
    person = {"user_id": "'u1'"}
    put(session, USERS, person | {"years_of_experience": "7"})
    place = {"phone": f"'{PHONE}'", "latitude": "40.5"}
    name = {"first_name": "'Zelda'", "email_address": "'zelda@example.com'"}
    put(session, USERS_CONTACTS, person | place | name)
    put(session, USERS_PROTECTED, person | {"gender": "'zf'"})
    row = {"source": "'users.csv'", "row_number": "3", "reason": "'missing_id'"}
    put(session, REJECTED_USERS, row)
    put(session, REJECTED_USERS_VALUES, row | {"row_json": f'\'{{"p": "{PHONE}"}}\''})
