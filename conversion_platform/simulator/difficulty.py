"""Measures how hard a world is: the ranking table of docs/simulator.md."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from conversion_platform.days import ONE_DAY, DayRange
from conversion_platform.simulator import quick_model
from conversion_platform.simulator.quick_model import Label
from conversion_platform.simulator.randomness import Floats, Hash
from conversion_platform.simulator.state import last_day, load_world
from conversion_platform.simulator.truth import Pairs, candidates, map_of, pairs_of

EVALUATED_DAYS = 7


@dataclass(frozen=True)
class Ranking:
    """One ranking, its MAP@10, and the share of the gap from human to oracle that it closes."""

    name: str
    map_at_10: float
    gap_closed: float


@dataclass(frozen=True)
class RankingTable:
    """The result of `ranking_table`.

    Attributes:
        rankings: From chance to the oracle.
        conversion_rate: Applications by impressions of the recruiters, as published.
        click_rate: Clicks by impressions of the recruiters, as published.
        best_feature: The quick model's feature with the highest AUC for conversion, and its AUC.
        open_jobs: Candidates of a user on a day, on average.
        days: Days that the rankings were measured on.
    """

    rankings: tuple[Ranking, ...]
    conversion_rate: float
    click_rate: float
    best_feature: tuple[str, float]
    open_jobs: float
    days: DayRange

    def render(self) -> str:
        """Return the table as Markdown."""
        lines = ["| ranking by | MAP@10 | share of the gap human -> oracle |", "|---|---|---|"]
        lines += [f"| {r.name} | {r.map_at_10:.3f} | {r.gap_closed:.2f} |" for r in self.rankings]
        name, auc = self.best_feature
        lines += [
            "",
            f"Conversion {self.conversion_rate:.1%} of impressions, clicks {self.click_rate:.1%}; "
            f"best single feature {name}, AUC {auc:.2f}; {self.open_jobs:.0f} open jobs a user; "
            f"measured on {self.days}.",
        ]
        return "\n".join(lines)


def ranking_table(folder: Path, share: float = 1.0) -> RankingTable:
    """Measure how hard the world in `folder` is, on its last week.

    Args:
        folder: Where `build` wrote.
        share: Share of the users to measure on (a large world does not need all of them).

    Raises:
        TrainingError: the history is too short for the quick model.
    """
    world, _ = load_world(folder)
    last = last_day(folder)
    days = DayRange(max(world.start, last - (EVALUATED_DAYS - 1) * ONE_DAY), last)
    pairs = pairs_of(folder, days, share=share)
    source = folder / "source"
    found = quick_model.examples(source, quick_model.training_days(world.start, days.first))
    features, _names = quick_model.pair_features(source, candidates(folder, days, share=share))
    scores = _plain_scores(pairs)
    labels: tuple[Label, ...] = ("conversion", "click", "both")
    for label in labels:
        model = quick_model.fitted(found, label)
        scores[f"quick model ({label} labels)"] = model.scores(features)
    maps = {name: map_of(pairs, score, pairs.outcome) for name, score in scores.items()}
    conversion_rate, click_rate = _published_rates(source)
    return RankingTable(
        rankings=_rankings(maps),
        conversion_rate=conversion_rate,
        click_rate=click_rate,
        best_feature=_best_feature(found),
        open_jobs=len(pairs) / max(1, len(np.unique(pairs.group))),
        days=days,
    )


def print_ranking_table(folder: Path) -> None:
    """Print the table, for use with `python -c`."""
    print(ranking_table(folder).render())


def _plain_scores(pairs: Pairs) -> dict[str, Floats]:
    return {
        "chance": Hash(0, "chance", 1).uniform(pairs.user, pairs.job),
        "popularity": pairs.popularity,
        "recruiter (human baseline)": pairs.human,
        "observed effects only, known exactly": pairs.known,
        "all but latent factors and pair noise": pairs.learnable,
        "all but pair noise": pairs.learnable + pairs.factors,
        "oracle": pairs.probability,
    }


def _rankings(maps: dict[str, float]) -> tuple[Ranking, ...]:
    human, oracle = maps["recruiter (human baseline)"], maps["oracle"]
    ranked = [
        Ranking(name, value, (value - human) / (oracle - human)) for name, value in maps.items()
    ]
    return tuple(sorted(ranked, key=lambda ranking: ranking.map_at_10))


def _published_rates(source: Path) -> tuple[float, float]:
    with quick_model.opened(source) as con:
        counts = dict(
            con.sql(
                "SELECT event_type, count(DISTINCT event_id) FROM events "
                "WHERE channel = 'recruiter' GROUP BY event_type"
            ).fetchall()
        )
    shown = counts["impression"]
    return counts.get("application", 0) / shown, counts.get("click", 0) / shown


def _best_feature(found: quick_model.Examples) -> tuple[str, float]:
    from sklearn.metrics import roc_auc_score

    values = {
        name: float(roc_auc_score(found.converted, found.features[:, column]))
        for column, name in enumerate(found.names)
    }
    best = max(values, key=lambda name: abs(values[name] - 0.5))
    return best, max(values[best], 1 - values[best])
