"""What people do when a text of ours arrives, decided by the same truth as everything else.

- A *sure thing* applies anyway: the text moves an application of the day to its own job and
  adds none.
- A *persuadable* may apply to the text's job, more readily than if shown it: the true uplift.
- A *lost cause* at most clicks.
- A *do-not-disturb* drops some of what the day would have brought, and opts out easily.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from conversion_platform.errors import SourceError
from conversion_platform.simulator import rows
from conversion_platform.simulator.geography import NONSENSE, QUESTIONS, STOP_WORDINGS
from conversion_platform.simulator.people import (
    DO_NOT_DISTURB,
    LOST_CAUSE,
    PERSUADABLE,
    SURE_THING,
)
from conversion_platform.simulator.response import CLICK_IS_EASIER, Rules, Truth
from conversion_platform.simulator.rows import SECOND, Events
from conversion_platform.simulator.state import State
from conversion_platform.simulator.streams import Flags, Floats, Hash, Ints, sigmoid
from conversion_platform.simulator.universe import day_end, day_logit, stream, texts_of_week

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
    """Delivered texts of a day, in order of delivery (microseconds)."""

    message: tuple[str, ...]
    user: Ints
    job: Ints
    at: Ints


@dataclass(frozen=True)
class Reply:
    """A text that a person sends back."""

    message_id: str
    user_id: str
    body: str
    at: datetime


@dataclass(frozen=True)
class After:
    """A day's events, after the texts have had their effect."""

    events: Events
    replies: tuple[Reply, ...]


def texts_of(texts: pyarrow.Table | Iterable[Text], truth: Truth) -> Texts:
    """Reads delivered texts: a table or tuples of (message_id, user_id, job_id, delivered_at).

    Raises:
        SourceError: a text names a user or job that does not exist.
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
            f"A text names {what} {ids[int(strange[0])]!r}, unknown to the simulated world.",
            "Give texts of the world that was built in this folder.",
        )
    return numbers


def willing(truth: Truth, user: Ints, job: Ints, number: int) -> Floats:
    """The one draw that decides what a user would do with a job on a day, shown or not."""
    return Hash(truth.world.seed, "outcome", number + 1).uniform(user, job)


def application_delays(rng: np.random.Generator, count: int) -> Ints:
    """From click to application: minutes for most, hours to days for the others."""
    at_once = rng.random(count) < AT_ONCE_SHARE
    minutes = rng.integers(2, 40, count) * 60 * SECOND
    hours = np.minimum(np.exp(0.9 * rng.standard_normal(count)) * 14.0, 200.0)
    delays: Ints = np.where(at_once, minutes, (hours * 3600).astype(np.int64) * SECOND)
    return delays


def react(
    truth: Truth, state: State, day: date, rules: Rules, texts: Texts, organic: Events
) -> After:
    """Changes a day's organic events by the texts of that day, and adds reactions to them."""
    if not texts.message:
        return After(organic, ())
    number = truth.world.index(day)
    segment = truth.users.segment[texts.user]
    logit = truth.logit(
        texts.user, texts.job, rules, day_logit(day, texts_of_week(state, texts.user))
    )
    fresh = _never_applied(state, organic, texts)
    gone, taken_over = _moved(truth, texts, organic, fresh & (segment == SURE_THING), number)
    annoyed = texts.user[segment == DO_NOT_DISTURB]
    gone |= _dropped(truth, organic, annoyed, number)
    clicks, applies = _choices(truth, texts, segment, logit, number)
    applies = (applies & fresh) | taken_over
    events = _text_events(truth, texts, clicks | applies, applies, number)
    replies = _replies(truth, state, texts, logit, day)
    return After(rows.joined([organic.where(~gone), events]), replies)


def _never_applied(state: State, organic: Events, texts: Texts) -> Flags:
    """Which texts offer a job that the user has not applied to, today included."""
    today = organic.where(organic.type == rows.APPLICATION)
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
    """Which organic applications turn into applications to which texts."""
    luck = Hash(truth.world.seed, "moved", number + 1).uniform(texts.user)
    applied = np.flatnonzero(organic.type == rows.APPLICATION)
    chosen = np.flatnonzero(may & (luck < MOVED_SHARE))
    _, first_event, first_text = np.intersect1d(
        organic.user[applied], texts.user[chosen], return_indices=True
    )
    gone = np.zeros(len(organic), np.bool_)
    gone[applied[first_event]] = True
    taken_over = np.zeros(len(texts.user), np.bool_)
    taken_over[chosen[first_text]] = True
    return gone, taken_over


def _dropped(truth: Truth, organic: Events, annoyed: Ints, number: int) -> Flags:
    """Which organic applications do not happen because a text annoyed the user."""
    luck = Hash(truth.world.seed, "dropped", number + 1).uniform(organic.user, organic.job)
    applied = organic.type == rows.APPLICATION
    gone: Flags = applied & np.isin(organic.user, annoyed) & (luck < DROPPED_SHARE)
    return gone


def _choices(
    truth: Truth, texts: Texts, segment: Ints, logit: Floats, number: int
) -> tuple[Flags, Flags]:
    """Who clicks, and which persuadables apply."""
    reads = Hash(truth.world.seed, "reads", number + 1).uniform(texts.user, texts.job) < READ_SHARE
    luck = willing(truth, texts.user, texts.job, number)
    lifted = logit + UPLIFT_LOGIT * (segment == PERSUADABLE)
    idle = (segment == LOST_CAUSE) | (segment == DO_NOT_DISTURB)
    clicks = reads & (luck < sigmoid(lifted + CLICK_IS_EASIER) * np.where(idle, 0.3, 1.0))
    applies = reads & (luck < sigmoid(lifted)) & (segment == PERSUADABLE)
    return clicks, applies


def _text_events(truth: Truth, texts: Texts, clicks: Flags, applies: Flags, number: int) -> Events:
    rng = stream(truth.world, "text delays", number)
    count = len(texts.user)
    clicked = texts.at + (20 + rng.exponential(1500.0, count)).astype(np.int64) * SECOND
    applied = clicked + application_delays(rng, count)
    parts = [(clicks, rows.CLICK, clicked), (applies, rows.APPLICATION, applied)]
    return rows.joined(
        [
            rows.new_events(
                texts.user[who], texts.job[who], kind, at[who], rows.NO_POSITION, rows.TEXT
            )
            for who, kind, at in parts
        ]
    )


def opt_out_hazard(truth: Truth, state: State, texts: Texts, logit: Floats) -> Floats:
    """The probability that a text makes its reader opt out.

    It grows with the texts of the last seven days, with a bad match, and in the annoyed.
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
    luck, wording = rng.random(count), rng.random(count)
    latest = day_end(world, day) - SECOND
    at = np.minimum(texts.at + rng.integers(20, 7200, count) * SECOND, np.maximum(latest, texts.at))
    steps = np.cumsum([hazard, np.full(count, QUESTION_SHARE), np.full(count, NONSENSE_SHARE)], 0)
    kind = (luck >= steps).sum(axis=0)
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


def _body(kind: int, luck: float) -> str:
    wordings = _BODIES[kind]
    return wordings[int(luck * len(wordings))]
