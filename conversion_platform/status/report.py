"""How the platform stands: one frozen report that a person, a script or a page can show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from conversion_platform.days import ONE_DAY, DayRange, at_local_time, day_of
from conversion_platform.lake import Session

if TYPE_CHECKING:
    import duckdb

    from conversion_platform.lake import Lake
    from conversion_platform.settings import Settings

TRUTH_KEY = "reports/truth_evaluation.json"


@dataclass(frozen=True)
class Interval:
    """A value with its 95 % interval; None where it cannot be measured."""

    value: float | None
    low: float | None
    high: float | None

    def shown(self, percent: bool = False) -> str:
        """Return the value with its interval, as a sign and three decimals or as a percentage."""
        if self.value is None or self.low is None or self.high is None:
            return "not measurable"
        if percent:
            return f"{self.value:.0%} [{self.low:.0%}, {self.high:.0%}]"
        return f"{self.value:+.3f} [{self.low:+.3f}, {self.high:+.3f}]"


UNKNOWN = Interval(None, None, None)
_FIGURES = (
    "map_model",
    "map_human",
    "map_popularity",
    "map_oracle",
    "gain_over_human",
    "gap_closed",
)


@dataclass(frozen=True)
class Status:
    """How the platform stands.

    Attributes:
        platform: Its name.
        lake: Where its tables are.
        last_day_run: Newest day with metrics; None before the first daily run.
        newest_event: When the newest accepted event of the source occurred (UTC).
        rows: Rows of each lake table, by stage.
        log_events: Events of each type in the log.
        champion: The version that scores; None before the first training.
        champion_since: The day it was promoted for.
        map_k: k of the MAP figures.
        map_source: `truth` (the simulator's, over all open jobs), `logged slates`, or
            `sampled negatives` where the champion learned from these; None if the champion was
            not judged yet. The figures are the champion's own: never those of an earlier one.
        map_model: MAP@k of the champion.
        map_human: MAP@k of the human baseline.
        map_popularity: MAP@k of popularity.
        map_oracle: MAP@k of the true probabilities, where they are known.
        gain_over_human: map_model less map_human, clustered by user.
        gap_closed: Share of the gap from human to oracle closed, where known.
        messages: Messages by state.
        suppressed: Suppressed messages by reason, the most frequent first.
        warnings: What needs somebody's attention, a sentence each.
        drift_day: Newest day watched.
        drift_share: Share of drifted columns on it.
        drifted: Whether that is above the limit.
        next_run: When the daily schedule fires next; None when schedules are off.
    """

    platform: str
    lake: str
    last_day_run: str | None
    newest_event: str | None
    rows: dict[str, dict[str, int]]
    log_events: dict[str, int]
    champion: str | None
    champion_since: str | None
    map_k: int
    map_source: str | None
    map_model: Interval
    map_human: Interval
    map_popularity: Interval
    map_oracle: Interval
    gain_over_human: Interval
    gap_closed: Interval
    messages: dict[str, int]
    suppressed: dict[str, int]
    warnings: list[str]
    drift_day: str | None
    drift_share: float | None
    drifted: bool | None
    next_run: str | None

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON: MAP values as numbers, gain and gap closed with intervals."""
        found = asdict(self)
        for name in ("map_model", "map_human", "map_popularity", "map_oracle"):
            found[name] = getattr(self, name).value
        return found


def collect(session: Session, now: datetime) -> Status:
    """Read how the platform stands; nothing is written.

    Args:
        session: Settings, lake and DuckDB connection.
        now: For the next scheduled run.
    """
    from conversion_platform.training import current_promotion

    newest = current_promotion(session.lake)
    messages = _messages(session.settings)
    return Status(
        platform=session.settings.platform.name,
        lake=session.settings.lake_root,
        last_day_run=_last_day(session.lake),
        newest_event=_newest_event(session),
        rows=_rows_by_stage(session),
        log_events=_log_events(session),
        champion=newest.version if newest else None,
        champion_since=newest.day.isoformat() if newest else None,
        **_ranking(session, newest.version if newest else None),
        messages=messages.states,
        suppressed=messages.suppressed,
        warnings=[*_source_warnings(session), *messages.warnings],
        **_drift(session),
        next_run=_next_run(session.settings, now),
    )


def _newest_event(session: Session) -> str | None:
    from conversion_platform.marketplace import newest_event

    found = newest_event(session)
    return found.isoformat(timespec="seconds") if found else None


def _last_day(lake: Lake) -> str | None:
    from conversion_platform.metrics import DAILY_METRICS

    days = lake.days(DAILY_METRICS)
    return days[-1].isoformat() if days else None


def _rows_by_stage(session: Session) -> dict[str, dict[str, int]]:
    from conversion_platform.catalog import lake_tables

    counts: dict[str, dict[str, int]] = {}
    for stage, tables in lake_tables().items():
        for table in tables:
            if table.personal:  # its rows are those of the table that it belongs to
                continue
            counts.setdefault(stage.partition(".")[0], {})[table.name] = _count(
                session.con, session.lake.select(table)
            )
    return counts


def _count(con: duckdb.DuckDBPyConnection, relation: str) -> int:
    return int(con.sql(f"SELECT count(*) FROM {relation}").fetchall()[0][0])


def _log_events(session: Session) -> dict[str, int]:
    from conversion_platform.catalog import attach_views
    from conversion_platform.event_log import EVENT_TYPES

    attach_views(session)
    return {kind.name: _count(session.con, kind.view) for kind in EVENT_TYPES}


def _ranking(session: Session, champion: str | None) -> dict[str, Any]:
    """Return the champion's own MAP figures: by the truth if it is known, else by its examples."""
    truth = _truth(session.lake)
    if champion is not None and truth.get("versions") == [champion]:
        return _from_truth(truth)
    from conversion_platform.training import load_card, newest_evaluation

    judged = newest_evaluation(session.lake, champion) if champion else None
    if champion is None or judged is None:
        return _figures(session.settings.training.map_k, None)
    found = judged.evaluation
    sampled = load_card(session.lake, champion).label["negatives"] == "sampled"
    return _figures(
        found.k,
        "sampled negatives" if sampled else "logged slates",
        map_model=_interval(found.map_model),
        map_human=_interval(found.map_human),
        map_popularity=_interval(found.map_popularity),
        gain_over_human=_interval(found.gain_over_human),
    )


def _truth(lake: Lake) -> dict[str, Any]:
    """Return the evaluation by the truth with the versions that it is of; empty without one."""
    known: dict[str, Any] = {}
    if TRUTH_KEY in lake.storage.list("reports"):
        known = lake.read_json(TRUTH_KEY)
    return known


def _from_truth(known: dict[str, Any]) -> dict[str, Any]:
    intervals = {name: Interval(**known[name]) for name in _FIGURES if name in known}
    return _figures(known["k"], "truth", **intervals)


def _figures(k: int, source: str | None, **found: Interval) -> dict[str, Any]:
    known = {name: found.get(name, UNKNOWN) for name in _FIGURES}
    return {"map_k": k, "map_source": source, **known}


def _interval(estimate: Any) -> Interval:
    return Interval(estimate.value, estimate.low, estimate.high)


@dataclass(frozen=True)
class _Messages:
    """What the ledger says of all messages, and what is wrong with the newest ones."""

    states: dict[str, int]
    suppressed: dict[str, int]
    warnings: tuple[str, ...]


def _messages(settings: Settings) -> _Messages:
    from conversion_platform.messaging import (
        file_exists,
        ledger_path,
        open_ledger,
        suppression_warning,
    )

    if not file_exists(ledger_path(settings)):
        return _Messages({}, {}, ())
    with open_ledger(settings) as ledger:
        newest = ledger.newest_day()
        warning = suppression_warning(ledger, DayRange.of(newest)) if newest else None
        states = dict(sorted(ledger.counts().items()))
        return _Messages(states, ledger.suppressed(), (warning,) if warning else ())


def _source_warnings(session: Session) -> Iterator[str]:
    """Warn where the source brought no event of the day before the newest day run, or later."""
    from conversion_platform.marketplace import newest_event

    last = _last_day(session.lake)
    if last is None:
        return
    found, zone = newest_event(session), session.settings.platform.time_zone
    newest = day_of(found, zone) if found else None
    if newest is None or newest < date.fromisoformat(last) - ONE_DAY:
        told = f"of {newest}" if newest else "missing: there is none"
        yield f"The newest event of the source is {told}, and the last day run is {last}."


def _drift(session: Session) -> dict[str, Any]:
    from conversion_platform.monitoring import DRIFT

    days: list[date] = session.lake.days(DRIFT)
    if not days:
        return {"drift_day": None, "drift_share": None, "drifted": None}
    share = session.con.sql(
        f"SELECT avg(drifted::INTEGER) FROM {session.lake.select(DRIFT, DayRange.of(days[-1]))}"
    ).fetchall()[0][0]
    over = None if share is None else share > session.settings.drift.max_drifted_share
    return {"drift_day": days[-1].isoformat(), "drift_share": share, "drifted": over}


def _next_run(settings: Settings, now: datetime) -> str | None:
    if not settings.schedule.enabled:
        return None
    zone = settings.platform.time_zone
    today = now.astimezone(ZoneInfo(zone)).date()
    moments = (
        at_local_time(today + timedelta(days=ahead), settings.schedule.daily_at, zone)
        for ahead in (0, 1)
    )
    return next(moment.astimezone(ZoneInfo(zone)).isoformat() for moment in moments if moment > now)
