"""The world as of a day: users, jobs, visitors, and the weights of the response."""

from __future__ import annotations

import dataclasses
from datetime import date, time
from functools import lru_cache

import numpy as np

from conversion_platform.days import ONE_DAY, at_local_time, day_start
from conversion_platform.simulator import job_arrays, user_arrays
from conversion_platform.simulator.drift import Effect, rules_with, wave_between
from conversion_platform.simulator.event_arrays import SECOND
from conversion_platform.simulator.geography import METROS
from conversion_platform.simulator.randomness import Floats, Hash, Ints, generator
from conversion_platform.simulator.response import (
    FATIGUE,
    Rules,
    Truth,
    season,
    traffic,
)
from conversion_platform.simulator.state import State, with_jobs
from conversion_platform.simulator.world import World

CLOCK_START = time(7, 0)
POPULARITY_LASTS_DAYS = 5.0
GROWTH_A_MONTH = 0.01


@lru_cache(maxsize=2)
def truth_until(world: World, effects: tuple[Effect, ...], last: date) -> Truth:
    """Return the truth with all users and jobs that have arrived by the end of `last`."""
    days = range(world.index(last) + 1)
    employers = job_arrays.employers_of(world)
    arrivals = [
        user_arrays.users_joining(world, day, wave_between(world, effects, day)) for day in days
    ]
    openings = [job_arrays.jobs_opening(world, employers, day) for day in days]
    return Truth(
        world=world,
        users=user_arrays.concatenate_users([user_arrays.first_users(world), *arrivals]),
        jobs=job_arrays.concatenate_jobs([job_arrays.first_jobs(world, employers), *openings]),
        employers=employers,
    )


def rules_on(world: World, effects: tuple[Effect, ...], day: date) -> Rules:
    """Return the weights of the response on `day`."""
    return rules_with(world, effects, day, Rules())


def visitors(truth: Truth, day: date) -> Ints:
    """Return the users who visit on `day`, in order. They joined before it and have not left."""
    world, users = truth.world, truth.users
    number = world.index(day)
    present = np.flatnonzero((users.joined_day < number) & (users.left_day > number))
    draw = Hash(world.seed, "visit", number + 1).uniform(present)
    came: Ints = present[draw < users.activity[present] * _traffic_factor(world, day)]
    return came


def open_jobs(truth: Truth, state: State, day: date) -> Ints:
    """Return the jobs that are open when `day` begins."""
    begins = micros(day_start(day, truth.world.time_zone).timestamp())
    opened = truth.jobs.opened_day < truth.world.index(day)
    still: Ints = np.flatnonzero(opened & (state.closed_at > begins))
    return still


def day_logit(day: date, texts: Ints) -> Floats:
    """Return season plus fatigue of users by their number of messages in the week before."""
    logit: Floats = season(day) - FATIGUE * texts.astype(np.float64)
    return logit


def texts_of_week(state: State, user: Ints) -> Ints:
    """Return how many messages users got in the seven days before the state's next day."""
    least = int(max(user.max(initial=0), state.texted.user.max(initial=0))) + 1
    sizes: Ints = np.bincount(state.texted.user, minlength=least)[user]
    return sizes


def morning(world: World, day: date) -> Ints:
    """Return 07:00 local time of each metro, the earliest visit, in microseconds."""
    return np.array(
        [
            micros(at_local_time(day, CLOCK_START, metro.time_zone).timestamp())
            for metro in METROS[: world.metros]
        ]
    )


def day_end(world: World, day: date) -> int:
    """Return the first microsecond of the next day."""
    return micros(day_start(day + ONE_DAY, world.time_zone).timestamp())


def micros(seconds: float) -> int:
    """Return whole seconds as microseconds."""
    return round(seconds) * SECOND


def closings(truth: Truth, jobs: Ints) -> Ints:
    """Return when jobs close if they do not fill up before (microseconds)."""
    world = truth.world
    days = truth.jobs.closing_day[jobs]
    starts = {day: micros_of_day(world, int(day)) for day in np.unique(days)}
    begin = np.array([starts[day] for day in days], np.int64)
    closing: Ints = begin + truth.jobs.closing_second[jobs] * SECOND
    return closing


def micros_of_day(world: World, number: int) -> int:
    """Return when day number `number` begins (microseconds)."""
    return micros(day_start(world.day(number), world.time_zone).timestamp())


def with_new_jobs(truth: Truth, state: State) -> State:
    """Return the state extended by the jobs that have opened since."""
    fresh = np.arange(len(state.closed_at), len(truth.jobs))
    return with_jobs(state, truth.jobs.openings[fresh], closings(truth, fresh))


def with_clicks(state: State, clicked: Ints) -> State:
    """Return the state with the day's clicks added to the decayed earlier ones."""
    clicks = np.bincount(clicked, minlength=len(state.popularity))
    fresh = state.popularity * np.exp(-1 / POPULARITY_LASTS_DAYS) + clicks
    return dataclasses.replace(state, popularity=fresh)


def stream(world: World, name: str, number: int) -> np.random.Generator:
    """Return the generator of a stream on one day."""
    return generator(world.seed, name, number + 1)


def _traffic_factor(world: World, day: date) -> float:
    """Return the traffic of a day; the `nothing` drift adds growth and a day of half traffic."""
    factor = traffic(day)
    for drift in world.drifts:
        if drift.kind == "nothing" and day >= drift.day:
            factor *= (1 + GROWTH_A_MONTH) ** ((day - drift.day).days / 30.4)
            factor *= 0.5 if (day - drift.day).days == 3 else 1.0
    return factor
