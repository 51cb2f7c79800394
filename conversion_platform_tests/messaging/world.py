"""A hand-made day: assignments, users and jobs written straight into the lake."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conversion_platform.applications.job_of_the_day.tables import JOB_OF_THE_DAY
from conversion_platform.lake import Session, Table
from conversion_platform.marketplace.tables import EVENTS, JOBS, USERS, USERS_CONTACTS
from conversion_platform.settings import Settings, load_settings
from conversion_platform_tests.snapshots import keep

if TYPE_CHECKING:
    pass

DAY = date(2026, 3, 10)
TEN_IN_NEW_YORK = datetime(2026, 3, 10, 14, tzinfo=UTC)
AGREED = datetime(2026, 1, 5, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Person:
    """One user with one assignment."""

    user_id: str
    phone: str | None
    time_zone: str | None = "America/New_York"
    state: str | None = "NY"
    postal_code: str | None = None
    consent_at: datetime | None = AGREED
    consent_source: str | None = "web form"
    consent_text: str | None = "I agree to get job texts from Gigs."
    unread_columns: str | None = None
    left_at: datetime | None = None
    latitude: float | None = None
    longitude: float | None = None
    job_id: str = "j1"
    cohort: str = "everyone"
    arm: str = "treatment"
    send_at: datetime = TEN_IN_NEW_YORK


def person(number: int, **changes: Any) -> Person:
    """A New Yorker who may be texted."""
    base = Person(user_id=f"u{number:06d}", phone=phone(number))
    return replace(base, **changes)


def phone(number: int) -> str:
    """Different numbers for up to a few hundred thousand people."""
    return f"+1212{2_000_000 + number:07d}"


def everyone(count: int, **changes: Any) -> list[Person]:
    """So many New Yorkers."""
    return [person(number, **changes) for number in range(count)]


def settings_in(folder: Path, text: str = "", clock: str = "replay") -> Settings:
    """Settings in a folder of their own, on the replay clock, with no random behaviour."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "conversion_platform.toml"
    quiet = "" if "[messaging.sandbox]" in text else QUIET_CARRIER
    file.write_text(f'[platform]\nclock = "{clock}"\n{quiet}{text}')
    return load_settings(file)


QUIET_CARRIER = "[messaging.sandbox]\nfail_share = 0.0\nstop_share = 0.0\n"


JOBS_SHOWN: tuple[dict[str, Any], ...] = (
    {"job_id": "j1", "title": "Barista", "pay": 18.5},
    {"job_id": "j2", "title": "Cook"},
    {"job_id": "j3"},
)


def show(
    session: Session, people: Sequence[Person], jobs: Sequence[dict[str, Any]] = JOBS_SHOWN
) -> None:
    """Write users and jobs as the source shows them now."""
    for table in (USERS, USERS_CONTACTS):
        _write(session, table, [_user(one, table) for one in people])
    _write(session, JOBS, list(jobs))


def put(session: Session, people: Sequence[Person], day: date = DAY) -> None:
    """Writes users, jobs and the day's assignments; the day sees these users and jobs."""
    show(session, people)
    keep(session)
    assign(session, people, day)


def assign(session: Session, people: Sequence[Person], day: date = DAY) -> None:
    """Write the day's assignments."""
    _write(session, JOB_OF_THE_DAY, [_assignment(one, day) for one in people], day)


def put_events(session: Session, day: date, *events: tuple[str, str, str, datetime]) -> None:
    """Writes one day's events, each (user_id, job_id, event_type, occurred_at)."""
    rows = [
        {
            "event_id": f"e{number}",
            "user_id": user,
            "job_id": job,
            "event_type": kind,
            "occurred_at": at,
            "recorded_at": at,
        }
        for number, (user, job, kind, at) in enumerate(events)
    ]
    _write(session, EVENTS, rows, day)


def read(session: Session, table: Table) -> list[dict[str, Any]]:
    """Every row of a lake table, sorted by its key."""
    order = ", ".join(table.key)
    found = session.con.sql(
        f"SELECT * FROM {session.lake.select(table)} ORDER BY {order}"
    ).to_arrow_table()
    rows: list[dict[str, Any]] = found.to_pylist()
    return rows


def later(**by: float) -> datetime:
    """A moment after ten in New York."""
    return TEN_IN_NEW_YORK + timedelta(**by)


def _user(one: Person, table: Table) -> dict[str, Any]:
    names = [column.name for column in table.columns]
    return {name: getattr(one, name) for name in names if hasattr(one, name)}


def _assignment(one: Person, day: date) -> dict[str, Any]:
    return {
        "assignment_id": f"a-{day}-{one.user_id}",
        "user_id": one.user_id,
        "job_id": one.job_id,
        "cohort": one.cohort,
        "arm": one.arm,
        "send_at": one.send_at,
        "model_version": "v1",
    }


def _write(
    session: Session, table: Table, rows: list[dict[str, Any]], day: date | None = None
) -> None:
    import pyarrow

    columns = {column.name: column.type for column in table.columns}
    if not rows:
        session.lake.write(session.con, table, f"SELECT * FROM ({table.empty_select()})", day)
        return
    filled = [{name: row.get(name) for name in columns} for row in rows]
    session.con.register("_rows", pyarrow.Table.from_pylist(filled))
    casts = ", ".join(f'CAST("{name}" AS {kind}) AS "{name}"' for name, kind in columns.items())
    session.lake.write(session.con, table, f"SELECT {casts} FROM _rows", day)
    session.con.unregister("_rows")
