"""Whoever was captured once stays known, whatever is captured, replaced or folded later."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import example, given, note
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from conversion_platform.days import DayRange
from conversion_platform.lake import Session
from conversion_platform.marketplace import USERS_HISTORY, capture
from conversion_platform.marketplace.history import fold_snapshots
from conversion_platform_tests.marketplace.history.world import (
    Regions,
    day,
    files,
    keep,
    known,
    opened,
    seen,
    show,
)

DAYS = range(-3, 13)
Step = tuple[str, int, Regions]
"""What happens; by how many days, or to which of the snapshots; what the source shows."""

Captures = tuple[int, str]
"""The number of a day, and the users that the source shows besides `a`."""


@dataclass
class Plain:
    """What the days see and know, in plain Python.

    Attributes:
        shown: The users of each snapshot.
        new: Those of them that no snapshot before had: days between see them too.
        known: The users and the days from which events of them count.
    """

    shown: dict[int, Regions] = field(default_factory=dict)
    new: dict[int, Regions] = field(default_factory=dict)
    known: set[tuple[str, int]] = field(default_factory=set)

    def keep(self, number: int, users: Regions) -> None:
        """A snapshot knows its users and those of the one before, up to the one after it."""
        before = max((one for one in self.shown if one < number), default=None)
        after = min((one for one in self.shown if one > number), default=DAYS.stop)
        since = DAYS.start if before is None else before + 1
        ids = {*users, *(user for user, one in self.known if one == before)}
        self.known |= {(user, one) for user in ids for one in range(since, after)}
        earlier = users if before is None else self.shown[before]
        self.new[number] = {user: users[user] for user in users if user not in earlier}
        self.shown[number] = users

    def fold(self, number: int) -> None:
        """Days before the first snapshot see it; who was known before it was always known."""
        old = [one for one in self.shown if one < number]
        if old:
            by_day = sorted(self.known, key=lambda pair: pair[1])
            last = {user: one for user, one in by_day if one <= number}
            self.known |= {(user, one) for user in last for one in range(DAYS.start, last[user])}
            self.new[number] = {}
        for one in old:
            del self.shown[one], self.new[one]

    def seen(self, number: int) -> Regions:
        before = max((one for one in self.shown if one <= number), default=min(self.shown))
        after = min((one for one in self.shown if one > number), default=None)
        between = after is not None and before < number
        return {**self.shown[before], **(self.new[after] if between and after else {})}


CASES: dict[str, tuple[list[Captures], list[int]]] = {
    "captured on the first day alone": ([(2, "b"), (3, ""), (2, ""), (3, "")], [1]),
    "captured on both days": ([(2, "b"), (3, "b"), (2, ""), (3, "")], [1]),
    "captured on the second day alone": ([(2, ""), (3, "b"), (2, ""), (3, "")], [3]),
    "captured on both days, the second is refreshed first": (
        [(2, "b"), (3, "b"), (3, ""), (2, "")],
        [1],
    ),
    "captured on the second day, which is refreshed first": (
        [(2, ""), (3, "b"), (3, ""), (2, "")],
        [3],
    ),
    "four days are refreshed in a row": (
        [(2, ""), (3, "b"), (4, ""), (5, "b"), (2, ""), (3, ""), (4, ""), (5, "")],
        [3],
    ),
    "a day is refreshed twice": ([(2, "b"), (2, ""), (2, "")], [1]),
    "comes back later": ([(2, "b"), (3, ""), (5, "b"), (2, ""), (3, ""), (5, "")], [1]),
    "new on a day that is refreshed, and captured later": (
        [(2, ""), (4, ""), (2, "b"), (6, "b"), (6, "")],
        [1, -4, 5],
    ),
    "new on a day that is refreshed, then not": ([(2, ""), (4, ""), (2, "b"), (2, "")], [1, -4]),
}


@pytest.mark.parametrize("case", CASES)
def test_an_id_that_was_captured_stays_known_from_the_day_from_which_it_counted(
    tmp_path: Path, case: str
) -> None:
    """A day that is captured already is refreshed. A negative day ends what the ones before say."""
    captures, changes = CASES[case]
    expected: set[int] = set()
    for change in changes:
        since = set(range(abs(change), DAYS.stop))
        expected = expected | since if change > 0 else expected - since
    with opened(tmp_path) as session:
        keep(session, 0, {"a": "x"})
        for number, others in captures:
            refreshed = day(number) in session.lake.days(USERS_HISTORY)
            keep(session, number, dict.fromkeys(["a", *others], "x"), refresh=refreshed)
        assert {one for user, one in known(session, DAYS) if user == "b"} == expected
        assert {one for user, one in known(session, DAYS) if user == "a"} == set(DAYS)


def test_days_between_see_a_user_whom_the_snapshot_before_them_has_and_the_next_one_had(
    tmp_path: Path,
) -> None:
    with opened(tmp_path) as session:
        keep(session, 0, {"a": "x"})
        keep(session, 3, {"a": "x"})
        keep(session, 6, {"a": "x", "b": "y"})
        keep(session, 6, {"a": "x"}, refresh=True)
        keep(session, 3, {"a": "x", "b": "z"}, refresh=True)
        found = [seen(session, number).get("b") for number in range(8)]
        assert found == [None, "z", "z", "z", "z", "z", None, None]


def _take(session: Session, plain: Plain, step: Step) -> None:
    """Do a step, and the same in plain Python; what a refresh writes is the same a second time."""
    kind, number, users = step
    snapshots = sorted(plain.shown)
    newest = snapshots[-1] if snapshots else -1
    if not snapshots or (kind == "capture" and newest < 8):
        first = newest + 1 + number % 2
        last = max(first, newest + 1 + number % 4)
        show(session, users)
        capture(session, USERS_HISTORY, DayRange(day(first), day(last)))
        for one in sorted({first, last}):
            plain.keep(one, users)
    elif kind != "fold":
        replaced = snapshots[number % len(snapshots)]
        keep(session, replaced, users, refresh=True)
        plain.keep(replaced, users)
        before = files(session)
        keep(session, replaced, users, refresh=True)
        assert files(session) == before
    else:
        kept = snapshots[number % len(snapshots)]
        fold_snapshots(session, USERS_HISTORY, day(kept))
        plain.fold(kept)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["capture", "refresh", "refresh", "refresh", "fold"]),
        st.integers(0, 7),
        st.dictionaries(st.sampled_from("abcd"), st.sampled_from("xy")),
    ),
    min_size=3,
    max_size=9,
)


@hypothesis_settings(max_examples=6)
@given(STEPS)
@example(  # `b` is captured on a day after one from which on it is not known
    [
        ("capture", 0, {"a": "x"}),
        ("capture", 1, {"a": "x"}),
        ("capture", 0, {"a": "x"}),
        ("refresh", 1, {"a": "x", "b": "x"}),
        ("capture", 1, {"a": "x", "b": "x"}),
        ("refresh", 3, {"a": "x"}),
    ]
)
@example(  # `b` is known between two snapshots: first by the later one, then by the earlier
    [
        ("capture", 0, {"c": "y"}),
        ("capture", 5, {"a": "x", "b": "y", "c": "x"}),
        ("capture", 1, {"a": "y", "b": "x"}),
        ("refresh", 2, {}),
        ("refresh", 1, {"a": "y", "b": "y"}),
    ]
)
@example(  # `a` is known on days before the snapshot that the others are folded into
    [
        ("capture", 2, {}),
        ("refresh", 0, {"a": "x", "c": "x"}),
        ("fold", 1, {}),
        ("refresh", 0, {"b": "y"}),
    ]
)
def test_days_see_and_know_what_a_plain_reading_of_all_steps_says(steps: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder, opened(Path(folder)) as session:
        plain = Plain()
        for step in steps:
            note(f"{step}, after snapshots of {sorted(plain.shown)}")
            _take(session, plain, step)
            assert known(session, DAYS) == plain.known
            assert {one: seen(session, one) for one in DAYS} == {
                one: plain.seen(one) for one in DAYS
            }
