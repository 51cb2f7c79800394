"""kill -9 in the middle of planning and sending: no text is lost, none goes out twice."""

from __future__ import annotations

import random
import sqlite3
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from conversion_platform.messaging.tables import MESSAGE_STATES, SENT_MESSAGES
from conversion_platform_tests.killing import kill_at_work, start
from conversion_platform_tests.messaging.conftest import OpenOffice
from conversion_platform_tests.messaging.world import (
    DAY,
    everyone,
    later,
    person,
    phone,
    put,
    read,
)

PEOPLE = 2400

SEND = """
import sys
from pathlib import Path
from conversion_platform.messaging import open_ledger, open_provider, replay_day
from conversion_platform.settings import load_settings
from conversion_platform_tests.messaging.world import DAY

settings = load_settings(Path(sys.argv[1]) / "conversion_platform.toml")
ledger, provider = open_ledger(settings), open_provider(settings)
replay_day(ledger, provider, settings, DAY)
"""

PLAN = """
import sys
from pathlib import Path
from conversion_platform.lake import open_session
from conversion_platform.messaging import open_ledger, plan_messages
from conversion_platform.messaging import planning
from conversion_platform.settings import load_settings
from conversion_platform_tests.messaging.world import DAY

planning.BATCH = 400
settings = load_settings(Path(sys.argv[1]) / "conversion_platform.toml")
with open_session(settings) as session, open_ledger(settings) as ledger:
    print("at work", flush=True)
    plan_messages(session, ledger, DAY)
"""


def carriers_count(con: sqlite3.Connection) -> int:
    return int(con.execute("SELECT count(*) FROM outbox").fetchone()[0])


def kill_while_sending(folder: Path, chance: random.Random) -> int:
    """Kills a sender once the carrier has some random number of texts more; says how many."""
    with (
        closing(sqlite3.connect(folder / "messaging" / "sandbox.sqlite")) as con,
        start(SEND, str(folder)) as process,
    ):
        target = carriers_count(con) + chance.randint(1, PEOPLE // 6)
        while carriers_count(con) < target and process.poll() is None:
            time.sleep(0.004)
        time.sleep(chance.uniform(0, 0.03))
        process.kill()
        process.communicate()
        return carriers_count(con)


def test_a_sender_killed_again_and_again_sends_every_text_once(open_office: OpenOffice) -> None:
    killed = open_office(name="killed")
    calm = open_office(name="calm")
    for office in (killed, calm):
        office.plan(*everyone(PEOPLE))
    calm.replay()
    folder = killed.settings.base
    chance = random.Random(5)
    seen = [kill_while_sending(folder, chance) for _ in range(5)]
    assert sum(0 < count < PEOPLE for count in seen) >= 3, seen
    killed.replay()
    in_doubt = killed.ledger.rows("SELECT 1 FROM message_states WHERE reason = 'never_left'")
    assert len(list(in_doubt)) > 0
    assert killed.provider.duplicates() == 0
    assert Counter(text.phone for text in killed.provider.outbox()) == Counter(
        phone(number) for number in range(PEOPLE)
    )
    assert killed.ledger.counts() == {"delivered": PEOPLE}
    for office in (killed, calm):
        office.snapshot()
    assert (folder / "lake" / killed.lake.key(SENT_MESSAGES, DAY)).read_bytes() == (
        calm.settings.base / "lake" / calm.lake.key(SENT_MESSAGES, DAY)
    ).read_bytes()


@pytest.mark.slow
def test_a_planner_killed_again_and_again_plans_every_text_once(open_office: OpenOffice) -> None:
    office = open_office()
    put(office.session, everyone(PEOPLE))
    for seed in range(3):
        kill_at_work(PLAN, str(office.settings.base), seconds=1.0, seed=seed)
    office.plan(*everyone(PEOPLE))
    assert office.ledger.counts() == {"planned": PEOPLE}
    assert office.replay().sent == PEOPLE
    assert office.provider.duplicates() == 0


def test_the_same_plan_twice_gives_the_same_bytes(open_office: OpenOffice) -> None:
    files = []
    for name in ("one", "two"):
        office = open_office("[messaging.sandbox]\nfail_share = 0.1\nstop_share = 0.2\n", name=name)
        office.plan(*everyone(150), person(999, arm="holdout"))
        office.replay()
        office.receive(later(hours=9))
        office.snapshot()
        office.snapshot()
        root = office.settings.base / "lake"
        tables = ("sent_messages", "message_states", "replies")
        files.append([(root / t / f"dt={DAY}" / "data.parquet").read_bytes() for t in tables])
        assert len(read(office.session, MESSAGE_STATES)) > 450
    assert files[0] == files[1]
