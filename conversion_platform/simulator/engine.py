"""Simulates one day of the marketplace: visitors, slates, and events."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import date

import numpy as np

from conversion_platform.simulator import event_arrays, reactions
from conversion_platform.simulator.event_arrays import HOUR, SECOND, Events
from conversion_platform.simulator.randomness import Floats, Hash, Ints, sigmoid
from conversion_platform.simulator.reactions import (
    Reply,
    Texts,
    application_delays,
    response_draw,
)
from conversion_platform.simulator.recruiters import examination_probability, human_score, slate_of
from conversion_platform.simulator.response import CLICK_IS_EASIER, Rules, Truth
from conversion_platform.simulator.state import Applied, State, Texted
from conversion_platform.simulator.world_on_day import (
    day_end,
    day_logit,
    morning,
    open_jobs,
    stream,
    texts_of_week,
    visitors,
    with_clicks,
)

DAY_LENGTH_SECONDS = int(13.6 * 3600)
HIRED_SHARE = 0.25
NO_SHOW_SHARE = 0.12


@dataclass(frozen=True)
class Day:
    """The simulation of a day.

    Attributes:
        published: Events recorded by the end of the day, in the order of recording.
        board: Jobs that were open when it began; `popularity` has their values then.
        visitors: Users who visited.
    """

    published: Events
    state: State
    board: Ints
    popularity: Floats
    visitors: Ints
    replies: tuple[Reply, ...]


@dataclass(frozen=True)
class Slates:
    """The pairs that were shown; `position` 0 is the first slot."""

    user: Ints
    job: Ints
    position: Ints


def simulate_day(truth: Truth, state: State, day: date, rules: Rules, texts: Texts) -> Day:
    """Simulate one day. `state` must cover all of the truth's jobs."""
    number = truth.world.index(day)
    users, jobs = visitors(truth, day), open_jobs(truth, state, day)
    slates = shown(truth, state, users, jobs, number)
    organic = organic_events(truth, state, slates, day, rules)
    after = reactions.react(truth, state, day, rules, texts, organic)
    events, left, closed = _with_hires(truth, state, after.events, number)
    waiting = event_arrays.concatenate_events([state.pending, _as_recorded(truth, events, number)])
    known = waiting.recorded < day_end(truth.world, day)
    moved = dataclasses.replace(
        with_clicks(state, events.job[events.type == event_arrays.CLICK]),
        pending=waiting.where(~known),
        applied=_applied(state.applied, events, number),
        texted=_texted(state.texted, texts, number),
        openings_left=left,
        closed_at=closed,
    )
    return Day(
        published=event_arrays.sorted_by_record(waiting.where(known)),
        state=moved,
        board=jobs,
        popularity=state.popularity[jobs],
        visitors=users,
        replies=after.replies,
    )


def shown(truth: Truth, state: State, users: Ints, jobs: Ints, number: int) -> Slates:
    """Return the slates that the recruiters of all metros select."""
    parts = [
        _shown_in_metro(truth, state, users[here], jobs[there], number)
        for here, there in by_metro(truth, users, jobs)
    ]
    if not parts:
        return Slates(*(np.zeros(0, np.int64) for _ in range(3)))
    return Slates(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def by_metro(truth: Truth, users: Ints, jobs: Ints) -> list[tuple[Ints, Ints]]:
    """Return the positions in `users` and in `jobs` of each metro that has both."""
    found = []
    for metro in range(truth.world.metros):
        here = np.flatnonzero(truth.users.metro[users] == metro)
        there = np.flatnonzero(truth.jobs.metro[jobs] == metro)
        if len(here) and len(there):
            found.append((here, there))
    return found


def applied_mask(applied: Applied, users: Ints, jobs: Ints, number: int) -> tuple[Ints, Ints]:
    """Return row and column, in sorted `users` x sorted `jobs`, of pairs that applied earlier."""
    row = np.minimum(np.searchsorted(users, applied.user), len(users) - 1)
    column = np.minimum(np.searchsorted(jobs, applied.job), len(jobs) - 1)
    hit = (users[row] == applied.user) & (jobs[column] == applied.job) & (applied.day < number)
    return row[hit], column[hit]


def _shown_in_metro(
    truth: Truth, state: State, users: Ints, jobs: Ints, number: int
) -> tuple[Ints, Ints, Ints]:
    popularity = state.popularity[jobs][None, :]
    score = human_score(truth, users[:, None], jobs[None, :], popularity, number)
    score[applied_mask(state.applied, users, jobs, number)] = -np.inf
    slate = slate_of(score, truth.world.slate)
    fits = np.isfinite(np.take_along_axis(score, slate, axis=1))
    position = np.broadcast_to(np.arange(slate.shape[1]), slate.shape)
    user = np.broadcast_to(users[:, None], slate.shape)
    return user[fits], jobs[slate][fits], position[fits]


def organic_events(truth: Truth, state: State, slates: Slates, day: date, rules: Rules) -> Events:
    """Return impressions, with the clicks and applications that follow without any message."""
    number, world = truth.world.index(day), truth.world
    user, job = slates.user, slates.job
    logit = truth.logit(user, job, rules, day_logit(day, texts_of_week(state, user)))
    draw = response_draw(truth, user, job, number)
    seen = Hash(world.seed, "seen", number + 1).uniform(user, job) < examination_probability(
        slates.position
    )
    begin = Hash(world.seed, "session", number + 1).uniform(user) * DAY_LENGTH_SECONDS
    second = morning(world, day)[truth.users.metro[user]] // SECOND + begin.astype(np.int64)
    at = (second + 2 * slates.position) * SECOND
    clicks = seen & (draw < sigmoid(logit + CLICK_IS_EASIER))
    applies = seen & (draw < sigmoid(logit))
    rng = stream(world, "delays", number)
    thought = rng.integers(15, 300, len(user)) * SECOND
    delay = application_delays(rng, len(user))
    pairs = (user, job, slates.position)
    return event_arrays.concatenate_events(
        [
            _events(pairs, slice(None), event_arrays.IMPRESSION, at),
            _events(pairs, clicks, event_arrays.CLICK, at + thought),
            _events(pairs, applies, event_arrays.APPLICATION, at + thought + delay),
        ]
    )


def _events(
    pairs: tuple[Ints, Ints, Ints], chosen: slice | np.ndarray, kind: int, at: Ints
) -> Events:
    user, job, position = (column[chosen] for column in pairs)
    return event_arrays.new_events(user, job, kind, at[chosen], position, event_arrays.RECRUITER)


def _with_hires(
    truth: Truth, state: State, events: Events, number: int
) -> tuple[Events, Ints, Ints]:
    """Add hires and no-shows; a job whose last opening is taken closes at that hire."""
    world = truth.world
    applied = events.where(events.type == event_arrays.APPLICATION)
    applied = applied.where(np.lexsort((applied.user, applied.occurred)))
    rng = stream(world, "hires", number)
    hired_applications = applied.where(rng.random(len(applied)) < HIRED_SHARE)
    taken = _rank_within(hired_applications.job) < state.openings_left[hired_applications.job]
    hired = hired_applications.where(taken)
    at = hired.occurred + rng.integers(18 * HOUR, 150 * HOUR, len(hired)) // SECOND * SECOND
    hires = event_arrays.new_events(
        hired.user, hired.job, event_arrays.HIRE, at, hired.position, event_arrays.RECRUITER
    )
    hires = dataclasses.replace(hires, channel=hired.channel)
    absent = hires.where(rng.random(len(hires)) < NO_SHOW_SHARE)
    later = absent.occurred + rng.integers(8 * HOUR, 96 * HOUR, len(absent)) // SECOND * SECOND
    missed = dataclasses.replace(
        absent, type=np.full(len(absent), event_arrays.NO_SHOW), occurred=later, recorded=later
    )
    left = state.openings_left - np.bincount(hired.job, minlength=len(state.openings_left))
    closed = state.closed_at.copy()
    last = (left == 0) & (state.openings_left > 0)
    latest = np.zeros(len(closed), np.int64)
    np.maximum.at(latest, hired.job, at)
    closed[last] = np.minimum(closed[last], latest[last])
    return event_arrays.concatenate_events([events, hires, missed]), left, closed


def _rank_within(group: Ints) -> Ints:
    """Return the rank (from 0) of each entry among the earlier ones of its group."""
    order = np.argsort(group, kind="stable")
    ordered = group[order]
    first = np.searchsorted(ordered, ordered, "left")
    rank = np.empty(len(group), np.int64)
    rank[order] = np.arange(len(group)) - first
    return rank


def _as_recorded(truth: Truth, events: Events, number: int) -> Events:
    """Assign numbers to the events, delay the recording of some and duplicate a few."""
    world = truth.world
    rng = stream(world, "records", number)
    count = len(events)
    late = rng.random(count) < world.late_share
    lag = rng.integers(6 * 3600, 46 * 3600, count) * SECOND
    numbered = dataclasses.replace(
        events,
        number=(number + 1) * 10**7 + np.arange(count),
        recorded=events.recorded + np.where(late, lag, 0),
    )
    twice = np.flatnonzero((rng.random(count) < world.duplicate_share) & ~late)
    again = rng.integers(0, 40 * 3600, len(twice)) * SECOND * (rng.random(len(twice)) < 0.5)
    copies = numbered.where(twice)
    return event_arrays.concatenate_events(
        [numbered, dataclasses.replace(copies, recorded=copies.recorded + again)]
    )


def _applied(before: Applied, events: Events, number: int) -> Applied:
    fresh = events.where(events.type == event_arrays.APPLICATION)
    return Applied(
        user=np.concatenate([before.user, fresh.user]),
        job=np.concatenate([before.job, fresh.job]),
        day=np.concatenate([before.day, np.full(len(fresh), number)]),
    )


def _texted(before: Texted, texts: Texts, number: int) -> Texted:
    recent = before.day > number - 7  # the week before tomorrow
    return Texted(
        user=np.concatenate([before.user[recent], texts.user]),
        day=np.concatenate([before.day[recent], np.full(len(texts.user), number)]),
    )
