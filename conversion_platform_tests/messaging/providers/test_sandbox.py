"""The sandbox behaves like a carrier, repeats itself, and can reach nobody."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from conversion_platform.errors import SettingsError
from conversion_platform.messaging.providers import open_provider
from conversion_platform.messaging.providers.base import (
    Outgoing,
    ProviderRefusedError,
    Receipt,
    Reply,
)
from conversion_platform.messaging.providers.sandbox import STOP_WORDINGS, Sandbox
from conversion_platform.messaging.replies import classify
from conversion_platform.settings import SandboxSection
from conversion_platform.settings.sections import MessagingSection
from conversion_platform_tests.killing import finish, start
from conversion_platform_tests.messaging.world import (
    TEN_IN_NEW_YORK,
    later,
    phone,
    settings_in,
)

SEND_A_DAY = """
import sys
opened = []

def watch(event, arguments):
    asks_a_name = event == "socket.gethostname"
    ways_out = ("socket.", "subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.system")
    if event.startswith(ways_out) and not asks_a_name:
        opened.append(event)

from pathlib import Path
from conversion_platform.messaging import open_ledger, open_provider, plan_messages, receive
from conversion_platform.messaging import replay_day, snapshot
from conversion_platform.days import DayRange
from conversion_platform.lake import open_session
from conversion_platform.settings import load_settings
from conversion_platform_tests.messaging.world import DAY, everyone, later, put

settings = load_settings(Path(sys.argv[1]) / "conversion_platform.toml")
with open_session(settings) as session, open_ledger(settings) as ledger:
    put(session, everyone(30))
    sys.addaudithook(watch)
    provider = open_provider(settings)
    plan_messages(session, ledger, DAY)
    assert replay_day(ledger, provider, settings, DAY).sent == 30
    receive(ledger, provider, settings, later(hours=9))
    snapshot(session, ledger, DayRange.of(DAY))
    provider.close()
print("opened", opened)
"""


@pytest.fixture
def carriers(tmp_path: Path) -> Iterator[typing.Callable[..., Sandbox]]:
    opened: list[Sandbox] = []

    def carrier(fail: float = 0.0, stop: float = 0.0, seed: int = 11) -> Sandbox:
        behaviour = SandboxSection(fail_share=fail, stop_share=stop, seed=seed)
        opened.append(Sandbox(tmp_path / f"{len(opened)}.sqlite", behaviour))
        return opened[-1]

    yield carrier
    for one in opened:
        one.close()


def text_to(number: int, **changes: typing.Any) -> Outgoing:
    values = {"message_id": f"m{number}", "phone": phone(number), "body": "hello"}
    return Outgoing(**{**values, "at": TEN_IN_NEW_YORK, **changes})


def everything(carrier: Sandbox) -> list[Receipt | Reply]:
    return carrier.poll(later(days=2), 100_000)


def test_the_same_text_given_twice_goes_out_twice(carriers: typing.Any) -> None:
    carrier = carriers()
    assert carrier.send(text_to(1)) != carrier.send(text_to(1))
    assert carrier.duplicates() == 1
    assert [text.message_id for text in carrier.outbox()] == ["m1", "m1"]


def test_the_carrier_knows_what_it_was_given_and_nothing_else(carriers: typing.Any) -> None:
    carrier = carriers()
    accepted = carrier.send(text_to(1))
    assert carrier.find("m1") == accepted
    assert carrier.find("m2") is None


def test_shares_are_kept_and_failing_is_a_matter_of_the_number(carriers: typing.Any) -> None:
    carrier = carriers(fail=0.2, stop=0.3)
    for number in range(1500):
        carrier.send(text_to(number))
    reported = everything(carrier)
    failed = [r for r in reported if isinstance(r, Receipt) and r.status == "failed"]
    stops = [r for r in reported if isinstance(r, Reply)]
    assert 0.15 < len(failed) / 1500 < 0.25
    assert 0.25 < len(stops) / (1500 - len(failed)) < 0.35
    again = carrier.send(
        text_to(int(failed[0].message_id[1:]), message_id="again", at=later(days=3))
    )
    assert again
    receipt = carrier.poll(later(days=4), 100_000)[-1]
    assert isinstance(receipt, Receipt)
    assert receipt.status == "failed"


def test_the_same_seed_behaves_the_same_and_another_does_not(carriers: typing.Any) -> None:
    alike, same, other = carriers(0.2, 0.3), carriers(0.2, 0.3), carriers(0.2, 0.3, seed=12)
    for carrier in (alike, same, other):
        for number in range(200):
            carrier.send(text_to(number))
    assert everything(alike) == everything(same)
    assert everything(alike) != everything(other)


def test_receipts_and_answers_come_late_and_in_order(carriers: typing.Any) -> None:
    carrier = carriers(0.2, 0.5)
    for number in range(100):
        carrier.send(text_to(number))
    assert carrier.poll(TEN_IN_NEW_YORK, 1000) == []
    reported = everything(carrier)
    times = [callback.at for callback in reported]
    assert times == sorted(times)
    receipts = [r.at for r in reported if isinstance(r, Receipt)]
    assert later(seconds=2) <= min(receipts)
    assert max(receipts) <= later(minutes=1)


def test_what_is_not_acknowledged_is_reported_again(carriers: typing.Any) -> None:
    carrier = carriers()
    for number in range(5):
        carrier.send(text_to(number))
    first = carrier.poll(later(hours=1), 3)
    assert carrier.poll(later(hours=1), 3) == first
    carrier.acknowledge(first)
    assert len(carrier.poll(later(hours=1), 10)) == 2


def test_a_number_that_said_stop_is_refused_until_it_says_start(carriers: typing.Any) -> None:
    carrier = carriers()
    carrier.receive_reply(phone(1), "Stop.", later(minutes=5), "r1")
    assert carrier.send(text_to(1, at=later(minutes=4)))
    with pytest.raises(ProviderRefusedError) as refused:
        carrier.send(text_to(1, at=later(minutes=5)))
    assert (refused.value.code, refused.value.permanent, refused.value.opted_out) == (
        "21610",
        True,
        True,
    )
    carrier.receive_reply(phone(1), "START", later(minutes=6), "r2")
    assert carrier.send(text_to(1, at=later(minutes=7)))
    assert carrier.send(text_to(2, at=later(minutes=5)))


def test_the_carrier_knows_keywords_but_no_sentences(carriers: typing.Any) -> None:
    carrier = carriers()
    carrier.receive_reply(phone(1), "please stop texting me", later(minutes=1), "r1")
    assert carrier.send(text_to(1, at=later(minutes=2)))
    (reply,) = carrier.poll(later(minutes=1), 5)
    assert isinstance(reply, Reply)
    assert not reply.answered


def test_an_answer_with_a_known_id_is_the_same_answer(carriers: typing.Any) -> None:
    carrier = carriers()
    assert carrier.receive_reply(phone(1), "hi", later(minutes=1), "r1")
    assert not carrier.receive_reply(phone(1), "hi", later(minutes=1), "r1")
    assert len(everything(carrier)) == 1


def test_every_wording_of_its_opt_outs_is_understood() -> None:
    assert all(classify(wording).suppresses for wording in STOP_WORDINGS)


def test_the_outbox_screen_hides_the_numbers(carriers: typing.Any) -> None:
    carrier = carriers()
    for number in range(30):
        carrier.send(text_to(number, at=TEN_IN_NEW_YORK + timedelta(seconds=number)))
    screen = carrier.render_outbox(limit=5)
    assert len(screen.splitlines()) == 6
    assert "30 messages" in screen
    assert "hello" in screen
    assert phone(29) not in screen
    assert screen.splitlines()[-1].startswith("2026-03-10 14:00:29Z")


def test_no_setting_names_another_carrier(tmp_path: Path) -> None:
    annotation = MessagingSection.model_fields["provider"].annotation
    assert typing.get_args(annotation) == ("sandbox",)
    for clock in ("wall", "replay"):
        settings = settings_in(tmp_path / clock, clock=clock)
        with closing(open_provider(settings)) as provider:
            assert type(provider) is Sandbox
    with pytest.raises(SettingsError, match="provider"):
        settings_in(tmp_path / "twilio", '[messaging]\nprovider = "twilio"\n')


def test_a_whole_day_of_texts_opens_no_socket_and_starts_no_program(tmp_path: Path) -> None:
    settings_in(tmp_path)
    assert "opened []" in finish(start(SEND_A_DAY, str(tmp_path)))
