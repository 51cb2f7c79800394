"""A provider that never leaves this machine, and otherwise behaves like one.

Some numbers never get a message, receipts come late, people reply, opted-out numbers are refused,
and the same message given twice goes out twice. What happens to a number depends on the seed and
the number alone, so the same run repeats itself.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from conversion_platform.messaging.ledger import (
    connect,
    hashed,
    moment_of,
    readable_errors,
    run_script,
    stamp,
    transaction,
)
from conversion_platform.messaging.providers.base import (
    Accepted,
    Callback,
    Outgoing,
    ProviderRefusedError,
    Receipt,
    Reply,
)
from conversion_platform.messaging.replies import plain
from conversion_platform.messaging.rules import rules

if TYPE_CHECKING:
    from conversion_platform.settings import SandboxSection

OPTED_OUT = "21610"
UNREACHABLE = "30003"
WHAT = "sandbox's outbox"
CONFIRMATION = "You have unsubscribed and will get no more texts. Reply START to resubscribe."
STOP_WORDINGS = (
    "STOP",
    "stop",
    "Stop!!",
    "UNSUBSCRIBE",
    "please stop texting me",
    "no more",
    "Wrong number",
    "STOPALL",
    "opt out",
    "take me off your list",
    "dont text me again",
    "I'm not interested",
    "stpo",
    "leave me alone",
)


@dataclass(frozen=True)
class Delivered:
    """One message in the outbox; `message_id` is None for the provider's own confirmations."""

    number: int
    message_id: str | None
    phone: str
    body: str
    at: datetime


class Sandbox:
    """The sandbox provider on one SQLite file.

    Args:
        path: Its file; made if it is not there.
        behaviour: Shares and seed.
    """

    name = "sandbox"

    def __init__(self, path: Path, behaviour: SandboxSection) -> None:
        self._path = path
        self._behaviour = behaviour
        with readable_errors(path, WHAT), ExitStack() as on_failure:
            self._con = connect(path)
            on_failure.callback(self._con.close)
            self._con.row_factory = sqlite3.Row
            self._prepare()
            on_failure.pop_all()

    def _prepare(self) -> None:
        self._con.execute("PRAGMA journal_mode = WAL")
        # What the operating system has survives kill -9; a provider's power cut is not ours.
        self._con.execute("PRAGMA synchronous = OFF")
        with self._transaction() as con:
            if con.execute("PRAGMA user_version").fetchone()[0] == 0:
                run_script(con, "providers/sandbox.sql")
                con.execute("PRAGMA user_version = 1")

    def close(self) -> None:
        """Close the file."""
        self._con.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with transaction(self._con, self._path):
            yield self._con

    def send(self, message: Outgoing) -> Accepted:
        """Take one message, again if it is given again.

        Raises:
            ProviderRefusedError: 21610 for a number that opted out on the provider's side.
        """
        with self._transaction() as con:
            if self._blocked(con, message.phone, message.at):
                raise ProviderRefusedError(
                    OPTED_OUT, "the number opted out", permanent=True, opted_out=True
                )
            copy = _copies(con, message.message_id)
            provider_id = hashed(f"{message.message_id}|{copy}")
            _put(con, message.message_id, provider_id, message)
            self._foresee(con, message, copy)
        return Accepted(provider_id, message.at)

    def find(self, message_id: str) -> Accepted | None:
        """Whether a message of that id was taken."""
        with readable_errors(self._path, WHAT):
            row = self._con.execute(
                "SELECT provider_id, at FROM outbox WHERE message_id = ? ORDER BY number LIMIT 1",
                (message_id,),
            ).fetchone()
        return Accepted(row["provider_id"], moment_of(row["at"])) if row else None

    def poll(self, now: datetime, limit: int) -> list[Callback]:
        """Receipts and replies up to `now` that were not acknowledged."""
        with readable_errors(self._path, WHAT):
            found = self._con.execute(
                "SELECT * FROM callbacks WHERE NOT acknowledged AND at <= ?"
                " ORDER BY at, callback_id LIMIT ?",
                (stamp(now), limit),
            ).fetchall()
        return [_callback(row) for row in found]

    def acknowledge(self, callbacks: Sequence[Callback]) -> None:
        """Take receipts and replies off the list of what is to be reported."""
        with self._transaction() as con:
            con.executemany(
                "UPDATE callbacks SET acknowledged = 1 WHERE callback_id = ?",
                [(callback.callback_id,) for callback in callbacks],
            )

    def receive_reply(self, phone: str, body: str, at: datetime, reply_id: str) -> bool:
        """Lets a phone reply, as the simulator's people do.

        Args:
            phone: In the form +15125550123.
            body: The words.
            at: When; it is reported to a `poll` from then on.
            reply_id: Unique; a repetition changes nothing.

        Returns:
            Whether the reply was new.
        """
        with self._transaction() as con:
            return self._answered(con, phone, body, at, reply_id)

    def outbox(self) -> list[Delivered]:
        """Every message ever taken, in order (personal data)."""
        with readable_errors(self._path, WHAT):
            found = self._con.execute("SELECT * FROM outbox ORDER BY number").fetchall()
        return [_delivered(row) for row in found]

    def duplicates(self) -> int:
        """How many messages were taken a second time: 0 unless the platform is broken."""
        with readable_errors(self._path, WHAT):
            row = self._con.execute(
                "SELECT count(message_id) - count(DISTINCT message_id) FROM outbox"
            ).fetchone()
        return int(row[0])

    def render_outbox(self, limit: int = 20) -> str:
        """Return the latest messages as a screen; of each number only the last four digits."""
        with readable_errors(self._path, WHAT):
            total = self._con.execute("SELECT count(*) FROM outbox").fetchone()[0]
            found = self._con.execute(
                "SELECT * FROM outbox ORDER BY number DESC LIMIT ?", (limit,)
            ).fetchall()
        head = (
            f"sandbox outbox: {total:,} messages, none left this machine; the latest {len(found)}:"
        )
        return "\n".join([head, *(_line(_delivered(row)) for row in reversed(found))])

    def _blocked(self, con: sqlite3.Connection, phone: str, at: datetime) -> bool:
        row = con.execute(
            "SELECT 1 FROM blocks WHERE phone = ? AND since <= ? AND (until IS NULL OR until > ?)",
            (phone, stamp(at), stamp(at)),
        ).fetchone()
        return row is not None

    def _foresee(self, con: sqlite3.Connection, message: Outgoing, copy: int) -> None:
        """Write down what the provider will report of a message: its end, and a reply to it."""
        seed = f"{self._behaviour.seed}|{message.phone}"
        key = f"{seed}|{message.message_id}"
        fails = _draw(f"{seed}|fail") < self._behaviour.fail_share
        ended = message.at + timedelta(seconds=2 + int(58 * _draw(f"{key}|delay")))
        con.execute(
            "INSERT INTO callbacks (callback_id, at, message_id, status, code)"
            " VALUES (?, ?, ?, ?, ?)",
            (
                hashed(f"receipt|{message.message_id}|{copy}"),
                stamp(ended),
                message.message_id,
                "failed" if fails else "delivered",
                UNREACHABLE if fails else None,
            ),
        )
        if not fails and _draw(f"{key}|stop") < self._behaviour.stop_share:
            wording = STOP_WORDINGS[int(len(STOP_WORDINGS) * _draw(f"{key}|wording"))]
            later = ended + timedelta(seconds=60 + int(3540 * _draw(f"{key}|answer")))
            self._answered(con, message.phone, wording, later, hashed(f"reply|{key}|{copy}"))

    def _answered(
        self, con: sqlite3.Connection, phone: str, body: str, at: datetime, reply_id: str
    ) -> bool:
        keyword = provider_keyword(body)
        added = con.execute(
            "INSERT INTO callbacks (callback_id, at, phone, body, answered) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT DO NOTHING",
            (reply_id, stamp(at), phone, body, int(keyword == "stop")),
        )
        if added.rowcount == 0:
            return False
        if keyword == "stop":
            con.execute("INSERT INTO blocks VALUES (?, ?, NULL)", (phone, stamp(at)))
            _put(con, None, hashed(reply_id), Reply(reply_id, phone, CONFIRMATION, at))
        if keyword == "start":
            con.execute(
                "UPDATE blocks SET until = ? WHERE phone = ? AND since < ? AND until IS NULL",
                (stamp(at), phone, stamp(at)),
            )
        return True


def provider_keyword(body: str) -> str | None:
    """Return what a provider makes of a reply by itself: it knows single keywords, no sentences."""
    text = plain(body)
    for keywords in rules().keywords:
        if text in keywords.words:
            return keywords.kind
    return None


def _copies(con: sqlite3.Connection, message_id: str) -> int:
    row = con.execute("SELECT count(*) FROM outbox WHERE message_id = ?", (message_id,)).fetchone()
    return int(row[0])


def _put(
    con: sqlite3.Connection, message_id: str | None, provider_id: str, text: Outgoing | Reply
) -> None:
    con.execute(
        "INSERT INTO outbox (message_id, provider_id, phone, body, at) VALUES (?, ?, ?, ?, ?)",
        (message_id, provider_id, text.phone, text.body, stamp(text.at)),
    )


def _callback(row: sqlite3.Row) -> Callback:
    at = moment_of(row["at"])
    if row["message_id"] is None:
        return Reply(row["callback_id"], row["phone"], row["body"], at, bool(row["answered"]))
    return Receipt(row["callback_id"], row["message_id"], row["status"], at, row["code"])


def _delivered(row: sqlite3.Row) -> Delivered:
    return Delivered(
        row["number"], row["message_id"], row["phone"], row["body"], moment_of(row["at"])
    )


def _line(text: Delivered) -> str:
    origin = "carrier " if text.message_id is None else "platform"
    return f"{text.at:%Y-%m-%d %H:%M:%S}Z  ···{text.phone[-4:]}  {origin}  {text.body}"


def _draw(text: str) -> float:
    """Return a number in [0, 1) that depends on `text` alone."""
    return int(hashed(text)[:12], 16) / 16**12
