"""Dead is what is gone, or what cannot be seen and has the same count in four observations."""

from __future__ import annotations

from dataclasses import replace

from conversion_platform.liveness import (
    OBSERVATIONS_UNTIL_DEAD,
    Lease,
    Observations,
    process_of,
    this_process,
)
from conversion_platform_tests.liveness.processes import (
    HOLD_THE_INTERPRETER,
    child,
    elsewhere,
    ended_process,
    lease_of,
)


def verdicts(leases: list[Lease]) -> list[bool]:
    """What each observation in a row says, each from what the last one wrote down."""
    found, text = [], None
    for lease in leases:
        observations = Observations.decoded(text)
        found.append(observations.observe(lease))
        text = observations.encoded()
    return found


def test_a_holder_elsewhere_is_dead_when_four_observations_see_the_same_count() -> None:
    assert OBSERVATIONS_UNTIL_DEAD == 4
    lease = lease_of(elsewhere())
    assert verdicts([lease] * 5) == [False, False, False, True, True]


def test_a_count_that_goes_up_in_time_begins_anew() -> None:
    lease = lease_of(elsewhere(), count=7)
    moved = replace(lease, count=8)
    assert verdicts([lease, lease, lease, moved, moved, moved, moved]) == [False] * 6 + [True]


def test_a_slow_holder_that_counts_between_looks_is_never_dead() -> None:
    lease = lease_of(elsewhere())
    assert not any(verdicts([replace(lease, count=number) for number in range(20)]))


def test_another_lease_of_the_same_owner_is_another_holder() -> None:
    assert not any(verdicts([lease_of(elsewhere()) for _ in range(6)]))


def test_a_holder_of_this_host_is_dead_at_the_first_look_after_its_end() -> None:
    assert verdicts([lease_of(ended_process())]) == [True]


def test_a_process_that_runs_is_not_dead_though_its_count_stands_still() -> None:
    assert not any(verdicts([lease_of(this_process())] * 10))
    with child(HOLD_THE_INTERPRETER) as it:
        assert not any(verdicts([lease_of(process_of(it.pid))] * 10))


def test_asking_twice_in_one_look_counts_once() -> None:
    lease, observations = lease_of(elsewhere()), Observations()
    for _ in range(10):
        assert not observations.observe(lease)


def test_a_look_that_does_not_ask_forgets() -> None:
    lease = lease_of(elsewhere())
    observations = Observations()
    for _ in range(3):
        observations.observe(lease)
        observations = observations.next()
    assert not observations.next().observe(lease)
