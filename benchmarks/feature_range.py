"""What each further day of a range costs, against the first, when one run builds many days.

The first day counts events of the 90 days before it; a later day adds one day's events and takes
another's away. `later_day_vs_first` says whether that is still so: 59 days of history are built in
one run before a first model, and a change that helps the first day alone can cost each later one.
Same world and same work as `features.py`; both sides are ours.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import features  # noqa: E402
from benchmarks._feature_world import Size, make_world  # noqa: E402
from benchmarks.harness import Bound, conduct  # noqa: E402


def main() -> None:
    """Run it, or print the run that is kept."""
    conduct("feature_range", __doc__ or "", measured, bounds)


def bounds(*_: object) -> list[Bound]:
    """Return what is expected: a later day costs less than the first."""
    return [Bound("later_day_vs_first", most=0.8)]


def measured(quick: bool) -> dict[str, Any]:
    """Build the last day, then the last days, and compare."""
    size = features.QUICK if quick else features.FULL
    days = 7 if quick else 28
    world = make_world(size)
    first = seconds_of(world, size, 1)
    later = (seconds_of(world, size, days) - first) / (days - 1)
    return {
        "later_day_vs_first": later / first,
        "seconds_first_day": first,
        "seconds_later_day": later,
        "days": days,
        "users": size.users,
        "events": size.events,
    }


def seconds_of(world: Path, size: Size, days: int) -> float:
    """One fresh process that builds the last `days` days."""
    with TemporaryDirectory() as scratch:
        return float(features.run_side("ours", world, scratch, size, days).answer["seconds"])


if __name__ == "__main__":
    main()
