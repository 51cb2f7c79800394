"""A good world as small as a run allows, and settings as a dict that a defect changes."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from conversion_platform.errors import Finding, PlatformError
from conversion_platform.preflight import Trial, check_data, loaded_trial
from conversion_platform.runs import reject_findings, settings_findings
from conversion_platform.settings import CONFIG_NAME, Settings, load_settings

START = date(2026, 1, 2)
LAST = date(2026, 1, 21)
Changes = Mapping[str, Any]

USERS = """
SELECT format('u{:02d}', i) AS user_id, TIMESTAMPTZ '2026-01-01 12:00Z' AS created_at,
    format('+1212{:07d}', 2000000 + i::INTEGER) AS phone, 'America/New_York' AS time_zone,
    ['New York', 'Texas'][1 + i % 2] AS state, ['north', 'south'][1 + i % 2] AS region,
    ['day', 'night'][1 + i % 2] AS shift, 15.0 + i % 5 AS desired_pay,
    TIMESTAMPTZ '2026-01-01 12:00Z' AS consent_at, 'form' AS consent_source,
    'I agree to texts.' AS consent_text, i % 7 AS years
FROM range(24) AS t (i)"""
JOBS = """
SELECT format('j{:02d}', i) AS job_id, TIMESTAMPTZ '2026-01-01 12:00Z' AS opened_at,
    NULL::TIMESTAMPTZ AS closed_at, ['Cook', 'Driver'][1 + i % 2] AS title,
    format('e{}', i % 3) AS employer_id, ['food', 'road'][1 + i % 2] AS category,
    ['north', 'south'][1 + i % 2] AS region, 14.0 + i AS pay,
    ['day', 'night'][1 + i % 2] AS shift, i % 3 AS openings, i % 4 AS stars
FROM range(8) AS t (i)"""
EVENTS = """
WITH shown AS (
    SELECT d, u, (u + d + s) % 8 AS j, s,
        TIMESTAMPTZ '2026-01-02 15:00Z' + INTERVAL (d) DAY + INTERVAL (u) MINUTE AS moment
    FROM range(20) AS days (d), range(24) AS users (u), range(2) AS slots (s)
), typed AS (
    SELECT *, 'impression' AS event_type, moment AS occurred_at FROM shown
    UNION ALL SELECT *, 'click', moment + INTERVAL 1 MINUTE FROM shown WHERE hash(d, u, s) % 3 = 0
    UNION ALL SELECT *, 'application', moment + INTERVAL 2 MINUTE
    FROM shown WHERE hash(d, u, s) % 6 = 0
)
SELECT format('{}-{}-{}-{}', event_type, d, u, s) AS event_id, format('u{:02d}', u) AS user_id,
    format('j{:02d}', j) AS job_id, event_type, occurred_at, s AS position
FROM typed"""
SOURCES = {"users": USERS, "jobs": JOBS, "events": EVENTS}
GOOD_FEATURES = {
    "evening": """-- level: user
SELECT d.dt, e.user_id, count(*) AS evening_clicks
FROM days AS d JOIN events AS e ON e.known_at < d.as_of AND e.event_type = 'click' GROUP BY ALL""",
    "worth": "-- level: job\nSELECT dt, job_id, pay * 2 AS double_pay FROM days, jobs",
}
GOOD: dict[str, Any] = {
    "platform": {"start_date": str(START), "clock": "replay"},
    "sources": {
        "users": {"path": "users.parquet", "attributes": ["years"]},
        "jobs": {"path": "jobs.parquet", "attributes": ["stars"]},
        "events": {"path": "events.parquet"},
    },
    "features": {"folder": "custom"},
    "training": {"train_days": 8, "validation_days": 3, "test_days": 3, "trees": 10},
    "cohorts": {
        "looking": {"where": "user_clicks_7d > 0 AND state = 'Texas'", "priority": 1},
        "quiet": {"template": "{{ title }} {% if pay %}${{ pay }}{% endif %} {{ link }} STOP"},
    },
    "schedule": {"enabled": False},
}


def changed(changes: Changes) -> dict[str, Any]:
    """The good settings with some keys (`cohorts.quiet.where`) replaced, added, or removed."""
    settings = copy.deepcopy(GOOD)
    for key, value in changes.items():
        *sections, name = key.split(".")
        place = settings
        for section in sections:
            place = place.setdefault(section, {})
        if value is None:
            place.pop(name)
        else:
            place[name] = value
    return settings


def toml(settings: Mapping[str, Any]) -> str:
    """Settings as TOML, a line for each section."""
    return "".join(f"{_key(name)} = {_value(value)}\n" for name, value in settings.items())


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(k)} = {_value(v)}" for k, v in value.items()) + "}"
    return json.dumps(value)


def _key(name: str) -> str:
    return json.dumps(name)


def write_source(folder: Path, name: str, query: str, kind: str = "parquet") -> None:
    """Write the rows of a query as the source of that name."""
    options = "FORMAT parquet" if kind == "parquet" else "FORMAT csv, HEADER"
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        con.execute(f"COPY ({query}) TO '{folder / name}.{kind}' ({options})")


def write_world(folder: Path) -> Path:
    """Write good sources, feature files and settings."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, query in SOURCES.items():
        write_source(folder, name, query)
    write_features(folder / "custom", GOOD_FEATURES)
    write_settings(folder, {})
    return folder


def write_features(folder: Path, files: Mapping[str, str]) -> None:
    """Write files of custom features."""
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.sql").write_text(text, encoding="utf-8")


def write_settings(folder: Path, changes: Changes, text: str = "") -> Path:
    """Write the good settings with changes; return the file."""
    file = folder / CONFIG_NAME
    file.write_text(text or toml(changed(changes)), encoding="utf-8")
    return file


def loaded_findings(settings: Settings) -> list[Finding]:
    """What `check-sources` finds: the settings, and the sources in a temporary lake."""
    found = settings_findings(settings)
    with loaded_trial(settings, None, learns=True) as (checked, trial):
        return [*found, *reject_findings(checked.report), *check_data(trial).findings]


def shared_findings(settings: Settings, trial: Trial) -> list[Finding]:
    """The same for settings that do not change what is loaded: on data that are loaded already."""
    found = settings_findings(settings)
    if told(found):
        return found
    session = replace(trial.session, settings=settings)
    return [*found, *check_data(replace(trial, session=session)).findings]


def told(found: Iterable[Finding]) -> str:
    """The errors among findings, each with the setting that it is about."""
    return "\n".join(f"{one.setting}: {one.error}" for one in found if not one.warning)


def told_of_file(file: Path, trial: Trial | None) -> str:
    """What is told of a settings file before anything runs; empty if nothing is wrong."""
    try:
        settings = load_settings(file)
        return told(shared_findings(settings, trial) if trial else loaded_findings(settings))
    except PlatformError as error:
        return str(error)
