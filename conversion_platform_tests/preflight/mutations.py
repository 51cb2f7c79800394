"""Worlds that are odd, and that a run may or may not accept: drawn by a seed."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from conversion_platform.applications.job_of_the_day import assign_days
from conversion_platform.days import ONE_DAY, DayRange
from conversion_platform.features import build_features
from conversion_platform.inference import predict_days
from conversion_platform.lake import Session, open_session
from conversion_platform.marketplace import (
    capture_both,
    infer_attributes,
    load_events,
    load_jobs,
    load_users,
)
from conversion_platform.messaging import open_ledger, open_provider, plan_messages, replay_day
from conversion_platform.monitoring import drift_report
from conversion_platform.settings import Settings
from conversion_platform.training import build_examples, evaluate, explain, fit_candidate, promote
from conversion_platform_tests.preflight.world import (
    LAST,
    SOURCES,
    write_features,
    write_source,
)

NAMES = (
    "dt", "day", "as_of", "id", "user_code", "job_code", "pay_cents", "category_code", "position",
    "slate", "converted", "split", "rank", "score", "cohort", "arm", "user_clicks_7d", "job_pay",
    "tenure_days", "attribute_tenure_days", "order", "select", "a b", "Größe", "x;y", 'q"t', "null",
    "user_region", "distance_km", "known_at", "value", "d", "u", "e", "j", "level", "title", "pay",
)  # fmt: skip
VALUES = ("i % 4", "'v' || (i % 3)", "i % 2 = 0", "TIMESTAMPTZ '2026-01-01' + INTERVAL (i) HOUR")
OF_LEVEL = {
    "user": ("state", "region", "phone", "years", "desired_pay", "user_code", "rank", "u", "d"),
    "job": ("pay", "title", "category", "openings", "job_code", "score", "j", "stars"),
}
PREDICATES = (
    "true", "NOT true", "state = 'Texas'", "state ILIKE '%tex%'", "years > 2 AND user_years < 9",
    "created_at < day - INTERVAL 2 DAY", "user_clicks_7d > 0 OR user_days_since_click IS NULL",
    "user_region = 'north'", "regexp_matches(user_id, '^u0')", "shift IN ('day', 'late')",
    "desired_pay BETWEEN 10 AND 20", "day >= DATE '2026-01-01'", "left_at IS NULL",
    "CASE WHEN years > 3 THEN true ELSE state = 'x' END", "TRY_CAST(phone AS BIGINT) > 5",
    "len(skills) > 2", "list_contains(string_split(state, ' '), 'New')", "isodow(day) < 6",
)  # fmt: skip
TEMPLATES = (
    "{{ title }} STOP", "{{ sender }}: {{ title|upper }} {{ link }} STOP", "STOP",
    "{% if distance_km %}{{ distance_km }} km {% endif %}{{ employer }} STOP", "{{ pay }} stop",
    "{{ title * 40 }} STOP", "{{ pay|float|round|int }} STOP", "{{ category }} {{ shift }} Stop",
    "{% for n in range(3) %}{{ n }}{% endfor %} STOP", "{{ [title, region]|join('/') }} STOP",
)  # fmt: skip
SETTINGS: dict[str, tuple[Any, ...]] = {
    "platform.time_zone": ("Asia/Kolkata", "America/New_York", "Pacific/Apia", "UTC"),
    "platform.start_date": ("2026-01-01", "2025-12-01", "2026-01-06", "2026-01-15"),
    "events.impression_types": (["impression", "view"], ["click"], ["impression", "click"]),
    "events.click_types": ([], ["tap"], ["click", "application"]),
    "events.conversion_types": (["application", "hire"], ["click"], ["hire"]),
    "events.attribution_window_days": (1, 2, 7, 20),
    "events.late_days": (0, 30),
    "events.negatives": ("sampled",),
    "features.max_categories": (2,),
    "features.max_distance_km": (0.001,),
    "training.train_days": (2, 40),
    "training.test_days": (1,),
    "training.max_examples": (1000,),
    "training.early_stopping_rounds": (1,),
    "training.map_k": (1,),
    "predictions.top_k": (1, 1000),
    "predictions.active_days": (1,),
    "predictions.max_candidates": (1,),
    "predictions.candidates": ("region", "distance", "all"),
    "cohorts.quiet.size": (0, 1),
    "cohorts.quiet.min_probability": (1.0, 0.01),
    "cohorts.looking.send_time": ("00:00:00", "23:59:00"),
    "job_of_the_day.holdout_share": (0, 1),
    "job_of_the_day.salt": ("", "'"),
    "messaging.sender": ('It\'s "me"', "Ä" * 200),
    "messaging.country": ("GB", "DE"),
    "messaging.max_segments": (1,),
    "drift.sample_rows": (100,),
}
LACKING = {
    "users": ("phone", "region", "state", "time_zone", "consent_at", "desired_pay", "years"),
    "jobs": ("title", "region", "pay", "category", "employer_id", "opened_at", "shift", "stars"),
    "events": ("position", "event_id"),
}
FEW = {"users": "user_id = 'u01'", "jobs": "job_id = 'j01'", "events": "user_id < 'u03'"}


@dataclass
class Mutated:
    """A drawn world: what differs from the good one.

    Attributes:
        changes: Settings.
        queries: The sources that differ.
        files: Files of custom features.
    """

    changes: dict[str, Any] = field(default_factory=dict)
    queries: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Write what differs into a copy of the good world."""
        for name, query in self.queries.items():
            write_source(folder, name, query)
        write_features(folder / "custom", self.files)


def drawn(seed: int) -> Mutated:
    """Return the world of a seed: one to four changes."""
    dice = random.Random(seed)
    found = Mutated()
    for change in dice.choices(CHANGES, k=dice.randint(1, 4)):
        change(dice, found)
    return found


def _further_column(dice: random.Random, found: Mutated) -> None:
    source = dice.choice(("users", "jobs"))
    name = dice.choice(NAMES)
    query = found.queries.get(source, SOURCES[source])
    value = dice.choice(VALUES).replace("i", "(ascii(region) + length(shift))", 1)
    if f'AS "{name.replace(chr(34), chr(34) * 2)}"' in query or f"AS {name}" in query:
        return
    quoted = name.replace('"', '""')
    found.queries[source] = f'SELECT *, {value} AS "{quoted}" FROM ({query})'
    key = f"sources.{source}.attributes"
    usual = ["years"] if source == "users" else ["stars"]
    found.changes[key] = [*found.changes.get(key, usual), name]


def _custom_column(dice: random.Random, found: Mutated) -> None:
    level = dice.choice(("user", "job"))
    name = dice.choice((*OF_LEVEL[level], "plain"))
    found.files[f"{level}_{name}"] = (
        f"-- level: {level}\nSELECT dt, {level}_id, 1.5 AS {name} FROM days, {level}s"
    )


def _predicate(dice: random.Random, found: Mutated) -> None:
    found.changes[f"cohorts.{dice.choice(('looking', 'quiet'))}.where"] = dice.choice(PREDICATES)


def _template(dice: random.Random, found: Mutated) -> None:
    cohort = dice.choice(("looking", "quiet"))
    found.changes[f"cohorts.{cohort}.template"] = dice.choice(TEMPLATES)


def _setting(dice: random.Random, found: Mutated) -> None:
    key = dice.choice(list(SETTINGS))
    found.changes[key] = dice.choice(SETTINGS[key])


def _lacking(dice: random.Random, found: Mutated) -> None:
    source = dice.choice(list(LACKING))
    name = dice.choice(LACKING[source])
    query = found.queries.get(source, SOURCES[source])
    if source not in found.queries:
        found.queries[source] = f"SELECT * REPLACE (NULL AS {name}) FROM ({query})"


def _few(dice: random.Random, found: Mutated) -> None:
    source = dice.choice(list(FEW))
    query = found.queries.get(source, SOURCES[source])
    found.queries[source] = f"SELECT * FROM ({query}) WHERE {FEW[source]}"
    found.changes["sources.events.fail_share"] = 1.0


CHANGES: tuple[Callable[[random.Random, Mutated], None], ...] = (
    *(_further_column,) * 3,
    *(_custom_column,) * 2,
    *(_setting,) * 5,
    _predicate,
    _template,
    _lacking,
    _few,
)


def run_chain(settings: Settings, day: date = LAST + ONE_DAY) -> None:
    """Do what a first run of a day does, without Dagster.

    Args:
        settings: The settings of a world.
        day: The day.
    """
    start = settings.platform.start_date
    with open_session(settings) as session:
        load_users(session)
        load_jobs(session)
        capture_both(session, DayRange(start, day))
        infer_attributes(session)
        load_events(session, DayRange(start, day))
        build_features(session, DayRange(start, day))
        _train(session, day)
        assign_days(session, DayRange.of(day))
        with open_ledger(settings) as ledger, closing(open_provider(settings)) as provider:
            plan_messages(session, ledger, day)
            replay_day(ledger, provider, settings, day)


def _train(session: Session, day: date) -> None:
    build_examples(session, day)
    version = fit_candidate(session, day).version
    evaluate(session, version)
    explain(session, version)
    promote(session.lake, version, day, "the first")
    predict_days(session, DayRange.of(day), version)
    drift_report(session, day)
