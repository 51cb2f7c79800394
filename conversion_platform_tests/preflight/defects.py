"""Settings and sources with one defect each, by kind and by place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from conversion_platform.lake import FORMAT
from conversion_platform_tests.preflight.world import (
    EVENTS,
    SOURCES,
    Changes,
    write_features,
    write_source,
)

Prepare = Callable[[Path], None]


def nothing(folder: Path) -> None:
    """Leave the folder of the good world as it is."""


@dataclass(frozen=True)
class Defect:
    """One defect.

    Attributes:
        kind: What is wrong.
        place: Where.
        told: What a message must name: a setting, a file, a cohort.
        changes: Settings that differ from the good ones.
        prepare: Changes the good world's folder.
        loads: Whether it concerns what is loaded: the sources have to be read for it.
        text: The whole settings file instead.
    """

    kind: str
    place: str
    told: str
    changes: Changes = field(default_factory=dict)
    prepare: Prepare = nothing
    loads: bool = False
    text: str = ""

    def __str__(self) -> str:
        return f"{self.kind}-{self.place}"


COHORTS = ("looking", "quiet")
PREDICATES: Mapping[str, tuple[str, ...]] = {
    "unknown column": ("user_clicks_7 > 0", "stat = 'Texas'", "users.years > 1", "pay > 10"),
    "job's column": ("title = 'Cook'", "job_pay > 15", "opened_at < day"),
    "syntax error": ("state >", "(state = 'Texas'", "state = 'Texas", "AND true", "true;;("),
    "no single expression": ("true; DROP TABLE people", "true) FROM range(3", "true, false"),
    "subquery": ("user_id IN (SELECT 'u01')", "EXISTS (SELECT 1)"),
    "volatile": ("random() < 0.5", "created_at < now()", "current_date > day", "uuid() > 'a'"),
    "aggregate": ("count(*) > 1", "max(years) > 3", "row_number() OVER () < 5"),
    "no condition": ("years", "state", "1", "'yes'", "NULL", "day", "user_clicks_7d + 1"),
    "text and number": ("shift = 1", "state > 5", "shift IN (1, 2)", "7 = user_region"),
    "cast fails": ("CAST(state AS INTEGER) > 1", "shift::DATE < day", "region::INTEGER = 1"),
    "literal of another type": ("years = 'many'", "created_at > 'soon'", "day = 'today'"),
    "double quotes": ('state = "Texas"', 'shift IN ("day")'),
    "unknown function": ("lowercase(state) = 'texas'", "days_between(day, created_at) > 3"),
    "parameter": ("years > ?", "years > $1"),
}
TEMPLATES: Mapping[str, tuple[str, ...]] = {
    "unknown variable": ("{{ titel }} STOP", "{{ salary }} STOP", "{{ job.title }} STOP"),
    "template syntax": ("{{ title STOP", "{% if pay %} STOP", "{% endfor %} STOP", "{{ }} STOP"),
    "no stop": ("{{ title }} {{ link }}", "Nonstop jobs: {{ title }}"),
    "forbidden": ("{{ title.__class__.__mro__ }} STOP", "{{ title.__init__.__globals__ }} STOP"),
    "type error": ("{{ title + 1 }} STOP", "{{ pay - 1 }} STOP", "{{ title['a'] }} STOP"),
    "unknown filter": ("{{ title|upcase }} STOP", "{% if title is nice %}{% endif %} STOP"),
    "include": ("{% include 'x' %} STOP", "{% import 'x' as y %} STOP", "{% extends 'x' %} STOP"),
    "fails on a value": ("{{ 1 / (pay|float - 15) }} STOP", "{{ 'Cook'.index(title) }} STOP"),
}
USER, JOB = "-- level: user\n", "-- level: job\n"
OF_USERS, OF_JOBS = "FROM days, users", "FROM days, jobs"
FILES: Mapping[str, tuple[str, ...]] = {
    "no level": (f"SELECT dt, user_id, 1 AS a {OF_USERS}", f"-- level: pair\nSELECT 1 {OF_USERS}"),
    "feature syntax": (f"{USER}SELEC dt", f"{JOB}SELECT dt, FROM", f"{USER}SELECT 1; SELECT 2"),
    "unknown source column": (
        f"{USER}SELECT dt, user_id, yeers AS a {OF_USERS}",
        f"{JOB}SELECT dt, job_id, salary AS a {OF_JOBS}",
        f"{USER}SELECT dt, user_id, 1 AS a FROM days, clicks",
    ),
    "no day": (f"{USER}SELECT user_id, 1 AS a {OF_USERS}", f"{JOB}SELECT job_id, 1 AS a {OF_JOBS}"),
    "no id": (f"{USER}SELECT dt, 1 AS a {OF_USERS}", f"{JOB}SELECT dt, 1 AS a {OF_JOBS}"),
    "two rows for a key": (
        f"{USER}SELECT dt, user_id, 1 AS a {OF_USERS}, range(2)",
        f"{JOB}SELECT dt, job_id, 1 AS a {OF_JOBS}, range(2)",
        f"{USER}SELECT DATE '2026-01-05' AS dt, user_id, 1 AS a {OF_USERS}",
    ),
    "infinite": (
        f"{USER}SELECT dt, user_id, 1 / years AS a {OF_USERS}",
        f"{JOB}SELECT dt, job_id, pay / openings AS a {OF_JOBS}",
        f"{JOB}SELECT dt, job_id, 1e300 AS a {OF_JOBS}",
    ),
    "no number": (
        f"{USER}SELECT dt, user_id, state {OF_USERS}",
        f"{JOB}SELECT dt, job_id, opened_at AS a {OF_JOBS}",
    ),
    "no feature": (f"{USER}SELECT dt, user_id {OF_USERS}", f"{JOB}SELECT dt, job_id {OF_JOBS}"),
    "name of a built-in feature": (
        f"{USER}SELECT dt, user_id, 1 AS user_clicks_7d {OF_USERS}",
        f"{JOB}SELECT dt, job_id, 1 AS job_pay {OF_JOBS}",
        f"{USER}SELECT dt, user_id, 1 AS distance_km {OF_USERS}",
    ),
    "name of an attribute's feature": (
        f"{USER}SELECT dt, user_id, 1 AS user_years {OF_USERS}",
        f"{JOB}SELECT dt, job_id, 1 AS job_stars {OF_JOBS}",
    ),
    "name of another file's feature": (
        f"{USER}SELECT dt, user_id, 1 AS evening_clicks {OF_USERS}",
    ),
    "name that the platform uses": (
        f"{USER}SELECT dt, user_id, 1 AS job_id {OF_USERS}",
        f"{JOB}SELECT dt, job_id, 1 AS position {OF_JOBS}",
        f"{JOB}SELECT dt, job_id, 1 AS converted {OF_JOBS}",
        f"{USER}SELECT dt, user_id, 1 AS slate {OF_USERS}",
        f"{JOB}SELECT dt, job_id, 1 AS score {OF_JOBS}",
    ),
    "no name": (
        f'{USER}SELECT dt, user_id, 1 AS "Years" {OF_USERS}',
        f"{JOB}SELECT dt, job_id, pay + 1 {OF_JOBS}",
    ),
    "feature cast fails": (
        f"{USER}SELECT dt, user_id, state::INTEGER AS a {OF_USERS}",
        f"{JOB}SELECT dt, job_id, title::INTEGER AS a {OF_JOBS}",
    ),
}
OUT_OF_RANGE: Mapping[str, object] = {
    "platform.threads": 0,
    "platform.memory_limit": "much",
    "sources.users.warn_share": 1.5,
    "sources.jobs.fail_share": -0.1,
    "sources.events.warn_share": 2,
    "events.attribution_window_days": 0,
    "events.late_days": -1,
    "events.negatives_per_positive": 0,
    "events.conversion_types": [],
    "features.shrinkage": 0,
    "features.max_categories": 1,
    "features.max_distance_km": -5,
    "training.train_days": 1,
    "training.validation_days": 0,
    "training.test_days": 0,
    "training.max_examples": 10,
    "training.trees": 0,
    "training.depth": 99,
    "training.learning_rate": 0,
    "training.early_stopping_rounds": 0,
    "training.seed": -1,
    "training.click_value": 1.1,
    "training.map_k": 0,
    "training.train_weekday": 7,
    "predictions.top_k": 0,
    "predictions.active_days": 0,
    "predictions.max_candidates": 0,
    "cohorts.quiet.size": -1,
    "cohorts.looking.min_probability": 1.5,
    "cohorts.quiet.priority": 10_000_000,
    "job_of_the_day.repeat_days": 0,
    "job_of_the_day.holdout_share": 1.01,
    "job_of_the_day.max_texts_per_week": 0,
    "messaging.max_segments": 0,
    "messaging.sandbox.fail_share": 2,
    "messaging.sandbox.stop_share": -1,
    "messaging.sandbox.seed": -3,
    "drift.sample_rows": 1,
    "drift.max_drifted_share": 7,
    "drift.statistic_threshold": 0,
    "schedule.send_every_minutes": 0,
    "schedule.keep_runs_days": 0,
}
WRONG_KIND: Mapping[str, object] = {
    "platform.start_date": "yesterday",
    "platform.threads": "two",
    "platform.clock": "sundial",
    "events.negatives": "guessed",
    "events.click_types": "click",
    "training.trees": True,
    "predictions.candidates": "near",
    "cohorts.looking.send_time": "noon",
    "cohorts.quiet.where": 5,
    "messaging.provider": "pigeon",
    "messaging.country": "USA",
    "messaging.sender": "  ",
    "messaging.link_base": "two words",
    "schedule.enabled": "perhaps",
    "schedule.daily_at": 6,
    "sources.users.columns": ["user_id"],
    "sources.jobs.duplicates": "oldest",
    "sources.users.encoding": "klingon",
    "sources.events.delimiter": ";;",
    "sources.events.attributes": ["kind"],
    "sources.events.folders": "changes",
    "sources.users.format": "postgres",
}
MISSPELT = (
    "platform.start_dat", "sources.users.colums", "sources.jobs.attribute", "events.click_type",
    "features.folders", "training.tree", "predictions.topk", "cohorts.looking.wher",
    "cohorts.quiet.sendtime", "job_of_the_day.holdout", "messaging.send", "drift.rows",
    "schedule.daily", "messaging.sandbox.fail", "platforms", "cohort",
)  # fmt: skip
ZONES = ("platform", "sources.users", "sources.jobs", "sources.events")


def defects() -> Iterator[Defect]:
    """Yield every defect."""
    yield from _of_cohorts()
    yield from _of_features()
    yield from _of_values()
    yield from _of_places()
    yield from _of_mappings()
    yield from _of_sources()
    yield from _of_events()


def _of_cohorts() -> Iterator[Defect]:
    for key, by_kind in (("where", PREDICATES), ("template", TEMPLATES)):
        for kind, texts in by_kind.items():
            for number, text in enumerate(texts):
                cohort = COHORTS[number % 2]
                setting = f"cohorts.{cohort}.{key}"
                yield Defect(kind, text, setting, {setting: text})


def _of_features() -> Iterator[Defect]:
    for kind, texts in FILES.items():
        for number, text in enumerate(texts):
            yield Defect(kind, str(number), "odd.sql", prepare=_file("odd", text))
    for name in ("Odd", "1odd", "odd-file"):
        text = f"{USER}SELECT dt, user_id, 1 AS a {OF_USERS}"
        yield Defect("name of a file", name, f"{name}.sql", prepare=_file(name, text))
    for place in ("nowhere", "users.parquet"):
        yield Defect("no folder", place, "features.folder", {"features.folder": place})
    yield Defect("bytes", "file", "odd.sql", prepare=_bytes("custom/odd.sql", b"-- \xff\n"))


def _of_values() -> Iterator[Defect]:
    for kind, values in (("out of range", OUT_OF_RANGE), ("wrong kind", WRONG_KIND)):
        for key, value in values.items():
            told = key.rpartition(".")[0] if key == "sources.users.format" else key
            yield Defect(kind, key, told, {key: value})
    for key in MISSPELT:
        yield Defect("misspelt key", key, key, {key: 1})
    for section in ZONES:
        for zone in ("America/Gotham", "EST5", "localtime"):
            key = f"{section}.time_zone"
            yield Defect("unknown zone", f"{section} {zone}", key, {key: zone})
    for key in ("platform.lake", "sources.users.path", "sources.events.path"):
        address = "s3://me:secret@bucket/lake"
        yield Defect("password", key, key, {key: address})
    yield Defect("future", "start", "platform.start_date", {"platform.start_date": "2999-01-01"})
    for name in ("Night", "1st", "a-b"):
        yield Defect("name of a cohort", name, name, {f"cohorts.{name}": {"where": "true"}})
    for text in ("[platform", "a = ", "[x]\n[x]"):
        yield Defect("no TOML", text.splitlines()[0], "conversion_platform.toml", text=text)
    yield Defect("no cohort", "all", "cohorts", {"cohorts": {}})
    both = {"events.click_types": ["x"], "events.impression_types": ["application"]}
    yield Defect("two meanings", "events", "events.conversion_types", both)


def _of_places() -> Iterator[Defect]:
    places = {
        "platform.lake": ("users.parquet", "users.parquet/lake", "a=b/lake"),
        "messaging.ledger": ("custom", "users.parquet/x.sqlite", "s3://bucket/x.sqlite"),
    }
    for key, values in places.items():
        for value in values:
            yield Defect("place", f"{key} {value}", key, {key: value})
    yield Defect(
        "zone of the lake",
        "lake",
        "platform.time_zone",
        prepare=_texts(
            {
                "lake/platform/time_zone.json": '{"time_zone": "Asia/Tokyo"}',
                "lake/platform/format.json": f'{{"format": {FORMAT}, "release": "0.1.0"}}',
            }
        ),
    )
    for number in (1, 999):
        text = f'{{"format": {number}, "release": "9"}}'
        prepare = _texts({"lake/platform/format.json": text})
        yield Defect("format of the lake", str(number), "platform.lake", prepare=prepare)


def _of_mappings() -> Iterator[Defect]:
    wrong = {
        "users": ("region", "phone", "user_id"),
        "jobs": ("title", "job_id"),
        "events": ("event_type", "occurred_at", "channel"),
    }
    for source, names in wrong.items():
        for name in names:
            key = f"sources.{source}.columns"
            changes = {key: {name: "no_such"}}
            yield Defect("unknown mapped column", f"{source} {name}", key, changes, loads=True)
        key = f"sources.{source}.columns"
        changes = {key: {"colour": "state"}}
        yield Defect("unknown contract column", source, key, changes, loads=True)
    twice = {
        "users": (
            {"region": "user_id"},
            {"latitude": "years", "longitude": "years"},
            {"created_at": "x", "left_at": "x"},
            {"phone": "n", "desired_pay": "n"},
        ),
        "jobs": (
            {"title": "job_id"},
            {"opened_at": "x", "closed_at": "x"},
            {"pay": "n", "title": "n"},
        ),
        "events": ({"job_id": "user_id"}, {"occurred_at": "user_id"}, {"event_type": "job_id"}),
    }
    for source, mappings in twice.items():
        for mapping in mappings:
            key = f"sources.{source}.columns"
            place = f"{source} {' '.join(mapping)}"
            yield Defect("mapped twice", place, key, {key: mapping})


def _of_sources() -> Iterator[Defect]:
    required = {
        "users": ("user_id",),
        "jobs": ("job_id",),
        "events": ("user_id", "job_id", "event_type", "occurred_at"),
    }
    for source, names in required.items():
        query, setting = SOURCES[source], f"sources.{source}"
        for name in names:
            lacking = _source(source, f"SELECT * EXCLUDE ({name}) FROM ({query})")
            yield Defect(
                "required column", f"{source} {name}", setting, prepare=lacking, loads=True
            )
            empty = _source(source, f"SELECT * REPLACE (NULL AS {name}) FROM ({query})")
            yield Defect("all rejected", f"{source} {name}", setting, prepare=empty, loads=True)
        yield from _of_source(source, query, setting)
    for name in ("users", "jobs"):
        changes = {f"sources.{name}.attributes": ["no_such"]}
        told = f"sources.{name}.attributes"
        yield Defect("unknown attribute", name, told, changes, loads=True)
        key = {"users": "user_id", "jobs": "job_id"}[name]
        query = SOURCES[name]
        twice = f"FROM ({query}) UNION ALL SELECT * REPLACE ('x' AS region) FROM ({query})"
        yield Defect(
            "undecided",
            f"{name} {key}",
            f"sources.{name}",
            prepare=_source(name, twice),
            loads=True,
        )


def _of_source(source: str, query: str, setting: str) -> Iterator[Defect]:
    file, key = f"{source}.parquet", "job_id" if source == "jobs" else "user_id"
    prepared: Mapping[str, Prepare] = {
        "missing file": lambda folder: (folder / file).unlink(),
        "no row": _source(source, f"SELECT * FROM ({query}) WHERE false"),
        "damaged file": _bytes(file, b"PAR1 no Parquet"),
        "name of the platform": _source(source, f"SELECT *, 1 AS _cp_row FROM ({query})"),
        "too many rejected": _source(
            source,
            f"FROM ({query}) UNION ALL SELECT * REPLACE (NULL AS {key}) FROM ({query})",
        ),
    }
    for kind, prepare in prepared.items():
        yield Defect(kind, source, setting, prepare=prepare, loads=True)
    changes: Mapping[str, Changes] = {
        "no match": {f"{setting}.path": "none-*.parquet"},
        "unknown kind of file": {f"{setting}.path": "custom/worth.sql"},
        "wrong SQL": {f"{setting}.path": None, f"{setting}.sql": "SELECT * FROM nowhere"},
        "no query": {f"{setting}.path": None, f"{setting}.sql": "SELEC 1"},
        "variable not set": {
            f"{setting}.path": None,
            f"{setting}.format": "postgres",
            f"{setting}.table": "people",
            f"{setting}.dsn_env": f"NO_SUCH_DSN_{source.upper()}",
        },
    }
    for kind, change in changes.items():
        told = f"NO_SUCH_DSN_{source.upper()}" if kind == "variable not set" else setting
        yield Defect(kind, source, told, change, loads=True)


def _of_events() -> Iterator[Defect]:
    for kind, key in (("impressions", "impression_types"), ("conversions", "conversion_types")):
        for name in ("impresion", "aplication", "view"):
            setting = f"events.{key}"
            yield Defect(f"{kind} never occur", name, setting, {setting: [name]})
    later = {"platform.start_date": "2026-03-01"}
    yield Defect("start after the events", "start", "platform.start_date", later, loads=True)
    yield Defect(
        "no conversion",
        "events",
        "events.conversion_types",
        prepare=_source("events", f"FROM ({EVENTS}) WHERE event_type <> 'application'"),
        loads=True,
    )
    yield Defect(
        "no impression",
        "events",
        "events.impression_types",
        prepare=_source("events", f"FROM ({EVENTS}) WHERE event_type <> 'impression'"),
        loads=True,
    )
    everything = f"""
        WITH e AS ({EVENTS}), i AS (SELECT * FROM e WHERE event_type = 'impression')
        SELECT * FROM i UNION ALL SELECT * REPLACE ('a' || event_id AS event_id,
        'application' AS event_type, occurred_at + INTERVAL 1 MINUTE AS occurred_at) FROM i"""
    yield Defect("one class", "events", "events", prepare=_source("events", everything), loads=True)
    early = f"FROM ({EVENTS}) WHERE event_type <> 'application' OR occurred_at < '2026-01-03'"
    window = {"training.train_days": 3, "training.validation_days": 1, "training.test_days": 1}
    yield Defect("one class", "window", "events", window, _source("events", early), loads=True)


def _file(name: str, text: str) -> Prepare:
    return lambda folder: write_features(folder / "custom", {name: text})


def _source(name: str, query: str) -> Prepare:
    return lambda folder: write_source(folder, name, query)


def _bytes(name: str, content: bytes) -> Prepare:
    def written(folder: Path) -> None:
        (folder / name).write_bytes(content)

    return written


def _texts(files: Mapping[str, str]) -> Prepare:
    def written(folder: Path) -> None:
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)

    return written
