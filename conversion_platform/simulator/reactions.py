"""Simulates the reactions to the platform's messages, by the same truth as all other events.

- A *sure thing* applies anyway: the message moves an application of the day to its job and
  adds none.
- A *persuadable* may apply to the message's job, with a higher probability than if shown it:
  the true uplift.
- A *lost cause* at most clicks.
- A *do-not-disturb* drops some applications of the day, and opts out with a higher probability.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from conversion_platform.errors import SourceError
from conversion_platform.simulator import event_arrays
from conversion_platform.simulator.event_arrays import SECOND, Events
from conversion_platform.simulator.geography import NONSENSE, QUESTIONS, STOP_WORDINGS
from conversion_platform.simulator.randomness import Flags, Floats, Hash, Ints, sigmoid
from conversion_platform.simulator.response import CLICK_IS_EASIER, Rules, Truth
from conversion_platform.simulator.state import State
from conversion_platform.simulator.user_arrays import (
    DO_NOT_DISTURB,
    LOST_CAUSE,
    PERSUADABLE,
    SURE_THING,
)
from conversion_platform.simulator.world_on_day import day_end, day_logit, stream, texts_of_week

if TYPE_CHECKING:
    import pyarrow

READ_SHARE = 0.8
UPLIFT_LOGIT = 1.2
MOVED_SHARE = 0.6
DROPPED_SHARE = 0.35
OPT_OUT = 0.004
OPT_OUT_OF_THE_ANNOYED = 5.0
USUAL_LOGIT_OF_A_TEXT = -2.0
QUESTION_SHARE, NONSENSE_SHARE = 0.015, 0.007
AT_ONCE_SHARE = 0.6

Text = tuple[str, str, str, datetime]


@dataclass(frozen=True)
class Texts:
    """Delivered messages of a day, in order of delivery (microseconds)."""

    message: tuple[str, ...]
    user: Ints
    job: Ints
    at: Ints


@dataclass(frozen=True)
class Reply:
    """A reply of a user to a message."""

    message_id: str
    user_id: str
    body: str
    at: datetime


@dataclass(frozen=True)
class After:
    """A day's events and replies, with the effect of the messages."""

    events: Events
    replies: tuple[Reply, ...]


def texts_of(texts: pyarrow.Table | Iterable[Text], truth: Truth) -> Texts:
    """Read delivered messages: a table or tuples of (message_id, user_id, job_id, delivered_at).

    Raises:
        SourceError: a message names a user or job that does not exist.
    """
    names = ("message_id", "user_id", "job_id", "delivered_at")
    columns: Any = texts
    given: list[Text] = (
        list(zip(*(columns[name].to_pylist() for name in names), strict=True))
        if hasattr(texts, "column_names")
        else list(texts)
    )
    given.sort(key=lambda text: (text[3], text[0]))
    user = _numbers([text[1] for text in given], len(truth.users), "user")
    job = _numbers([text[2] for text in given], len(truth.jobs), "job")
    at = np.array([round(text[3].timestamp() * SECOND) for text in given], np.int64)
    return Texts(tuple(text[0] for text in given), user, job, at)


def _numbers(ids: list[str], count: int, what: str) -> Ints:
    numbers = np.array([int(i[1:]) if i[1:].isdigit() else -1 for i in ids], np.int64)
    strange = np.flatnonzero((numbers < 0) | (numbers >= count))
    if len(strange):
        raise SourceError(
            f"A message names {what} {ids[int(strange[0])]!r}, unknown to the simulated world.",
            "Give messages of the world that was built in this folder.",
        )
    return numbers


def response_draw(truth: Truth, user: Ints, job: Ints, number: int) -> Floats:
    """Return the draw that decides the response of a user to a job on a day, shown or not."""
    return Hash(truth.world.seed, "outcome", number + 1).uniform(user, job)


def application_delays(rng: np.random.Generator, count: int) -> Ints:
    """Draw delays from click to application: minutes for most, hours to days for others."""
    at_once = rng.random(count) < AT_ONCE_SHARE
    minutes = rng.integers(2, 40, count) * 60 * SECOND
    hours = np.minimum(np.exp(0.9 * rng.standard_normal(count)) * 14.0, 200.0)
    delays: Ints = np.where(at_once, minutes, (hours * 3600).astype(np.int64) * SECOND)
    return delays


def react(
    truth: Truth, state: State, day: date, rules: Rules, texts: Texts, organic: Events
) -> After:
    """Apply the effect of a day's messages to its organic events, and add the reactions."""
    if not texts.message:
        return After(organic, ())
    number = truth.world.index(day)
    segment = truth.users.segment[texts.user]
    logit = truth.logit(
        texts.user, texts.job, rules, day_logit(day, texts_of_week(state, texts.user))
    )
    fresh = _never_applied(state, organic, texts)
    removed, taken_over = _moved(truth, texts, organic, fresh & (segment == SURE_THING), number)
    annoyed = texts.user[segment == DO_NOT_DISTURB]
    removed |= _dropped(truth, organic, annoyed, number)
    clicks, applies = _choices(truth, texts, segment, logit, number)
    applies = (applies & fresh) | taken_over
    events = _text_events(truth, texts, clicks | applies, applies, number)
    replies = _replies(truth, state, texts, logit, day)
    return After(event_arrays.concatenate_events([organic.where(~removed), events]), replies)


def _never_applied(state: State, organic: Events, texts: Texts) -> Flags:
    """Return the messages with a job that the user has not applied to, including today."""
    today = organic.where(organic.type == event_arrays.APPLICATION)
    before = np.concatenate(
        [_pair(state.applied.user, state.applied.job), _pair(today.user, today.job)]
    )
    fresh: Flags = ~np.isin(_pair(texts.user, texts.job), before)
    return fresh


def _pair(user: Ints, job: Ints) -> Ints:
    return (user << 32) | job


def _moved(
    truth: Truth, texts: Texts, organic: Events, may: Flags, number: int
) -> tuple[Flags, Flags]:
    """Return which organic applications move to which messages."""
    draw = Hash(truth.world.seed, "moved", number + 1).uniform(texts.user)
    applied = np.flatnonzero(organic.type == event_arrays.APPLICATION)
    chosen = np.flatnonzero(may & (draw < MOVED_SHARE))
    _, first_event, first_text = np.intersect1d(
        organic.user[applied], texts.user[chosen], return_indices=True
    )
    removed = np.zeros(len(organic), np.bool_)
    removed[applied[first_event]] = True
    taken_over = np.zeros(len(texts.user), np.bool_)
    taken_over[chosen[first_text]] = True
    return removed, taken_over


def _dropped(truth: Truth, organic: Events, annoyed: Ints, number: int) -> Flags:
    """Return the organic applications that do not happen because a message annoyed the user."""
    draw = Hash(truth.world.seed, "dropped", number + 1).uniform(organic.user, organic.job)
    applied = organic.type == event_arrays.APPLICATION
    removed: Flags = applied & np.isin(organic.user, annoyed) & (draw < DROPPED_SHARE)
    return removed


def _choices(
    truth: Truth, texts: Texts, segment: Ints, logit: Floats, number: int
) -> tuple[Flags, Flags]:
    """Return the messages that are clicked, and those with which a persuadable applies."""
    reads = Hash(truth.world.seed, "reads", number + 1).uniform(texts.user, texts.job) < READ_SHARE
    draw = response_draw(truth, texts.user, texts.job, number)
    lifted = logit + UPLIFT_LOGIT * (segment == PERSUADABLE)
    idle = (segment == LOST_CAUSE) | (segment == DO_NOT_DISTURB)
    clicks = reads & (draw < sigmoid(lifted + CLICK_IS_EASIER) * np.where(idle, 0.3, 1.0))
    applies = reads & (draw < sigmoid(lifted)) & (segment == PERSUADABLE)
    return clicks, applies


def _text_events(truth: Truth, texts: Texts, clicks: Flags, applies: Flags, number: int) -> Events:
    rng = stream(truth.world, "text delays", number)
    count = len(texts.user)
    clicked = texts.at + (20 + rng.exponential(1500.0, count)).astype(np.int64) * SECOND
    applied = clicked + application_delays(rng, count)
    parts = [(clicks, event_arrays.CLICK, clicked), (applies, event_arrays.APPLICATION, applied)]
    return event_arrays.concatenate_events(
        [
            event_arrays.new_events(
                texts.user[who],
                texts.job[who],
                kind,
                at[who],
                event_arrays.NO_POSITION,
                event_arrays.TEXT,
            )
            for who, kind, at in parts
        ]
    )


def opt_out_hazard(truth: Truth, state: State, texts: Texts, logit: Floats) -> Floats:
    """Return the probability that a message leads to an opt-out.

    It increases with the messages of the last seven days, for bad matches, and for annoyed users.
    """
    sizes = texts_of_week(state, texts.user)
    mismatch = np.clip(USUAL_LOGIT_OF_A_TEXT - logit, -2.0, 4.0)
    annoyed = truth.users.segment[texts.user] == DO_NOT_DISTURB
    hazard = OPT_OUT * (1 + 0.7 * sizes) * np.exp(0.4 * mismatch)
    capped: Floats = np.minimum(0.5, hazard * np.where(annoyed, OPT_OUT_OF_THE_ANNOYED, 1.0))
    return capped


def _replies(
    truth: Truth, state: State, texts: Texts, logit: Floats, day: date
) -> tuple[Reply, ...]:
    world = truth.world
    rng = stream(world, "replies", world.index(day))
    count = len(texts.user)
    hazard = opt_out_hazard(truth, state, texts, logit)
    draw, wording = rng.random(count), rng.random(count)
    latest = day_end(world, day) - SECOND
    at = np.minimum(texts.at + rng.integers(20, 7200, count) * SECOND, np.maximum(latest, texts.at))
    steps = np.cumsum([hazard, np.full(count, QUESTION_SHARE), np.full(count, NONSENSE_SHARE)], 0)
    kind = (draw >= steps).sum(axis=0)
    return tuple(
        Reply(
            texts.message[i],
            f"u{texts.user[i]:07d}",
            _body(int(kind[i]), float(wording[i])),
            datetime.fromtimestamp(int(at[i]) / SECOND, UTC),
        )
        for i in np.flatnonzero(kind < len(_BODIES))
    )


_BODIES = (STOP_WORDINGS, QUESTIONS, NONSENSE)


def _body(kind: int, draw: float) -> str:
    wordings = _BODIES[kind]
    return wordings[int(draw * len(wordings))]
