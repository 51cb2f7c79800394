"""What the platform and the reference reader say of one generated source tree."""

from __future__ import annotations

import atexit
import re
import shutil
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any

from duckdb import DuckDBPyConnection

from conversion_platform.days import DayRange
from conversion_platform.errors import SourceError
from conversion_platform.lake import Session, open_lake, open_session
from conversion_platform.marketplace import (
    CONTRACTS,
    EVENTS,
    JOBS,
    REJECTED_EVENTS,
    REJECTED_EVENTS_UNDATED,
    REJECTED_JOBS,
    REJECTED_USERS,
    USERS,
    Loaded,
    capture_both,
    load_events,
    load_jobs,
    load_users,
    rewritten_days,
)
from conversion_platform.settings import load_settings
from conversion_platform_tests.marketplace import reference
from conversion_platform_tests.marketplace.generated import Tree, tree
from conversion_platform_tests.marketplace.generated.rows import KNOWN_JOBS, KNOWN_USERS
from conversion_platform_tests.marketplace.world import whole, write_parquet

START = date(2026, 1, 1)
DAYS = DayRange(date(2026, 3, 6), date(2026, 3, 10))
TODAY = date(2026, 3, 10)
FIRST_EVENT = datetime(2026, 1, 3, 12, tzinfo=UTC)
_HASH = re.compile(r"[0-9a-f]{32}")
_ENTITIES = {
    "users": (load_users, USERS, REJECTED_USERS),
    "jobs": (load_jobs, JOBS, REJECTED_JOBS),
}


@dataclass(frozen=True)
class Said:
    """What one of the two readers says of a tree, in a form that can be compared.

    Attributes:
        refused: Whether the source cannot be used at all.
        accepted: Accepted rows: their columns and values.
        rejects: File, row number, reason and column of each rejected row.
        counts: Rows accepted, rejected, of the past, and read.
        why: Why the source is refused; not compared.
    """

    refused: bool
    accepted: list[str] = field(default_factory=list)
    rejects: list[reference.Reject] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    why: str = field(default="", compare=False)


def compared(number: int) -> tuple[Said, Said]:
    """Return what the platform says of a tree, and what the reference reader says."""
    with TemporaryDirectory() as folder:
        built = tree(number)
        base = built.write(Path(folder))
        return _platform(built, base), _reference(built, base)


def plain(number: int) -> Said:
    """Return what the reference reader says of a tree."""
    with TemporaryDirectory() as folder:
        built = tree(number)
        return _reference(built, built.write(Path(folder)))


def difference(number: int) -> str:
    """Return how the two differ about a tree, as text; empty if they agree."""
    ours, plain = compared(number)
    if ours == plain:
        return ""
    lines = [f"Tree {number}: the platform (+) and the reference reader (-) differ."]
    for name in ("refused", "counts"):
        if getattr(ours, name) != getattr(plain, name):
            lines += [f"+ {name}: {getattr(ours, name)}", f"- {name}: {getattr(plain, name)}"]
    lines += [f"  {said.why}" for said in (ours, plain) if said.why]
    if not ours.refused and not plain.refused:
        for name in ("accepted", "rejects"):
            mine, theirs = list(getattr(ours, name)), list(getattr(plain, name))
            lines += [f"+ {one}" for one in mine if one not in theirs]
            lines += [f"- {one}" for one in theirs if one not in mine]
    return "\n".join(lines)


def _platform(built: Tree, base: Path) -> Said:
    toml = [
        "[platform]",
        f"start_date = {START}",
        f'time_zone = "{built.zone}"',
        "threads = 1",
        "" if built.table != "events" else f'lake = "{_lake(built.zone)}"',
        f"[events]\nlate_days = {built.late_days}",
        built.how.toml(f"sources.{built.table}"),
    ]
    if built.table != "events":
        (base / "source/events").mkdir(parents=True)
        (base / "source/events/all.parquet").write_bytes(_plain_events())
    settings = base / "conversion_platform.toml"
    settings.write_text("\n".join(toml))
    loaded = load_settings(settings)
    session = Session(loaded, open_lake(loaded), _connection())
    try:
        return _events(session) if built.table == "events" else _entity(session, built.table)
    except SourceError as error:
        return Said(True, why=str(error))


def _entity(session: Session, name: str) -> Said:
    load, table, rejected = _ENTITIES[name]
    loaded = load(session, today=TODAY)
    rows = _dicts(session, f"SELECT * FROM {whole(session, table)}")
    rejects = _dicts(session, f"SELECT * FROM {session.lake.select(rejected)}")
    return _said(name, rows, rejects, loaded, loaded.read_rows)


def _events(session: Session) -> Said:
    loaded = load_events(session, DAYS)
    days = rewritten_days(session.settings, DAYS)
    rows = _dicts(session, f"SELECT * EXCLUDE (dt) FROM {session.lake.select(EVENTS, days)}")
    rejects = [
        *_dicts(session, f"SELECT * FROM {session.lake.select(REJECTED_EVENTS, days)}"),
        *_dicts(session, f"SELECT * FROM {session.lake.select(REJECTED_EVENTS_UNDATED)}"),
    ]
    for row in rows:
        if _HASH.fullmatch(row["event_id"]):
            row["event_id"] = None
    return _said("events", rows, rejects, loaded, loaded.source_rows)


def _said(
    name: str, rows: list[dict[str, Any]], rejects: list[dict[str, Any]], loaded: Loaded, read: int
) -> Said:
    told = [
        reference.Reject(r["source"], r["row_number"], r["reason"], r["column_name"] or "")
        for r in rejects
    ]
    counts = {
        "accepted": loaded.accepted_rows,
        "rejected": loaded.rejected_rows,
        "others": loaded.past_rows + loaded.held_rows,
        "rows": read,
    }
    return Said(False, _shown(name, rows), sorted(told), counts)


def _reference(built: Tree, base: Path) -> Said:
    try:
        verdict = _verdict(built, base)
    except reference.RefusedError as refused:
        return Said(True, why=str(refused))
    held = verdict.filtered if built.table != "events" else 0
    counts = {
        "accepted": len(verdict.accepted),
        "rejected": len(verdict.rejects),
        "others": verdict.past + held,
        "rows": verdict.rows,
    }
    unread = verdict.filtered - held
    assert sum(counts.values()) + unread == 2 * verdict.rows, "rows do not add up"
    return Said(False, _shown(built.table, verdict.accepted), sorted(verdict.rejects), counts)


def _verdict(built: Tree, base: Path) -> reference.Verdict:
    if built.table != "events":
        firsts = {"2": FIRST_EVENT}
        return reference.read_entities(
            base, built.table, built.how, built.zone, START, TODAY, firsts
        )
    rules = reference.EventRules(
        DAYS.first, DAYS.last, built.zone, built.late_days, KNOWN_USERS, KNOWN_JOBS
    )
    return reference.read_events(base, built.how, rules)


def _dicts(session: Session, query: str) -> list[dict[str, Any]]:
    found = session.con.execute(query)
    names = [name for name, *_ in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _shown(name: str, rows: list[dict[str, Any]]) -> list[str]:
    """Return rows as texts in order.

    What a contract column says has its type, and all else is text. `dt_2`, a column `dt` of a file,
    is left out: it is none where folders say it alone.
    """
    contract = next(one for one in CONTRACTS if one.name == name)
    own = {column.name for column in contract.columns}
    keep = own if name == "events" else None
    return sorted(
        str(
            {
                key: _comparable(value, key in own)
                for key, value in sorted(row.items())
                if (keep is None or key in keep) and value is not None and key != "dt_2"
            }
        )
        for row in rows
    )


def _comparable(value: Any, typed: bool) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return float(value) if typed else str(value).removesuffix(".0")
    return value


@cache
def _plain_events() -> bytes:
    """Return a Parquet file of events of user 2 and job 2."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "events.parquet"
        write_parquet(
            "SELECT '2' AS user_id, '2' AS job_id, 'impression' AS event_type, "
            f"unnest(['{FIRST_EVENT.isoformat()}', '2026-02-01T00:00:00Z']) AS occurred_at",
            file,
        )
        return file.read_bytes()


@cache
def _connection() -> DuckDBPyConnection:
    """Return one connection for all trees: to open one takes as long as to load a small tree."""
    session = open_session(load_settings(_lake("UTC").parent / "conversion_platform.toml"))
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(session).con


@cache
def _lake(zone: str) -> Path:
    """Return a lake with the users and jobs that events may name."""
    folder = Path(mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for name, key, ids in (("users", "user_id", KNOWN_USERS), ("jobs", "job_id", KNOWN_JOBS)):
        listed = ", ".join(f"'{one}'" for one in ids)
        write_parquet(f"SELECT unnest([{listed}]) AS {key}", folder / f"source/{name}.parquet")
    (folder / "source/events").mkdir()
    (folder / "source/events/all.parquet").write_bytes(_plain_events())
    settings = folder / "conversion_platform.toml"
    settings.write_text(f'[platform]\nstart_date = {START}\ntime_zone = "{zone}"\nthreads = 1\n')
    with open_session(load_settings(settings)) as session:
        load_users(session)
        load_jobs(session)
        capture_both(session, DAYS)
        return Path(session.settings.resolve(session.settings.platform.lake))
