"""Says what later stages will lack, from checked sources: one sentence each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from conversion_platform.lake import Session, Table
from conversion_platform.marketplace import tables
from conversion_platform.marketplace.history.tables import HISTORIES
from conversion_platform.settings import Settings

if TYPE_CHECKING:
    import duckdb


def one_row(con: duckdb.DuckDBPyConnection, query: str) -> Any:
    """Return the only row of a query."""
    row = con.execute(query).fetchone()
    assert row is not None
    return row


def missing(
    session: Session, types: Mapping[str, int], impressions: int, converted: int
) -> list[str]:
    """Return what later stages will lack.

    Args:
        session: A session with the views `users`, `users_contacts`, `jobs` and `checked_events`.
        types: Accepted events by type.
        impressions: User, job and day combinations with an impression.
        converted: Those of them that a conversion follows.
    """
    return [
        *_missing_days(session),
        *_missing_past(session),
        *_missing_labels(session.settings, types, impressions, converted),
        *_missing_columns(session.con),
        *_missing_slots(session.con, impressions),
    ]


def _missing_days(session: Session) -> list[str]:
    first = session.settings.platform.start_date
    count, earliest = one_row(
        session.con, f"SELECT count(*), min(dt) FROM checked_events WHERE dt < DATE '{first}'"
    )
    if not count:
        return []
    return [
        f"{count:,} events before platform.start_date = {first}: no run reads them. The first is "
        f"of {earliest}."
    ]


def _missing_past(session: Session) -> list[str]:
    """Say of which tables the source tells no earlier versions."""
    without = [
        history.current.name
        for history in HISTORIES.values()
        if not one_row(
            session.con, f"SELECT count(*) FROM {session.lake.select(history.versions)}"
        )[0]
    ]
    if not without:
        return []
    return [
        f"No earlier versions of {' and '.join(without)}: days before the first run see them as "
        "they are then (docs/history.md)."
    ]


def _missing_labels(
    settings: Settings, types: Mapping[str, int], impressions: int, converted: int
) -> list[str]:
    if not types:
        return ["No accepted event: no model can be trained, and no user is active."]
    sampled = settings.events.negatives == "sampled"
    conversions = sum(types.get(kind, 0) for kind in settings.events.conversion_types)
    found = []
    if conversions == 0:
        names = ", ".join(settings.events.conversion_types)
        found.append(
            f"Only one class of labels: no event of a conversion type ({names}). A model cannot "
            f"be trained; event types of the source: {', '.join(types)}."
        )
    if sampled:
        found.append("Negatives are sampled from the jobs open at that moment, as set.")
    elif impressions == 0:
        found.append(
            "No impressions: set events.negatives = 'sampled', and negatives are sampled from the "
            "jobs open at that moment."
        )
    elif converted == impressions:
        found.append(
            "Only one class of labels: every impression converts. Log impressions without a "
            "conversion too, or set events.negatives = 'sampled'."
        )
    elif converted == 0 and conversions:
        found.append(
            "Only one class of labels: no conversion follows an impression of the same user and "
            "job within events.attribution_window_days."
        )
    return found


_COLUMNS = {
    "phone": ("users", "No phone: no message can be sent."),
    "consent_at": ("users", "No consent: no message may be sent."),
    "consent_source": (
        "users",
        "No users.consent_source: a consent without its source is incomplete, and no message may "
        "be sent.",
    ),
    "consent_text": (
        "users",
        "No users.consent_text: a consent without its wording is incomplete, and no message may "
        "be sent.",
    ),
    "time_zone": ("users", "No users.time_zone: send times go by platform.time_zone."),
    "state": ("users", "No users.state: the messaging rules of single states cannot be applied."),
    "skills": ("users", "No users.skills: no skill match."),
    "title": ("jobs", "No jobs.title: messages cannot name the job."),
    "category": ("jobs", "No jobs.category: no affinity to categories."),
    "employer_id": ("jobs", "No jobs.employer_id: no employer features."),
    "closed_at": ("jobs", "No jobs.closed_at: every job counts as open for ever."),
}
_PAIRS = {
    ("region", "region"): "No region on both sides: candidates are not limited to a labour market.",
    ("latitude", "latitude"): "No coordinates on both sides: no distance.",
    ("desired_pay", "pay"): "No pay on both sides: no pay match.",
    ("shift", "shift"): "No shift on both sides: no shift match.",
}


def _missing_columns(con: duckdb.DuckDBPyConnection) -> list[str]:
    filled = {
        "users": _filled(con, tables.USERS) | _filled(con, tables.USERS_CONTACTS),
        "jobs": _filled(con, tables.JOBS),
    }
    told = {name for name, (table, _) in _COLUMNS.items() if not filled[table][name]}
    if "consent_at" in told:
        told -= {"consent_source", "consent_text"}
    single = [text for name, (_, text) in _COLUMNS.items() if name in told]
    pairs = [
        text
        for (users, jobs), text in _PAIRS.items()
        if not (filled["users"][users] and filled["jobs"][jobs])
    ]
    return single + pairs


def _filled(con: duckdb.DuckDBPyConnection, table: Table) -> dict[str, bool]:
    names = [column.name for column in table.columns]
    counts = ", ".join(f"count({column})" for column in names)
    row = one_row(con, f"SELECT {counts} FROM {table.name}")
    return {column: count > 0 for column, count in zip(names, row, strict=True)}


def _missing_slots(con: duckdb.DuckDBPyConnection, impressions: int) -> list[str]:
    if impressions and not one_row(con, "SELECT count(position) FROM checked_events")[0]:
        return ["No events.position: the effect of the slot cannot be separated from the job's."]
    return []
