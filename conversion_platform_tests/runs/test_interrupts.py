"""An interrupt waits until native code is done, and is not lost where Python ignores it."""

from __future__ import annotations

import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from conversion_platform.cli.main import INTERRUPTED, Commands
from conversion_platform.interrupts import interrupts_held, lost_interrupts_sent_again
from conversion_platform.lake import LocalStorage


@pytest.fixture(autouse=True)
def _pythons_own_handler() -> Iterator[None]:
    """Tests that were started in the background may have been told to ignore Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_comes_when_the_block_is_done() -> None:
    reached = []
    with pytest.raises(KeyboardInterrupt), interrupts_held():
        signal.raise_signal(signal.SIGINT)
        reached.append("the end of the block")
    assert reached


def test_the_handlers_are_those_from_before() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with interrupts_held():
        assert signal.getsignal(signal.SIGINT) != before[0]
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_an_error_of_the_block_is_not_replaced() -> None:
    with pytest.raises(ValueError, match="own"), interrupts_held():
        raise ValueError("own")


def test_a_thread_that_gets_no_signals_goes_on() -> None:
    done = []

    def work() -> None:
        with interrupts_held():
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done


class SignalledWhenCollected:
    """An object in whose destructor Ctrl-C strikes."""

    def __init__(self, times: list[int]) -> None:
        self.times = times

    def __del__(self) -> None:
        self.times.append(1)
        signal.raise_signal(signal.SIGINT)


def wait_to_be_stopped() -> None:
    """Work that goes on until an interrupt stops it."""
    for _ in range(500):
        time.sleep(0.01)


def test_an_interrupt_that_a_destructor_swallows_comes_again() -> None:
    times: list[int] = []
    with pytest.raises(KeyboardInterrupt), lost_interrupts_sent_again():
        held = SignalledWhenCollected(times)
        del held
        assert times
        wait_to_be_stopped()


def test_an_interrupt_that_is_swallowed_again_comes_until_it_stops_something() -> None:
    lost = []

    class Twice(SignalledWhenCollected):
        def __del__(self) -> None:
            lost.append(1)
            wait_to_be_stopped()  # the one that comes again finds a destructor at work again

    with pytest.raises(KeyboardInterrupt), lost_interrupts_sent_again():
        held = SignalledWhenCollected([])
        del held
        other = Twice([])
        del other
        assert lost
        wait_to_be_stopped()


def test_an_ignored_error_of_another_kind_is_told_as_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = []
    monkeypatch.setattr(sys, "unraisablehook", told.append)

    class Broken:
        def __del__(self) -> None:
            raise ValueError("own")

    with lost_interrupts_sent_again():
        broken = Broken()
        del broken
    assert [one.exc_type for one in told] == [ValueError]
    assert sys.unraisablehook == told.append


def outcome_of(work: Callable[[], None]) -> Result:
    """What a command that does this work ends with."""
    commands = Commands("commands")
    commands.command("work")(work)
    return CliRunner().invoke(commands, ["work"])


def swallowed_by_a_destructor() -> None:
    held = SignalledWhenCollected([])
    del held
    wait_to_be_stopped()


def met_by_a_query() -> None:
    raise RuntimeError("Query interrupted")  # what DuckDB makes of it


@pytest.mark.parametrize("work", [swallowed_by_a_destructor, met_by_a_query])
def test_a_command_ends_as_stopped_wherever_the_interrupt_struck(work: Callable[[], None]) -> None:
    outcome = outcome_of(work)
    assert outcome.exit_code == INTERRUPTED
    assert "Stopped. Nothing is half written" in outcome.output


def test_an_error_of_a_command_is_not_taken_for_an_interrupt() -> None:
    def fail() -> None:
        raise RuntimeError("own")

    assert str(outcome_of(fail).exception) == "own"


def test_clearing_up_is_not_cut_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    remove = shutil.rmtree

    def struck(path: Path, **options: bool) -> None:
        signal.raise_signal(signal.SIGINT)
        remove(path, **options)

    monkeypatch.setattr(shutil, "rmtree", struck)
    with pytest.raises(KeyboardInterrupt), LocalStorage(tmp_path).spill_folder() as folder:
        folder.mkdir()
    assert not folder.exists()
