"""A lake, a ledger and a sandbox carrier in the test's own folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conversion_platform.days import DayRange
from conversion_platform.lake import Lake, Session, open_lake
from conversion_platform.messaging import (
    Ledger,
    PlanSummary,
    ReceiveSummary,
    SendSummary,
    open_ledger,
    open_provider,
    plan_messages,
    receive,
    replay_day,
    send_due,
    snapshot,
)
from conversion_platform.messaging.providers.sandbox import Sandbox
from conversion_platform.settings import Settings
from conversion_platform_tests.messaging.world import (
    DAY,
    TEN_IN_NEW_YORK,
    Person,
    put,
    settings_in,
)

if TYPE_CHECKING:
    import duckdb


@dataclass
class Office:
    """Everything that one test sends through."""

    settings: Settings
    lake: Lake
    con: duckdb.DuckDBPyConnection
    ledger: Ledger
    provider: Sandbox

    @property
    def session(self) -> Session:
        return Session(self.settings, self.lake, self.con)

    def plan(self, *people: Person, day: date = DAY) -> PlanSummary:
        put(self.session, people, day)
        return plan_messages(self.session, self.ledger, day)

    def replan(self, *people: Person, day: date = DAY) -> PlanSummary:
        """Plan a day again, and decide again about what was suppressed."""
        put(self.session, people, day)
        return plan_messages(self.session, self.ledger, day, TEN_IN_NEW_YORK)

    def send(self, now: datetime) -> SendSummary:
        return send_due(self.ledger, self.provider, self.settings, now)

    def replay(self, day: date = DAY) -> SendSummary:
        return replay_day(self.ledger, self.provider, self.settings, day)

    def receive(self, now: datetime) -> ReceiveSummary:
        return receive(self.ledger, self.provider, self.settings, now)

    def snapshot(self, day: date = DAY) -> None:
        snapshot(self.session, self.ledger, DayRange.of(day))

    def message(self, user_id: str, day: date = DAY) -> dict[str, object]:
        """The ledger's row of one text."""
        (row,) = self.ledger.rows(
            "SELECT * FROM messages WHERE user_id = ? AND day = ?", user_id, day.isoformat()
        )
        return dict(row)

    def history(self, user_id: str, day: date = DAY) -> list[str]:
        """The states that one text was in."""
        found = self.ledger.rows(
            "SELECT s.state FROM message_states s JOIN messages m USING (message_id)"
            " WHERE user_id = ? AND day = ? ORDER BY sequence",
            user_id,
            day.isoformat(),
        )
        return [row["state"] for row in found]

    def texts_to(self, phone: str) -> list[str]:
        """What the carrier was given for a number, its own confirmations left out."""
        outbox = self.provider.outbox()
        return [text.body for text in outbox if text.phone == phone and text.message_id]


OpenOffice = Callable[..., Office]


@pytest.fixture
def open_office(tmp_path: Path) -> Iterator[OpenOffice]:
    """Opens an office: `open_office(toml, clock=..., name=...)`."""
    with ExitStack() as stack:

        def opened(text: str = "", clock: str = "replay", name: str = "office") -> Office:
            settings = settings_in(tmp_path / name, text, clock)
            lake = open_lake(settings)
            return Office(
                settings,
                lake,
                stack.enter_context(lake.connect()),
                stack.enter_context(open_ledger(settings)),
                stack.enter_context(closing(open_provider(settings))),
            )

        yield opened


@pytest.fixture
def office(open_office: OpenOffice) -> Office:
    """An office on the replay clock whose carrier delivers everything."""
    return open_office()
