"""Who is the champion of which day, whom it replaced, who said so, and the way back."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import pytest

from conversion_platform.days import ONE_DAY
from conversion_platform.errors import RegistryError
from conversion_platform.features import FeatureSpec
from conversion_platform.lake import Lake, LocalStorage, Session
from conversion_platform.settings import Settings
from conversion_platform.training import (
    AUTOMATIC,
    Decision,
    ModelCard,
    candidate,
    champion,
    current_promotion,
    decide,
    fit_candidate,
    name_candidate,
    name_shadow,
    promote,
    promotion,
    promotions,
    rollback,
    settle,
    shadow,
)
from conversion_platform.training.calibration import Calibration
from conversion_platform.training.registry import add_version, replace_champion, version_key
from conversion_platform_tests.killing import start
from conversion_platform_tests.training.test_examples import changed

if TYPE_CHECKING:
    import duckdb

DAY = date(2026, 2, 1)
EARLIER = date(2026, 1, 25)


def version_of(lake: Lake, day: date, rounds: int = 1) -> str:
    """A version without trees: pointers do not look inside."""
    card = ModelCard(
        version="",
        day=day,
        spec=FeatureSpec(()),
        columns=("position",),
        vocabularies={},
        label={"negatives": "none"},
        splits={},
        rounds=rounds,
        settings={},
        libraries={},
        fingerprint="",
    )
    return add_version(lake, b"trees", Calibration("platt", (0.0, 1.0), (0.0, 1.0)), card).version


def test_a_pointer_says_whom_it_replaced_who_decided_and_why(lake: Lake) -> None:
    first, second = version_of(lake, EARLIER), version_of(lake, DAY)
    promote(lake, first, EARLIER, "There is none.")
    promote(lake, second, DAY, "It is better.", "Ann")
    told = [(one.version, one.previous, one.by, one.reason) for one in promotions(lake)]
    assert told == [
        (first, None, AUTOMATIC, "There is none."),
        (second, first, "Ann", "It is better."),
    ]


def test_a_training_for_an_older_day_does_not_replace_a_newer_champion(lake: Lake) -> None:
    first, newest = version_of(lake, EARLIER), version_of(lake, DAY)
    promote(lake, first, EARLIER, "first")
    promote(lake, newest, DAY, "better")
    late = version_of(lake, EARLIER + ONE_DAY)
    with pytest.raises(RegistryError, match=f"{newest} is the champion from {DAY} on"):
        promote(lake, late, EARLIER + ONE_DAY, "backfilled")
    assert (champion(lake), champion(lake, EARLIER + ONE_DAY)) == (newest, first)
    assert len(promotions(lake)) == 2


def test_an_older_day_without_any_champion_gets_one_which_is_not_the_champion_now(
    lake: Lake,
) -> None:
    newest, late = version_of(lake, DAY), version_of(lake, EARLIER)
    promote(lake, newest, DAY, "first")
    pointer = promote(lake, late, EARLIER, "for its own days")
    assert pointer.previous is None
    current = current_promotion(lake)
    assert current is not None and (current.version, current.previous) == (newest, None)
    assert [champion(lake, day) for day in (EARLIER, DAY - ONE_DAY, DAY)] == [late, late, newest]


def test_a_rollback_makes_the_replaced_version_the_champion_from_the_day_on(lake: Lake) -> None:
    first, second = version_of(lake, EARLIER), version_of(lake, DAY)
    promote(lake, first, EARLIER, "first")
    promote(lake, second, DAY, "better")
    later = DAY + ONE_DAY
    pointer = rollback(lake, later, "Clicks fell.", "Ann")
    assert (pointer.version, pointer.previous, pointer.by) == (first, second, "Ann")
    assert [champion(lake, day) for day in (DAY, later)] == [second, first]


def test_without_a_replaced_champion_there_is_no_way_back(lake: Lake) -> None:
    with pytest.raises(RegistryError, match="no previous champion"):
        rollback(lake, DAY, "why", "Ann")
    promote(lake, version_of(lake, DAY), DAY, "first")
    with pytest.raises(RegistryError, match="no previous champion"):
        rollback(lake, DAY, "why", "Ann")


def test_a_damaged_version_does_not_become_the_champion(lake: Lake) -> None:
    version = version_of(lake, DAY)
    lake.storage.replace(version_key(version, "model.ubj"), b"treed")
    with pytest.raises(RegistryError, match=r"model\.ubj"):
        promote(lake, version, DAY, "first")
    with pytest.raises(RegistryError, match=r"model\.ubj"):
        name_shadow(lake, version, DAY, "to be watched")


def test_a_decision_against_a_champion_that_was_replaced_meanwhile_does_not_count(
    lake: Lake,
) -> None:
    first, second, third = (version_of(lake, DAY, rounds) for rounds in (1, 2, 3))
    promote(lake, first, DAY, "first")
    promote(lake, second, DAY, "promoted while the third was trained", "Ann")
    assert not replace_champion(lake, third, DAY, "better than the first", first)
    assert champion(lake) == second
    assert replace_champion(lake, third, DAY, "better than the second", second)
    assert current_promotion(lake) == promotions(lake)[-1]
    assert promotions(lake)[-1].previous == second


def test_every_candidate_of_a_day_is_kept_and_the_last_one_counts(lake: Lake) -> None:
    with pytest.raises(RegistryError, match="No candidate was trained"):
        candidate(lake, DAY)
    for version in ("a", "b", "b"):
        name_candidate(lake, DAY, version)
    name_candidate(lake, EARLIER, "old")
    assert (candidate(lake, DAY), candidate(lake, EARLIER)) == ("b", "old")
    assert len(lake.storage.list(f"models/candidates/{DAY}")) == 2


def test_a_damaged_candidate_pointer_is_named_until_the_day_is_trained_again(lake: Lake) -> None:
    name_candidate(lake, DAY, "a")
    lake.storage.replace(f"models/candidates/{DAY}/000001.json", b"{}")
    with pytest.raises(RegistryError, match="000001"):
        candidate(lake, DAY)
    name_candidate(lake, DAY, "a")
    assert candidate(lake, DAY) == "a"


def test_a_candidate_for_an_older_day_is_decided_about_by_what_was_there(
    session: Session, lake: Lake, day: date
) -> None:
    mine = fit_candidate(session, day).version
    newest = version_of(lake, day + ONE_DAY)
    promote(lake, newest, day + ONE_DAY, "newer")
    decision = settle(session, mine, day)
    assert decision.promote and f"{newest} stays the one from {day + ONE_DAY} on" in decision.reason
    assert (champion(lake, day), champion(lake)) == (mine, newest)
    late = fit_candidate(
        Session(changed(session.settings, "training", seed=8), lake, session.con), day
    )
    decision = settle(session, late.version, day)
    assert not decision.promote and f"{newest} is the champion from" in decision.reason
    assert champion(lake, day) == mine


def test_a_shadow_ends_when_it_becomes_the_champion(lake: Lake) -> None:
    first, watched = version_of(lake, EARLIER), version_of(lake, DAY)
    promote(lake, first, EARLIER, "first")
    assert shadow(lake) is None
    pointer = name_shadow(lake, watched, DAY, "to be watched")
    assert name_shadow(lake, watched, DAY, "again") == pointer
    assert (shadow(lake), shadow(lake, EARLIER)) == (watched, None)
    promote(lake, watched, DAY + ONE_DAY, "overlap is fine")
    assert (shadow(lake), shadow(lake, DAY)) == (None, watched)


@pytest.mark.parametrize("place", range(0, 200, 7))
def test_a_flipped_byte_in_any_pointer_is_named(lake: Lake, place: int) -> None:
    versions = [version_of(lake, DAY, rounds) for rounds in (1, 2)]
    for version in versions:
        promote(lake, version, DAY, "why")
    flip(lake, "models/champion/000001.json", place)
    with pytest.raises(RegistryError, match="000001"):
        champion(lake)
    promote(lake, versions[1], DAY, "again, over the damaged one")
    assert champion(lake) == versions[1]


def flip(lake: Lake, key: str, place: int) -> None:
    data = bytearray(lake.storage.read(key))
    data[place % len(data)] ^= 1
    lake.storage.replace(key, bytes(data))


class Dying(LocalStorage):
    """A storage whose process is killed before call number `left`."""

    def __init__(self, root: str, left: int) -> None:
        super().__init__(root)
        self.left = left

    def _count(self) -> None:
        self.left -= 1
        if self.left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def list(self, prefix: str) -> list[str]:
        self._count()
        return super().list(prefix)

    def read(self, key: str) -> bytes:
        self._count()
        return super().read(key)

    def replace(self, key: str, data: bytes) -> None:
        self._count()
        super().replace(key, data)

    def create(self, key: str, data: bytes) -> bool:
        self._count()
        done = super().create(key, data)
        self._count()
        return done


PROMOTING = """
import sys
from datetime import date
from conversion_platform.lake import Lake
from conversion_platform.training import promote
from conversion_platform.training.registry import replace_champion
from conversion_platform_tests.training.test_roles import DAY, Dying
root, calls, version, holder = sys.argv[1:]
dying = Lake(Dying(root, int(calls)))
if holder:
    replace_champion(dying, version, DAY, "better", holder)
else:
    promote(dying, version, DAY, "better", "Ann")
"""


@pytest.mark.parametrize("by_hand", [True, False])
def test_a_process_killed_while_promoting_leaves_the_old_champion_or_the_new_one(
    lake: Lake, by_hand: bool
) -> None:
    old, new = version_of(lake, EARLIER), version_of(lake, DAY)
    promote(lake, old, EARLIER, "first")
    left = []
    for calls in range(30):
        with start(PROMOTING, lake.storage.root, str(calls), new, "" if by_hand else old) as child:
            child.communicate()
        left.append(champion(lake))
        assert champion(lake, EARLIER) == old
        if child.returncode == 0:
            break
        assert child.returncode == -signal.SIGKILL
        lake.storage.remove("models/champion/000002.json")
    assert set(left) == {old, new}
    assert left == sorted(left, key=lambda version: version == new)
    assert len(left) > 5


def test_a_candidate_that_was_trained_while_another_was_promoted_is_compared_with_that_one(
    con: duckdb.DuckDBPyConnection,
    lake: Lake,
    settings: Settings,
    day: date,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    worse, third = (
        fit_candidate(Session(changed(settings, "training", trees=few), lake, con), day).version
        for few in (1, 2)
    )
    session = Session(settings, lake, con)
    mine = fit_candidate(session, day).version
    promote(lake, worse, day, "first")
    against = []

    def deciding(session: Session, version: str) -> Decision:
        decision = decide(session, version)
        against.append(decision.champion)
        if len(against) == 1:
            promote(lake, third, day, "meanwhile", "Ann")
        return replace(decision, promote=True)  # whatever the few examples of a test say

    monkeypatch.setattr(promotion, "decide", deciding)
    settle(session, mine, day)
    assert against == [worse, third]
