"""Source files and a model of any size: the ground of the daily run's benchmark.

The world has no truth to be learned. It has what costs time: users with phones and consent,
exactly 2,000 jobs open on the day, 125 of them in each region, slates and clicks of five weeks,
and a model with as many trees as the settings allow.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conversion_platform.days import ONE_DAY, DayRange
from conversion_platform.lake import Session
from conversion_platform.settings import Settings, load_settings

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa


DAY = date(2026, 3, 2)
HISTORY = DayRange(date(2026, 1, 26), DAY - ONE_DAY)
OPEN_JOBS, CLOSED_JOBS, REGIONS, CATEGORIES, SLATE = 2000, 500, 16, 12, 8
ACTIVE_SHARE, CLICK_RATE, CONVERSION_RATE = 0.125, 0.10, 0.02
ZONES = ("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles")
SHIFTS = ("day", "night", "weekend")
FITTED_ON = 20_000
CONFIGURATION = """
[platform]
start_date = 2026-01-26
clock = "replay"
[sources.users]
path = "source/users.parquet"
attributes = ["experience_years"]
[sources.jobs]
path = "source/jobs.parquet"
attributes = ["remote"]
[cohorts.newcomers]
where = "created_at > day - INTERVAL 30 DAY"
send_time = 18:00:00
priority = 1
[cohorts.everyone]
where = "user_impressions_28d >= 0"
"""


def write_sources(folder: Path, users: int) -> Settings:
    """Writes settings and source files below `folder`; returns the settings."""
    import numpy as np
    import pyarrow.parquet as pq

    random = np.random.default_rng(9)
    file = folder / "conversion_platform.toml"
    file.write_text(CONFIGURATION)
    source = folder / "source"
    source.mkdir(parents=True)
    pq.write_table(_users(random, users), source / "users.parquet")
    pq.write_table(_jobs(random), source / "jobs.parquet")
    for day in HISTORY:
        (source / "events" / f"dt={day}").mkdir(parents=True)
        events = _events(random, users, day)
        pq.write_table(events, source / "events" / f"dt={day}" / "part.parquet")
    return load_settings(file)


def fit_model(session: Session) -> str:
    """Registers a model on made-up labels for pairs of the last day of history; its version."""
    from conversion_platform.features import feature_spec, pair_query

    day = HISTORY.last
    spec = feature_spec(session)
    pairs = f"""(SELECT DISTINCT user_id, job_id, DATE '{day}' AS dt, 0 AS position
        FROM events WHERE dt > DATE '{day}' - 7 ORDER BY user_id, job_id LIMIT {FITTED_ON})"""
    query = pair_query(session, spec, pairs, DayRange.of(day))
    rows = session.con.sql(f"SELECT * FROM ({query}) ORDER BY user_id, job_id").to_arrow_table()
    return _register(session, spec, rows)


def _register(session: Session, spec: Any, rows: pa.Table) -> str:
    import numpy as np

    from conversion_platform.features import SLOTS
    from conversion_platform.training.calibration import Shown, fit_calibration
    from conversion_platform.training.encoding import Encoder, fit_vocabulary
    from conversion_platform.training.offset import Offset
    from conversion_platform.training.ranker import Examples, fit_booster, score_matrix
    from conversion_platform.training.registry import add_version

    values = {name: rows[name].drop_null().value_counts() for name in spec.names("categorical")}
    counted = {
        name: [(item["values"], item["counts"]) for item in found.to_pylist()]
        for name, found in values.items()
    }
    vocabularies = {name: fit_vocabulary(pairs, 50) for name, pairs in counted.items()}
    encoder = Encoder((*spec.names(), "position"), vocabularies)
    matrix = encoder.matrix(rows)
    wish = np.nan_to_num(matrix).std(axis=0)
    signal = (np.nan_to_num(matrix) / np.where(wish > 0, wish, 1)).sum(axis=1)
    noise = np.random.default_rng(1).normal(0, signal.std(), len(signal))
    labels = signal + noise > np.quantile(signal + noise, 0.9)
    examples = Examples(matrix, labels, labels)
    booster = fit_booster(session.settings, encoder, examples, None, (0.0,) * SLOTS)
    scores = score_matrix(booster, Offset.of(booster), encoder, matrix)
    calibration = fit_calibration(Shown(scores, labels, np.zeros(len(labels))))
    card = _card(session.settings, spec, encoder, booster.num_boosted_rounds())
    return add_version(session.lake, bytes(booster.save_raw("ubj")), calibration, card).version


def _card(settings: Settings, spec: Any, encoder: Any, rounds: int) -> Any:
    from conversion_platform.training import ModelCard

    return ModelCard(
        version="",
        day=HISTORY.last,
        spec=spec,
        columns=encoder.columns,
        vocabularies=encoder.vocabularies,
        label={},
        splits={},
        rounds=rounds,
        settings=settings.training.model_dump(mode="json"),
        libraries={},
        fingerprint="",
    )


def _moments(start: date, seconds: np.ndarray) -> pa.Array:
    """Seconds after midnight in New York (winter) of `start`, as UTC time stamps."""
    import pyarrow as pa

    midnight = int(datetime(start.year, start.month, start.day, 5, tzinfo=UTC).timestamp())
    return pa.array((seconds.astype("int64") + midnight) * 1_000_000, pa.timestamp("us", tz="UTC"))


def _pick(words: Any, codes: np.ndarray) -> pa.Array:
    import pyarrow as pa

    return pa.array(words).take(pa.array(codes))


def _names(prefix: str, codes: np.ndarray) -> pa.Array:
    return _pick([f"{prefix}{code:07d}" for code in range(int(codes.max()) + 1)], codes)


def _place(region: np.ndarray, random: np.random.Generator) -> dict[str, np.ndarray]:
    return {
        "latitude": 30.0 + region + random.normal(0, 0.2, len(region)),
        "longitude": -120.0 + 3 * region + random.normal(0, 0.2, len(region)),
    }


def _users(random: np.random.Generator, users: int) -> pa.Table:
    import numpy as np
    import pyarrow as pa

    number = np.arange(users)
    region = number % REGIONS
    joined = random.integers(-300 * 86400, -86400, users)
    first, second = random.integers(0, CATEGORIES, (2, users))
    texted = random.random(users) < 0.85
    return pa.table(
        {
            "user_id": _names("u", number),
            "created_at": _moments(DAY, joined),
            "region": _names("region", region),
            **_place(region, random),
            "time_zone": _pick(ZONES, region * len(ZONES) // REGIONS),
            "state": _pick(("NY", "IL", "CO", "CA"), region * len(ZONES) // REGIONS),
            "phone": pa.array(_phones(users), mask=~texted),
            "consent_at": pa.array(_moments(DAY, joined), mask=~texted),
            "consent_source": pa.array(["web form"] * users, mask=~texted),
            "consent_text": pa.array(["I agree to get texts about jobs."] * users, mask=~texted),
            "desired_pay": np.round(random.normal(20, 4, users), 2),
            "skills": [
                f"category{a:07d}|category{b:07d}" for a, b in zip(first, second, strict=True)
            ],
            "shift": _pick(SHIFTS, random.integers(0, 3, users)),
            "experience_years": random.integers(0, 20, users).astype("float64"),
        }
    )


def _phones(users: int) -> list[str]:
    """Numbers reserved for fiction (555-01xx); people share them once they run out."""
    import phonenumbers

    codes = [
        code
        for code in range(201, 990)
        if phonenumbers.region_code_for_number(phonenumbers.parse(f"+1{code}5550100")) == "US"
    ]
    return [f"+1{codes[n // 100 % len(codes)]}55501{n % 100:02d}" for n in range(users)]


def _jobs(random: np.random.Generator) -> pa.Table:
    import numpy as np
    import pyarrow as pa

    jobs = OPEN_JOBS + CLOSED_JOBS
    number = np.arange(jobs)
    region = number % REGIONS
    opened = random.integers(-40 * 86400, -2 * 86400, jobs)
    is_open = number < OPEN_JOBS
    closed = np.where(is_open, 30, -1) * 86400
    return pa.table(
        {
            "job_id": _names("j", number),
            "opened_at": _moments(DAY, opened),
            "closed_at": pa.array(_moments(DAY, closed), mask=is_open & (number % 3 == 0)),
            "title": [f"Helper {code}" for code in number],
            "employer_id": _names("e", random.integers(0, jobs // 10, jobs)),
            "category": _names("category", random.integers(0, CATEGORIES, jobs)),
            "region": _names("region", region),
            **_place(region, random),
            "pay": np.round(random.normal(20, 4, jobs), 2),
            "shift": _pick(SHIFTS, random.integers(0, 3, jobs)),
            "remote": random.random(jobs) < 0.1,
        }
    )


def _events(random: np.random.Generator, users: int, day: date) -> pa.Table:
    """One day's slates of jobs of the user's region, and what followed within the hour."""
    import numpy as np
    import pyarrow as pa

    slates = round(users * ACTIVE_SHARE)
    user = np.repeat(random.choice(users, slates, replace=False), SLATE)
    skewed = (random.random(len(user)) ** 2 * ((OPEN_JOBS + CLOSED_JOBS) // REGIONS)).astype(
        "int64"
    )
    job = skewed * REGIONS + user % REGIONS
    second = np.repeat(random.integers(6 * 3600, 20 * 3600, slates), SLATE)
    clicked = np.flatnonzero(random.random(len(job)) < CLICK_RATE)
    converted = np.flatnonzero(random.random(len(job)) < CONVERSION_RATE)
    rows = np.concatenate([np.arange(len(job)), clicked, converted])
    kind = np.repeat([0, 1, 2], [len(job), len(clicked), len(converted)])
    at = second[rows] + kind * 600
    late = np.where(random.random(len(rows)) < 0.02, 86400, 0)
    return pa.table(
        {
            "event_id": [f"{day:%m%d}-{number}" for number in range(len(rows))],
            "user_id": _names("u", user[rows]),
            "job_id": _names("j", job[rows]),
            "event_type": _pick(("impression", "click", "application"), kind),
            "occurred_at": _moments(day, at),
            "recorded_at": _moments(day, at + late),
            "position": np.tile(np.arange(SLATE), slates)[rows].astype("int32"),
        }
    )
