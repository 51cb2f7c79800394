"""Builds `training_examples`: matured impressions with labels and the features of their day.

Only events known before the day of the training are used: the later of their time of occurrence
and their time of recording must be before the start of that day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from conversion_platform.days import ONE_DAY, DayRange
from conversion_platform.errors import TrainingError
from conversion_platform.features import (
    JOB_FEATURES,
    USER_FEATURES,
    FeatureSpec,
    feature_spec,
    pair_query,
)
from conversion_platform.lake import Session, instant, listed, quoted, rendered
from conversion_platform.marketplace import (
    EVENTS,
    JOBS_HISTORY,
    USERS_HISTORY,
    by_text,
    require_history,
    versions,
)
from conversion_platform.training.split import Split, split_days, training_days
from conversion_platform.training.tables import TRAINING_EXAMPLES

if TYPE_CHECKING:
    import duckdb

    from conversion_platform.settings import Settings

HASH_RANGE = 2**64
DRAWS_PER_NEGATIVE = 3
EXAMPLE = "user_id, job_id, dt, shown_at, position, slate"


@dataclass(frozen=True)
class SplitCount:
    """One window of the examples."""

    days: DayRange
    rows: int
    positives: int
    users: int


@dataclass(frozen=True)
class ExamplesSummary:
    """The examples that were written.

    Attributes:
        day: The day that the training runs for.
        splits: Counts of each window with rows, by name.
        notes: Remarks on the figures.
    """

    day: date
    splits: dict[str, SplitCount]
    notes: tuple[str, ...]

    @property
    def rows(self) -> int:
        return sum(split.rows for split in self.splits.values())


def build_examples(session: Session, day: date) -> ExamplesSummary:
    """Write the examples of the training for `day`.

    Raises:
        NotReadyError: events, users, jobs or features are missing for one of the days.
        TrainingError: fewer than 3 days have matured, or none has an impression.
    """
    days = training_days(session.settings, day)
    for table in (USER_FEATURES, JOB_FEATURES):
        session.lake.require(table, days)
    with session.cursor() as scratch:
        split, shares = _labelled(scratch, days, day)
        spec = feature_spec(scratch)
        session.lake.write(
            scratch.con, TRAINING_EXAMPLES, _with_features(session, spec, split), day
        )
        return _summary(scratch.con, day, split, shares)


def check_examples(session: Session, day: date) -> ExamplesSummary:
    """Count the examples that the training for `day` would have; no feature is needed.

    Args:
        session: Settings, lake and DuckDB connection; nothing is written.
        day: The day of the training.

    Raises:
        NotReadyError: events, users or jobs are missing for one of the days.
        TrainingError: a training would be refused: too few days, no impression, or one class only.
    """
    with session.cursor() as scratch:
        split, shares = _labelled(scratch, training_days(session.settings, day), day)
        found = _summary(scratch.con, day, split, shares)
    train = found.splits["train"]
    require_two_classes(session.settings, day, train.rows, train.positives)
    return found


def require_two_classes(settings: Settings, day: date, rows: int, positives: int) -> None:
    """Make sure that there is something to tell apart among the examples to fit on.

    Raises:
        TrainingError: all of them have the same label, or there are none.
    """
    if 0 < positives < rows:
        return
    found = f"{positives} conversions in {rows} rows" if rows else "no example"
    raise TrainingError(
        f"The training examples of {day} hold one label class only ({found}).",
        f"Check events.conversion_types ({', '.join(settings.events.conversion_types)}) against "
        "the source, lengthen events.attribution_window_days or training.train_days, or set "
        "events.negatives = 'sampled' if the source logs no impressions.",
    )


def _labelled(session: Session, days: DayRange, day: date) -> tuple[Split, dict[str, float]]:
    """Fill `labelled`; return the windows, and the share of the slates kept in each."""
    require_history(session.lake)
    session.lake.require(EVENTS, DayRange(days.first, day - ONE_DAY))
    _attach_sources(session, days, day)
    session.con.execute(f"CREATE TEMP TABLE showings AS {_showings(session.settings, days, day)}")
    session.con.execute("CREATE TEMP VIEW shown AS FROM showings WHERE is_example")
    split = split_days(session.settings, _days_with_examples(session, days))
    shares = _keep_whole_slates(session, split)
    _draw_and_label(session)
    return split, shares


def _listed(*types: tuple[str, ...]) -> str:
    """Return a SQL list of event types."""
    return f"({listed(sorted({name for group in types for name in group}))})"


def _attach_sources(session: Session, days: DayRange, day: date) -> None:
    for name, table in (("users", USERS_HISTORY), ("jobs", JOBS_HISTORY)):
        session.con.execute(f"CREATE TEMP VIEW {name} AS FROM {versions(session.lake, table)}")
    events = session.lake.select(EVENTS, DayRange(days.first, day - ONE_DAY))
    zone = session.settings.platform.time_zone
    session.con.execute(
        f"CREATE TEMP VIEW known_events AS SELECT *, {by_text(session.settings)} AS by_text "
        f"FROM {events} "
        f"WHERE known_before(occurred_at, recorded_at, {instant(day, zone)})"
    )


def _showings(settings: Settings, days: DayRange, day: date) -> str:
    """Return SQL of the impressions: the logged ones, or signs of interest if none are logged."""
    meaning = settings.events
    sampled = meaning.negatives == "sampled"
    return rendered(
        __package__,
        "showings_interest" if sampled else "showings_impressions",
        counted="NOT by_text" if _credits_once(settings) else "true",
        zone=quoted(settings.platform.time_zone),
        window_days=meaning.attribution_window_days,
        as_of=instant(day, settings.platform.time_zone),
        first_day=f"DATE {quoted(days.first.isoformat())}",
        last_day=f"DATE {quoted(days.last.isoformat())}",
        impression_types=_listed(meaning.impression_types),
        positive_types=_listed(
            meaning.impression_types, meaning.click_types, meaning.conversion_types
        ),
    )


def _credits_once(settings: Settings) -> bool:
    return settings.training.attribution == "last_touch"


def _days_with_examples(session: Session, days: DayRange) -> DayRange:
    first, last = _row(session.con, "SELECT min(dt), max(dt) FROM shown")
    if first is None:
        meaning = session.settings.events
        types = meaning.impression_types
        if meaning.negatives == "sampled":
            types += meaning.click_types + meaning.conversion_types
        raise TrainingError(
            f"No event of type {', '.join(types)} has a matured label between {days.first} and "
            f"{days.last}.",
            "Check events.impression_types against the source (`conversion-platform "
            "check-sources`), or set events.negatives = 'sampled' if it logs no impressions.",
        )
    return DayRange(first, last)


def _row(con: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    """Return the only row of a query (an open result would block the connection)."""
    (row,) = con.execute(query).fetchall()
    return row


def _keep_whole_slates(session: Session, split: Split) -> dict[str, float]:
    """Fill `kept` from `shown`, at most training.max_examples a window; return the kept shares."""
    rows_each = 1
    if session.settings.events.negatives == "sampled":
        rows_each += session.settings.events.negatives_per_positive
    shares, parts = {}, []
    for name, window in split.windows().items():
        inside = f"dt BETWEEN DATE '{window.first}' AND DATE '{window.last}'"
        (count,) = _row(session.con, f"SELECT count(*) FROM shown WHERE {inside}")
        shares[name] = min(1.0, session.settings.training.max_examples / max(rows_each * count, 1))
        kept = _kept(session.settings, shares[name])
        parts.append(f"SELECT {EXAMPLE} FROM shown WHERE {inside} AND {kept}")
    session.con.execute(f"CREATE TEMP TABLE kept AS {' UNION ALL '.join(parts)}")
    return shares


def _kept(settings: Settings, share: float) -> str:
    """Return a predicate that keeps `share` of the slates, the same ones in each run."""
    if share >= 1.0:
        return "true"
    salted = f"'{settings.training.seed}|' || slate"
    return f"md5_number_lower({salted}) < {int(share * HASH_RANGE)}::UBIGINT"


def _draw_and_label(session: Session) -> None:
    """Fill `drawn` (with negatives, if they are sampled) and `labelled`."""
    meaning = session.settings.events
    drawn = "SELECT * FROM kept"
    if meaning.negatives == "sampled":
        drawn = rendered(
            __package__,
            "negatives",
            zone=quoted(session.settings.platform.time_zone),
            negatives=meaning.negatives_per_positive,
            draws=DRAWS_PER_NEGATIVE * meaning.negatives_per_positive,
            seed=quoted(str(session.settings.training.seed)),
            window_days=meaning.attribution_window_days,
            taken="showings" if _credits_once(session.settings) else "(FROM showings LIMIT 0)",
        )
    session.con.execute(f"CREATE TEMP TABLE drawn AS {drawn}")
    labels = rendered(
        __package__,
        f"labels_{session.settings.training.attribution}",
        window_days=meaning.attribution_window_days,
        click_types=_listed(meaning.click_types),
        conversion_types=_listed(meaning.conversion_types),
        reaction_types=_listed(meaning.click_types, meaning.conversion_types),
    )
    session.con.execute(f"CREATE TEMP TABLE labelled AS {labels}")


def _with_features(session: Session, spec: FeatureSpec, split: Split) -> str:
    cases = " ".join(
        f"WHEN dt <= DATE '{window.last}' THEN {quoted(name)}"
        for name, window in split.windows().items()
    )
    pairs = f"(SELECT *, CASE {cases} END AS split FROM labelled)"
    days = DayRange(split.train.first, split.test.last)
    joined = pair_query(session, spec, pairs, days)
    return f"SELECT * EXCLUDE (dt), dt AS day FROM ({joined})"


def _summary(
    con: duckdb.DuckDBPyConnection, day: date, split: Split, shares: dict[str, float]
) -> ExamplesSummary:
    splits = {}
    for name, window in split.windows().items():
        rows, positives, users = _row(
            con,
            "SELECT count(*), count(*) FILTER (converted), count(DISTINCT user_id) "
            f"FROM labelled WHERE dt BETWEEN DATE '{window.first}' AND DATE '{window.last}'",
        )
        splits[name] = SplitCount(window, rows, positives, users)
    thinned = [f"{name}: {share:.1%} of the slates kept" for name, share in shares.items()]
    notes = [split.note] if split.note else []
    notes += [note for note, share in zip(thinned, shares.values(), strict=True) if share < 1]
    return ExamplesSummary(day, splits, tuple(notes))
