"""True ranking and calibration of the champion, in closed loop, on worlds it was not tuned on.

Each world is a demo of its own: a history, a training on the day after it, and seven days on which
the platform sends messages and the simulated people react. Then all users and all open jobs of
their metro are judged by the true probabilities, with outcomes drawn 24 times. `gap_closed` is the
share of the way from the recruiters' MAP@10 to that of the true probabilities; `calibration_ratio`
is the sum of the predicted over that of the true probabilities, of all candidates of a day.

Seeds 1, 2 and 3 were tuned on (docs/training.md); the figures are of others. A world takes two to
five minutes and is kept until its commit changes, so that a run that was stopped goes on;
`ranking.py --world SEED HISTORY_DAYS` runs one.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.harness import Bound, commit, conduct, run_child, scratch_folder  # noqa: E402
from conversion_platform.days import ONE_DAY, DayRange  # noqa: E402

SEEDS = (11, 12, 13, 14, 15)
LONG_SEEDS = (11, 12, 13)
HISTORY, LONG_HISTORY = 90, 170
DAYS = 7
LEAST_ROWS = 1000
QUICK = {"users": 900, "jobs": 350, "metros": 2, "history_days": 30}
QUICK_DAYS = 1


def main() -> None:
    """Run all worlds, one world, or print the run that is kept."""
    conduct("ranking", __doc__ or "", measured, bounds)


def bounds(_: Mapping[str, Any], quick: bool) -> list[Bound]:
    """Return what is asked; a small world has few conversions to learn from."""
    if quick:
        return [
            Bound("gap_closed_mean", least=0.3),
            Bound("calibration_ratio_day1", least=0.6, most=1.6),
        ]
    return [
        Bound("gap_closed_mean", least=0.70),
        Bound("gap_closed_min", least=0.66),
        Bound("gap_closed_long_mean", least=0.73),
        *(Bound(f"calibration_ratio_day{day}_min", least=0.9) for day in (1, DAYS)),
        *(Bound(f"calibration_ratio_day{day}_max", most=1.1) for day in (1, DAYS)),
        Bound("calibration_ratio_decile_min", least=0.8),
        Bound("calibration_ratio_decile_max", most=1.25),
        Bound("calibration_ratio_segment_min", least=0.8),
        Bound("calibration_ratio_segment_max", most=1.25),
    ]


def measured(quick: bool) -> dict[str, Any]:
    """Return the figures over all worlds."""
    if quick:
        return _summary([_world_of(21, QUICK["history_days"], True)], [])
    worlds = [_world_of(seed, HISTORY, False) for seed in SEEDS]
    return _summary(worlds, [_world_of(seed, LONG_HISTORY, False) for seed in LONG_SEEDS])


def _world_of(seed: int, history: int, quick: bool) -> dict[str, Any]:
    """Return what one world came to; from an earlier run of this commit, if there was one."""
    kept = scratch_folder("ranking") / f"{seed}-{history}-{commit().replace(' ', '-')}.json"
    if kept.exists() and not quick:
        found: dict[str, Any] = json.loads(kept.read_text())
        return found
    child = run_child(Path(__file__), "--world", str(seed), str(history), *["quick"] * quick)
    print(f"seed {seed}, {history} days: {child.answer}", file=sys.stderr, flush=True)
    kept.write_text(json.dumps(child.answer))
    return child.answer


def _summary(worlds: list[dict[str, Any]], long: list[dict[str, Any]]) -> dict[str, Any]:
    gaps = [world["gap_closed"] for world in worlds]
    figures: dict[str, Any] = {
        "gap_closed_mean": sum(gaps) / len(gaps),
        "gap_closed_min": min(gaps),
        "gap_closed_from_formula_mean": _mean(worlds, "gap_closed_from_formula"),
    }
    if long:
        figures["gap_closed_long_mean"] = _mean(long, "gap_closed")
        figures["gap_closed_long_min"] = min(world["gap_closed"] for world in long)
    for name in ("map_human", "map_formula", "map_model", "map_oracle"):
        figures[name] = _mean(worlds, name)
    last = worlds[0]["days"]
    for day in (1, last):
        name = f"calibration_ratio_day{day}"
        ratios = [world[name] for world in worlds]
        figures |= {name: sum(ratios) / len(ratios)}
        figures |= {f"{name}_min": min(ratios), f"{name}_max": max(ratios)}
    for part in ("decile", "segment"):
        name = f"calibration_ratio_{part}"
        figures[f"{name}_min"] = min(world[f"{name}_min"] for world in worlds)
        figures[f"{name}_max"] = max(world[f"{name}_max"] for world in worlds)
    figures |= {f"gap_closed_seed_{world['seed']}": world["gap_closed"] for world in worlds}
    figures["trees_mean"] = _mean(worlds, "trees")
    return figures


def _mean(worlds: list[dict[str, Any]], name: str) -> float:
    return float(sum(world[name] for world in worlds) / len(worlds))


def run_world(seed: int, history: int, quick: bool) -> dict[str, Any]:
    """Run one world in closed loop, and judge its champion by the truth."""
    from tempfile import TemporaryDirectory

    from conversion_platform.demo import prepare
    from conversion_platform.demo.run import run_and_react
    from conversion_platform.lake import open_session
    from conversion_platform.simulator import World, build

    changes = dict(QUICK) if quick else {"history_days": history}
    world = World.demo(seed=seed, **changes)
    count = QUICK_DAYS if quick else DAYS
    days = DayRange(world.days.last + ONE_DAY, world.days.last + timedelta(days=count))
    with TemporaryDirectory() as scratch:
        folder = Path(scratch) / "world"
        settings = prepare(folder)
        build(world, folder)
        run_and_react(settings, folder, days)
        with open_session(settings) as session:
            return {"seed": seed, "history": history, **_judged(session, folder, days)}


def _judged(session: Any, folder: Path, days: DayRange) -> dict[str, Any]:
    from conversion_platform.demo.judging import scored_truth, truth_evaluation
    from conversion_platform.training import champion, load_card

    scored = scored_truth(session, folder, days)
    found = truth_evaluation(session, scored, days)
    card = load_card(session.lake, champion(session.lake) or "")
    names = (
        "gap_closed",
        "gap_closed_from_formula",
        "map_human",
        "map_formula",
        "map_model",
        "map_oracle",
    )
    return {
        **{name: found[name]["value"] for name in names},
        "days": len(days),
        "trees": card.rounds,
        **_calibration(scored, days),
    }


def _calibration(scored: Any, days: DayRange) -> dict[str, float]:
    """Return predicted over true probability: overall, and the extremes of deciles and segments."""
    import numpy as np

    column = {name: scored[name].to_numpy(zero_copy_only=False) for name in scored.column_names}
    predicted, true = column["probability"].astype(np.float64), column["p_true"]
    dates = column["dt"].astype("datetime64[D]")
    figures: dict[str, float] = {}
    deciles, segments = [], []
    for number in (1, len(days)):
        rows = np.flatnonzero(dates == np.datetime64(days.first + (number - 1) * ONE_DAY))
        figures[f"calibration_ratio_day{number}"] = _ratio(predicted, true, rows)
        order = rows[np.argsort(predicted[rows], kind="stable")]
        deciles += [_ratio(predicted, true, part) for part in np.array_split(order, 10)]
        for name in ("region", "shift", "tenure"):
            groups = [rows[column[name][rows] == value] for value in np.unique(column[name][rows])]
            segments += [_ratio(predicted, true, g) for g in groups if len(g) > LEAST_ROWS]
    for name, values in (("decile", deciles), ("segment", segments)):
        figures[f"calibration_ratio_{name}_min"] = min(values)
        figures[f"calibration_ratio_{name}_max"] = max(values)
    return figures


def _ratio(predicted: Any, true: Any, rows: Any) -> float:
    return float(predicted[rows].sum() / true[rows].sum())


if __name__ == "__main__":
    if len(sys.argv) >= 4 and sys.argv[1] == "--world":
        print(json.dumps(run_world(int(sys.argv[2]), int(sys.argv[3]), "quick" in sys.argv)))
    else:
        main()
