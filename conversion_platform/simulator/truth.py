"""The truth of a simulated world: what each user would have done with each job.

For tests, benchmarks and the demo's last screen; no platform code may import it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from conversion_platform.days import DayRange
from conversion_platform.errors import SourceError
from conversion_platform.simulator.engine import applied_mask, by_metro
from conversion_platform.simulator.event_arrays import job_ids, read_arrays, user_ids
from conversion_platform.simulator.randomness import Flags, Floats, Hash, Ints, sigmoid
from conversion_platform.simulator.reactions import response_draw
from conversion_platform.simulator.recruiters import formula_score, human_score
from conversion_platform.simulator.response import Rules, Truth
from conversion_platform.simulator.state import Applied, last_day, load_state, load_world
from conversion_platform.simulator.world_on_day import day_logit, rules_on, truth_until
from conversion_platform.training import map_at_k

if TYPE_CHECKING:
    import pyarrow


@dataclass(frozen=True)
class Pairs:
    """Every visitor of a day with every open job of the metro without an earlier application.

    Sorted by user, then job. The logits are without `base` and the day's part.

    Attributes:
        number: Number of the day, for each pair.
        day_part: The sum of base, season and fatigue in the logit.
        draw: The draw that decides: below a probability the user responds.
    """

    user: Ints
    job: Ints
    number: Ints
    known: Floats
    learnable: Floats
    factors: Floats
    noise: Floats
    day_part: Floats
    draw: Floats
    human: Floats
    formula: Floats
    popularity: Floats

    @property
    def probability(self) -> Floats:
        """The true probability that the user converts if shown the job and looking at it."""
        return sigmoid(self.learnable + self.factors + self.noise + self.day_part)

    @property
    def outcome(self) -> Flags:
        """Whether the user would convert on that day: one draw for each pair and day."""
        outcome: Flags = self.draw < self.probability
        return outcome

    @property
    def group(self) -> Ints:
        """The user and day of each pair, as one number."""
        return (self.number << 32) | self.user

    def __len__(self) -> int:
        return len(self.user)


def candidates(
    folder: Path,
    days: DayRange | date,
    users: list[str] | None = None,
    share: float = 1.0,
) -> pyarrow.Table:
    """Return the truth of all candidate pairs: the visitors of a day x the metro's open jobs.

    Args:
        folder: Where `build` wrote.
        days: Published days.
        users: Only these users.
        share: Only this share of the users (the same ones on every day).

    Returns:
        user_id, job_id, dt (DATE), p_true, outcome (BOOLEAN: would convert if shown the job
        and looking at it, one draw for each pair and day), human_score, formula_score (the
        recruiter's rules without noise, liking and popularity), popularity_score (recent clicks,
        before the day). Sorted by dt, user_id, job_id.

    Raises:
        SourceError: a day has not been published.
    """
    import pyarrow as pa

    chosen = None if users is None else np.array([int(user[1:]) for user in users], np.int64)
    pairs = pairs_of(folder, days, chosen, share)
    world, _ = load_world(folder)
    epoch = (world.start - date(1970, 1, 1)).days
    return pa.table(
        {
            "user_id": user_ids(pairs.user),
            "job_id": job_ids(pairs.job),
            "dt": pa.array((pairs.number + epoch).astype(np.int32)).cast(pa.date32()),
            "p_true": pairs.probability,
            "outcome": pairs.outcome,
            "human_score": pairs.human,
            "formula_score": pairs.formula,
            "popularity_score": pairs.popularity,
        }
    )


def pairs_of(
    folder: Path,
    days: DayRange | date,
    users: Ints | None = None,
    share: float = 1.0,
    rules: Rules | None = None,
) -> Pairs:
    """Return the candidate pairs of some days with all parts of their truth.

    Args:
        folder: Where `build` wrote.
        days: Published days.
        users: Only these users.
        share: Only this share of the users.
        rules: Rules of response to assume, in place of those of each day.
    """
    world, effects = load_world(folder)
    last = last_day(folder)
    truth = truth_until(world, effects, last)
    applied = load_state(folder, last).applied
    parts: list[tuple[np.ndarray, ...]] = []
    for day in DayRange.of(days) if isinstance(days, date) else days:
        visits, board = _day_files(folder, day)
        kept = _kept(truth, visits["user"], users, share)
        here = _Visits(visits["user"][kept], visits["texts"][kept], day)
        today = rules or rules_on(world, effects, day)
        parts += _pairs_of_day(truth, today, here, board["job"], board["popularity"], applied)
    if not parts:
        return _no_pairs()
    columns: list[Any] = [np.concatenate(column) for column in zip(*parts, strict=True)]
    pairs = Pairs(*columns)
    order = np.lexsort((pairs.job, pairs.user, pairs.number))
    return Pairs(*(column[order] for column in vars(pairs).values()))


def _no_pairs() -> Pairs:
    nothing: list[Any] = [np.zeros(0, np.int64)] * 3 + [np.zeros(0)] * 9
    return Pairs(*nothing)


@dataclass(frozen=True)
class _Visits:
    user: Ints
    texts: Ints
    day: date


def _day_files(folder: Path, day: date) -> tuple[dict[str, Any], dict[str, Any]]:
    place = folder / f"truth/days/dt={day.isoformat()}"
    if not place.exists():
        raise SourceError(
            f"The simulated world in {folder} has not published {day}.",
            "Ask for a day of its history, or advance it to that day.",
        )
    return read_arrays(place / "visitors.parquet"), read_arrays(place / "board.parquet")


def _kept(truth: Truth, visitors: Ints, users: Ints | None, share: float) -> Flags:
    kept: Flags = Hash(truth.world.seed, "sample").uniform(visitors) < share
    return kept if users is None else kept & np.isin(visitors, users)


def _pairs_of_day(
    truth: Truth, rules: Rules, visits: _Visits, board: Ints, popularity: Floats, applied: Applied
) -> list[tuple[np.ndarray, ...]]:
    number = truth.world.index(visits.day)
    found = []
    for here, there in by_metro(truth, visits.user, board):
        user, job = visits.user[here], board[there]
        fresh = np.ones((len(user), len(job)), np.bool_)
        fresh[applied_mask(applied, user, job, number)] = False
        who, what = user[:, None], job[None, :]
        liked = popularity[there][None, :]
        day_part = rules.base + day_logit(visits.day, visits.texts[here])[:, None]
        columns = (
            who,
            what,
            np.int64(number),
            truth.known(who, what, rules),
            truth.learnable(who, what, rules),
            truth.factors(who, what, rules),
            truth.noise(who, what),
            day_part,
            response_draw(truth, who, what, number),
            human_score(truth, who, what, liked, number),
            formula_score(truth, who, what, number),
            liked,
        )
        found.append(tuple(np.broadcast_to(column, fresh.shape)[fresh] for column in columns))
    return found


def map_of(pairs: Pairs, scores: Floats, outcome: Flags, k: int = 10) -> float:
    """Return MAP@k of an order of the pairs, each user and day a slate; NaN without a positive.

    Ties are broken by a hash of the row, which is fair and repeatable.
    """
    ties = Hash(0, "ties").uniform(np.arange(len(pairs)))
    value = map_at_k(pairs.group, scores, outcome, k, ties)
    return float("nan") if value is None else value
