"""Judges the demo's champions by the truth: all users, all open jobs of each user's metro.

One draw of outcomes on half the users moved the share of the gap by .05 to .07: so all users count,
and their outcomes are drawn again `DRAWS` times from the true probabilities.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from conversion_platform.days import counted

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa
    from numpy.typing import NDArray

    from conversion_platform.days import DayRange
    from conversion_platform.lake import Session
    from conversion_platform.training import Estimate, RedrawnPrecision

    Array = NDArray[Any]

DRAWS = 24
LEAST_SLATES = 100
RANKINGS = {
    "map_model": "score",
    "map_human": "human_score",
    "map_formula": "formula_score",
    "map_popularity": "popularity_score",
    "map_oracle": "p_true",
}
_TENURES = "CASE WHEN user_tenure_days < 14 THEN 'newcomers' ELSE 'others' END"


def truth_evaluation(session: Session, scored: pa.Table, days: DayRange) -> dict[str, Any]:
    """Return MAP@k of model, human, formula, popularity and oracle, and what follows from them.

    Args:
        session: Settings, lake and DuckDB connection.
        scored: What `scored_truth` returned.
        days: Days that the platform ran.
    """
    import numpy as np

    from conversion_platform.training import champions

    column = {name: scored[name].to_numpy(zero_copy_only=False) for name in scored.column_names}
    k, seed = session.settings.training.map_k, session.settings.training.seed
    found = redrawn(column, k, seed)
    users = column["user"][found["map_model"].rows]
    gained = found["map_model"].totals - found["map_human"].totals
    return {
        "k": k,
        "days": str(days),
        "draws": DRAWS,
        "versions": sorted({version for version, _ in champions(session.lake, days)}),
        "slates": len(users),
        "users": len(np.unique(users)),
        **{name: asdict(_ratio(one.totals, one, users, seed)) for name, one in found.items()},
        "gain_over_human": asdict(_ratio(gained, found["map_model"], users, seed)),
        "gap_closed": asdict(gap_closed(found, "map_human", users, seed)),
        "gap_closed_from_formula": asdict(gap_closed(found, "map_formula", users, seed)),
        "weakest_segment": _weakest_segment(column, found, seed),
    }


def redrawn(column: dict[str, Array], k: int, seed: int) -> dict[str, RedrawnPrecision]:
    """Return the precision of each ranking; all of them see the same outcomes."""
    from conversion_platform.training import RankedSlates

    return {
        name: RankedSlates.of(column["slate"], column[score]).redrawn(
            column["p_true"], k, DRAWS, seed
        )
        for name, score in RANKINGS.items()
    }


def gap_closed(
    found: dict[str, RedrawnPrecision], baseline: str, users: Array, seed: int
) -> Estimate:
    """Return the share of the gap from a baseline to the oracle that the model closes."""
    from conversion_platform.training import clustered_ratio

    start = found[baseline].totals
    gain, gap = found["map_model"].totals - start, found["map_oracle"].totals - start
    return clustered_ratio(gain, gap, users, seed)


def _ratio(values: Array, of: RedrawnPrecision, users: Array, seed: int) -> Estimate:
    """Return the mean over slates and draws."""
    from conversion_platform.training import clustered_ratio

    return clustered_ratio(values, of.counts, users, seed)


def _weakest_segment(
    column: dict[str, Array], found: dict[str, RedrawnPrecision], seed: int
) -> dict[str, Any] | None:
    """Return the segment with the lowest gain over the human, of those with enough slates."""
    import numpy as np

    model, human = found["map_model"], found["map_human"]
    users = column["user"][model.rows]
    segments = []
    for name in ("region", "shift", "tenure"):
        values = column[name][model.rows]
        for value in np.unique(values):
            here = values == value
            if here.sum() >= LEAST_SLATES:
                gained = np.where(here, model.totals - human.totals, 0.0)
                counts = np.where(here, model.counts, 0.0)
                segments.append((str(value), int(here.sum()), gained, counts))
    if not segments:
        return None
    from conversion_platform.training import clustered_ratio

    value, slates, gained, counts = min(segments, key=lambda one: one[2].sum() / one[3].sum())
    return {
        "segment": value,
        "slates": slates,
        "segments": len(segments),
        **asdict(clustered_ratio(gained, counts, users, seed)),
    }


def scored_truth(session: Session, folder: Path, days: DayRange) -> pa.Table:
    """Return all candidate pairs of `days`: the truth, and the score of the day's champion.

    Columns: slate and user (numbers), dt, score, probability, human_score, formula_score,
    popularity_score, p_true, and the user's region, shift and tenure. In the order of slates.
    """
    import pyarrow as pa

    from conversion_platform.features import USER_FEATURES
    from conversion_platform.inference import score_pairs
    from conversion_platform.simulator import candidates
    from conversion_platform.training import champions, load_model

    con = session.con
    batches = []
    for version, part in champions(session.lake, days):
        model = load_model(session.lake, version, session.settings.platform.threads)
        con.register("truth", candidates(folder, part))
        batches += list(score_pairs(session, model, "truth", part))
    con.register("scored", pa.Table.from_batches(batches))
    return con.sql(
        f"""SELECT dense_rank() OVER (ORDER BY dt, user_id) AS slate,
            dense_rank() OVER (ORDER BY user_id) AS "user", s.dt, score, probability,
            human_score, formula_score, popularity_score, p_true,
            coalesce(user_region, 'no region') AS region,
            coalesce(user_shift, 'no shift') AS shift, {_TENURES} AS tenure
        FROM scored AS s LEFT JOIN {session.lake.select(USER_FEATURES, days)} USING (user_id, dt)
        ORDER BY s.dt, user_id, md5(job_id), job_id"""
    ).to_arrow_table()


def weakest_words(found: dict[str, Any] | None) -> str:
    """Return in words where the model is not better than the recruiters, or least so."""
    if found is None:
        return f"no segment has {counted(LEAST_SLATES, 'slate')}"
    gain = f"{found['value']:+.3f} [{found['low']:+.3f}, {found['high']:+.3f}]"
    how = "least better" if found["low"] > 0 else "not shown to be better"
    of = counted(found["segments"], "segment")
    return f"{how} for {found['segment']}: gain {gain}, {found['slates']:,} slates ({of} compared)"
