"""The users and jobs tables as the marketplace would export them at the end of a day.

They contain nothing that happens later: no later users and jobs, no later closing or leaving.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from conversion_platform.simulator.event_arrays import (
    SECOND,
    job_ids,
    labels,
    name_array,
    timestamps,
    user_ids,
    write_table,
)
from conversion_platform.simulator.geography import (
    ABOUT,
    CATEGORIES,
    CONSENT_SOURCES,
    CONSENT_TEXT,
    METROS,
    REFERRALS,
    SHIFTS,
)
from conversion_platform.simulator.private_columns import private_columns
from conversion_platform.simulator.randomness import Floats, Hash, Ints
from conversion_platform.simulator.response import Truth
from conversion_platform.simulator.state import State
from conversion_platform.simulator.user_arrays import SEGMENTS
from conversion_platform.simulator.world_on_day import day_end, micros_of_day

if TYPE_CHECKING:
    import pyarrow

KM_PER_DEGREE = 111.195
LINES_PER_AREA_CODE = 100
NAMES = tuple(name for name, _, _ in CATEGORIES)


def write_snapshots(folder: Path, truth: Truth, state: State, day: date) -> None:
    """Write `source/users.parquet` and `source/jobs.parquet` as of the end of `day`."""
    users, jobs = users_table(truth, day), jobs_table(truth, state, day)
    if any(drift.kind == "nothing" and day >= drift.day for drift in truth.world.drifts):
        users, jobs = _reordered(truth, users, day), _reordered(truth, jobs, day)
    write_table(users, folder / "source/users.parquet")
    write_table(jobs, folder / "source/jobs.parquet")


def users_table(truth: Truth, day: date) -> pyarrow.Table:
    """Return the marketplace's table of users at the end of `day`."""
    import pyarrow as pa

    users, world = truth.users, truth.world
    number = world.index(day)
    here = np.flatnonzero(users.joined_day <= number)
    metro = users.metro[here]
    joined = _at(truth, users.joined_day[here], users.joined_second[here])
    left = _at(truth, users.left_day[here], users.joined_second[here])
    latitude, longitude = _coordinates(metro, users.x[here], users.y[here])
    consents, has_phone = users.consents[here], users.has_phone[here]
    nothing = pa.array([None], pa.string()).take(pa.array(np.zeros(len(here), np.int64)))
    consent = pa.array(consents)
    return pa.table(
        {
            "user_id": user_ids(here),
            "created_at": timestamps(joined),
            "left_at": timestamps(left, left < day_end(world, day)),
            "phone": _phones(truth, here, has_phone),
            "time_zone": name_array(metro, tuple(place.time_zone for place in METROS)),
            "state": name_array(metro, tuple(place.state for place in METROS)),
            "postal_code": _postal_codes(metro, users.x[here]),
            "region": name_array(metro, tuple(place.name for place in METROS)),
            "latitude": latitude,
            "longitude": longitude,
            "desired_pay": users.desired_pay[here],
            "skills": _skills(users.stated_skill[here], users.second_skill[here]),
            "shift": name_array(users.shift[here], SHIFTS),
            "consent_at": timestamps(joined + 90 * SECOND, consents),
            "consent_source": _if(consent, name_array(users.consent_source[here], CONSENT_SOURCES)),
            "consent_text": _if(consent, pa.scalar(CONSENT_TEXT), nothing),
            "experience_years": users.experience[here],
            "has_car": users.has_car[here],
            "referral": name_array(users.referral[here], REFERRALS),
            "about": name_array(_pick(truth, "about", here, len(ABOUT)), ABOUT),
            **private_columns(world.seed, here),
        }
    )


def jobs_table(truth: Truth, state: State, day: date) -> pyarrow.Table:
    """Return the marketplace's table of jobs at the end of `day`."""
    jobs, world = truth.jobs, truth.world
    here = np.flatnonzero(jobs.opened_day <= world.index(day))
    metro, category = jobs.metro[here], jobs.category[here]
    closed = state.closed_at[here]
    latitude, longitude = _coordinates(metro, jobs.x[here], jobs.y[here])
    import pyarrow as pa

    return pa.table(
        {
            "job_id": job_ids(here),
            "opened_at": timestamps(_at(truth, jobs.opened_day[here], jobs.opened_second[here])),
            "closed_at": timestamps(closed, closed < day_end(world, day)),
            "title": name_array(category, tuple(title for _, _, title in CATEGORIES)),
            "employer_id": labels(jobs.employer[here], "c", 5),
            "category": name_array(category, NAMES),
            "region": name_array(metro, tuple(place.name for place in METROS)),
            "latitude": latitude,
            "longitude": longitude,
            "pay": jobs.pay[here],
            "shift": name_array(jobs.shift[here], SHIFTS),
            "openings": pa.array(jobs.openings[here], pa.int64()),
            "is_remote": jobs.remote[here],
            "urgent": jobs.urgent[here],
            "rating": truth.employers.rating[jobs.employer[here]],
        }
    )


def hidden_users(truth: Truth) -> pyarrow.Table:
    """Return the hidden attributes of users (for `truth/`)."""
    import pyarrow as pa

    users = truth.users
    return pa.table(
        {
            "user_id": user_ids(np.arange(len(users))),
            "segment": name_array(users.segment, SEGMENTS),
            "true_skill": name_array(users.true_skill, NAMES),
            "propensity": users.propensity,
            "pay_sensitivity": users.pay_sensitivity,
            "activity": users.activity,
            "wave": users.wave,
        }
    )


def hidden_jobs(truth: Truth) -> pyarrow.Table:
    """Return the hidden attributes of jobs (for `truth/`)."""
    import pyarrow as pa

    jobs, employers = truth.jobs, truth.employers
    return pa.table(
        {
            "job_id": job_ids(np.arange(len(jobs))),
            "quality": jobs.quality,
            "employer_quality": employers.quality[jobs.employer],
            "recruiters_liking": employers.liking[jobs.employer],
        }
    )


def _at(truth: Truth, day: Ints, second: Ints) -> Ints:
    """Return the microseconds of a second of the day on day numbers."""
    numbers, place = np.unique(day, return_inverse=True)
    begins = np.array([micros_of_day(truth.world, int(n)) for n in numbers], np.int64)
    at: Ints = begins[place] + second * SECOND
    return at


def _coordinates(metro: Ints, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Return degrees for kilometres east and north of the metro's centre."""
    latitude = np.array([place.latitude for place in METROS])[metro]
    longitude = np.array([place.longitude for place in METROS])[metro]
    wide = KM_PER_DEGREE * np.cos(np.radians(latitude))
    return np.round(latitude + y / KM_PER_DEGREE, 5), np.round(longitude + x / wide, 5)


def _phones(truth: Truth, users: Ints, has: np.ndarray) -> pyarrow.Array:
    """Return phone numbers of the range that is reserved for fiction: +1 area code 555 01xx.

    Each area code has 100 of them; with more users in a metro, several have the same number.
    """
    import pyarrow as pa

    metro = truth.users.metro[users]
    turn = np.zeros(len(users), np.int64)
    area = np.zeros(len(users), np.int64)
    for number in range(truth.world.metros):
        here = np.flatnonzero(metro == number)
        codes = np.array(METROS[number].area_codes)
        turn[here] = np.arange(len(here))
        area[here] = codes[(turn[here] // LINES_PER_AREA_CODE) % len(codes)]
    line = area * 10**7 + 5550100 + turn % LINES_PER_AREA_CODE
    return _if(pa.array(has), labels(line, "+1", 10))


def _postal_codes(metro: Ints, x: Floats) -> pyarrow.Array:
    import pyarrow.compute as pc

    prefix = name_array(metro, tuple(place.postal_prefix for place in METROS))
    return pc.binary_join_element_wise(prefix, labels(np.abs(x).astype(np.int64) % 90, "", 2), "")


def _skills(first: Ints, second: Ints) -> pyarrow.Array:
    import pyarrow.compute as pc

    other = name_array(np.maximum(second, 0), NAMES)
    both = pc.binary_join_element_wise(name_array(first, NAMES), other, "|")
    return pc.if_else((second >= 0) & (second != first), both, name_array(first, NAMES))


def _if(condition: pyarrow.Array, then: object, otherwise: object = None) -> pyarrow.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.if_else(
        condition, then, pa.scalar(None, pa.string()) if otherwise is None else otherwise
    )


def _pick(truth: Truth, name: str, users: Ints, count: int) -> Ints:
    picked: Ints = (Hash(truth.world.seed, name).uniform(users) * count).astype(np.int64)
    return picked


def _reordered(truth: Truth, table: pyarrow.Table, day: date) -> pyarrow.Table:
    """Return the rows in another order, as an export has no fixed order."""
    import pyarrow as pa

    rows = np.arange(table.num_rows)
    order = np.argsort(Hash(truth.world.seed, "order", truth.world.index(day) + 1).uniform(rows))
    return table.take(pa.array(order))
