"""The world as of a day: who and what exists, and by which rules they respond."""

from __future__ import annotations

import dataclasses
from datetime import date, time
from functools import lru_cache

import numpy as np

from conversion_platform.days import ONE_DAY, at_local_time, day_start
from conversion_platform.simulator import board, people
from conversion_platform.simulator.drift import Effect, rules_with, wave_between
from conversion_platform.simulator.geography import METROS
from conversion_platform.simulator.response import (
    FATIGUE,
    Rules,
    Truth,
    season,
    traffic,
)
from conversion_platform.simulator.rows import SECOND
from conversion_platform.simulator.state import State, grown
from conversion_platform.simulator.streams import Floats, Hash, Ints, generator
from conversion_platform.simulator.world import World

CLOCK_START = time(7, 0)
POPULARITY_LASTS_DAYS = 5.0
GROWTH_A_MONTH = 0.01


@lru_cache(maxsize=2)
def universe(world: World, effects: tuple[Effect, ...], last: date) -> Truth:
    """Everyone and everything that has arrived by the end of `last`."""
    days = range(world.index(last) + 1)
    employers = board.employers_of(world)
    arrivals = [people.users_joining(world, day, wave_between(world, effects, day)) for day in days]
    openings = [board.jobs_opening(world, employers, day) for day in days]
    return Truth(
        world=world,
        users=people.joined([people.first_users(world), *arrivals]),
        jobs=board.joined([board.first_jobs(world, employers), *openings]),
        employers=employers,
    )


def rules_on(world: World, effects: tuple[Effect, ...], day: date) -> Rules:
    """The weights of the response on `day`."""
    return rules_with(world, effects, day, Rules())


def visitors(truth: Truth, day: date) -> Ints:
    """The users who come by on `day`, in order. They joined before it and have not left."""
    world, users = truth.world, truth.users
    number = world.index(day)
    there = np.flatnonzero((users.joined_day < number) & (users.left_day > number))
    luck = Hash(world.seed, "visit", number + 1).uniform(there)
    came: Ints = there[luck < users.activity[there] * _crowd(world, day)]
    return came


def open_jobs(truth: Truth, state: State, day: date) -> Ints:
    """The jobs that are open when `day` begins."""
    begins = micros(day_start(day, truth.world.time_zone).timestamp())
    opened = truth.jobs.opened_day < truth.world.index(day)
    still: Ints = np.flatnonzero(opened & (state.closed_at > begins))
    return still


def day_logit(day: date, texts: Ints) -> Floats:
    """Season, and the fatigue of users by their number of texts in the week before."""
    logit: Floats = season(day) - FATIGUE * texts.astype(np.float64)
    return logit


def texts_of_week(state: State, user: Ints) -> Ints:
    """How many texts users got in the seven days before the state's next day."""
    least = int(max(user.max(initial=0), state.texted.user.max(initial=0))) + 1
    sizes: Ints = np.bincount(state.texted.user, minlength=least)[user]
    return sizes


def morning(world: World, day: date) -> Ints:
    """07:00 local time of each metro, in microseconds: nobody comes by before."""
    return np.array(
        [
            micros(at_local_time(day, CLOCK_START, metro.time_zone).timestamp())
            for metro in METROS[: world.metros]
        ]
    )


def day_end(world: World, day: date) -> int:
    """The first microsecond of the next day."""
    return micros(day_start(day + ONE_DAY, world.time_zone).timestamp())


def micros(seconds: float) -> int:
    """Whole seconds as microseconds."""
    return round(seconds) * SECOND


def closings(truth: Truth, jobs: Ints) -> Ints:
    """When jobs close if they do not fill up before (microseconds)."""
    world = truth.world
    days = truth.jobs.closing_day[jobs]
    starts = {day: micros_of_day(world, int(day)) for day in np.unique(days)}
    begin = np.array([starts[day] for day in days], np.int64)
    closing: Ints = begin + truth.jobs.closing_second[jobs] * SECOND
    return closing


def micros_of_day(world: World, number: int) -> int:
    """When day number `number` begins (microseconds)."""
    return micros(day_start(world.day(number), world.time_zone).timestamp())


def with_new_jobs(truth: Truth, state: State) -> State:
    """The state, extended to the jobs that have opened since."""
    fresh = np.arange(len(state.closed_at), len(truth.jobs))
    return grown(state, truth.jobs.openings[fresh], closings(truth, fresh))


def faded(state: State, clicked: Ints) -> State:
    """The state with today's clicks counted and older ones faded."""
    clicks = np.bincount(clicked, minlength=len(state.popularity))
    fresh = state.popularity * np.exp(-1 / POPULARITY_LASTS_DAYS) + clicks
    return dataclasses.replace(state, popularity=fresh)


def stream(world: World, name: str, number: int) -> np.random.Generator:
    """The generator of a stream on one day."""
    return generator(world.seed, name, number + 1)


def _crowd(world: World, day: date) -> float:
    """How busy a day is. Growth and a day of half the traffic belong to the `nothing` drift."""
    crowd = traffic(day)
    for drift in world.drifts:
        if drift.kind == "nothing" and day >= drift.day:
            crowd *= (1 + GROWTH_A_MONTH) ** ((day - drift.day).days / 30.4)
            crowd *= 0.5 if (day - drift.day).days == 3 else 1.0
    return crowd
