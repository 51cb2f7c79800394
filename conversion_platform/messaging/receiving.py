"""Takes in what the provider reports: receipts move messages forward, replies may end them.

It also sends the answers to replies (notices): the confirmation of an opt-out, the help text.

Receipts and replies may come twice and out of order: a message only moves forward, and a reply is
kept once, under the provider's id. The provider is told to forget a report only after it is
committed here.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from conversion_platform.messaging.ledger import (
    Ledger,
    hashed,
    lift_by_start,
    stamp,
    suppress,
    suppression,
)
from conversion_platform.messaging.providers.base import (
    Callback,
    Outgoing,
    Provider,
    ProviderRefusedError,
    Receipt,
    Reply,
)
from conversion_platform.messaging.replies import Meaning, classify

if TYPE_CHECKING:
    from conversion_platform.settings import Settings

BATCH = 500
CONFIRM_WITHIN = timedelta(minutes=5)
HELP_WITHIN = timedelta(hours=1)
HELP_AT_MOST_EVERY = timedelta(hours=24)


@dataclass(frozen=True)
class ReceiveSummary:
    """What the provider reported.

    Attributes:
        receipts: Messages moved forward, by state.
        replies: Replies not seen before, by kind.
        suppressed: Numbers put on the suppression list.
        notices: Replies of ours that went out.
    """

    receipts: Mapping[str, int] = field(default_factory=dict)
    replies: Mapping[str, int] = field(default_factory=dict)
    suppressed: int = 0
    notices: int = 0


def receive(
    ledger: Ledger, provider: Provider, settings: Settings, now: datetime
) -> ReceiveSummary:
    """Do `take_in` as a process of its own does: alone with the ledger, after unsettled notices."""
    with ledger.exclusive():
        reconcile_notices(ledger, provider)
        return take_in(ledger, provider, settings, now)


def take_in(
    ledger: Ledger, provider: Provider, settings: Settings, now: datetime
) -> ReceiveSummary:
    """Take in everything that the provider has to report up to `now`; the ledger is held already.

    Replies that end the messages take effect at once. One confirmation goes out for each such
    reply, within five minutes of it or not at all; the replay clock counts as always in time.
    """
    counts: Counter[str] = Counter()
    while True:
        callbacks = provider.poll(now, BATCH)
        if not callbacks:
            break
        with ledger.transaction() as con:
            for callback in callbacks:
                _apply(con, settings, callback, counts)
        provider.acknowledge(callbacks)
        _send_notices(ledger, provider, settings, now, counts)
    _send_notices(ledger, provider, settings, now, counts)
    return ReceiveSummary(
        receipts=_part(counts, "receipt:"),
        replies=_part(counts, "reply:"),
        suppressed=counts["suppressed"],
        notices=counts["notices"],
    )


def _part(counts: Counter[str], prefix: str) -> dict[str, int]:
    found = {key: number for key, number in counts.items() if key.startswith(prefix)}
    return {key.removeprefix(prefix): number for key, number in sorted(found.items())}


def _apply(
    con: sqlite3.Connection, settings: Settings, callback: Callback, counts: Counter[str]
) -> None:
    if isinstance(callback, Receipt):
        counts[f"receipt:{callback.status}"] += _apply_receipt(con, callback)
    else:
        _apply_reply(con, settings, callback, counts)


def _apply_receipt(con: sqlite3.Connection, receipt: Receipt) -> int:
    """Move a message forward; a receipt that says nothing new changes nothing."""
    delivered = receipt.status == "delivered"
    changed = con.execute(
        "UPDATE messages SET state = ?, state_at = ?, final_at = ?, delivered_at = ?,"
        " reason = ?, rule_id = ? WHERE message_id = ? AND state = 'sent'",
        (
            receipt.status,
            stamp(receipt.at),
            stamp(receipt.at),
            stamp(receipt.at) if delivered else None,
            None if delivered else "undelivered",
            f"carrier-{receipt.code}" if receipt.code else None,
            receipt.message_id,
        ),
    )
    return changed.rowcount


def _apply_reply(
    con: sqlite3.Connection, settings: Settings, reply: Reply, counts: Counter[str]
) -> None:
    meaning = classify(reply.body)
    if not _kept(con, reply, meaning):
        return
    counts[f"reply:{meaning.kind}"] += 1
    if meaning.suppresses:
        new = suppress(con, reply.phone, reply.at, meaning.kind, meaning.rule_id, reply.callback_id)
        counts["suppressed"] += new
        if new and meaning.kind == "stop" and not reply.answered:
            _plan_notice(con, reply, "stop", _farewell(settings), CONFIRM_WITHIN)
    elif meaning.kind == "start":
        lift_by_start(con, reply.phone, reply.at)
    elif meaning.kind == "help" and not reply.answered and _may_help(con, reply):
        _plan_notice(con, reply, "help", _help(settings), HELP_WITHIN)


def _kept(con: sqlite3.Connection, reply: Reply, meaning: Meaning) -> bool:
    """Record a reply with the message it follows. Returns False for a repetition."""
    text = con.execute(
        "SELECT message_id, user_id FROM messages WHERE phone = ? AND sent_at <= ?"
        " ORDER BY sent_at DESC, message_id DESC LIMIT 1",
        (reply.phone, stamp(reply.at)),
    ).fetchone()
    message_id, user_id = (text["message_id"], text["user_id"]) if text else (None, None)
    added = con.execute(
        "INSERT INTO replies VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (
            reply.callback_id,
            reply.phone,
            reply.body,
            stamp(reply.at),
            meaning.kind,
            meaning.rule_id,
            int(meaning.suppresses),
            int(meaning.kind == "unsure"),
            message_id,
            user_id,
        ),
    )
    if added.rowcount and meaning.suppresses:
        con.execute(
            "UPDATE messages SET opted_out_at = ? WHERE message_id = ?"
            " AND (opted_out_at IS NULL OR opted_out_at > ?)",
            (stamp(reply.at), message_id, stamp(reply.at)),
        )
    return added.rowcount == 1


def _may_help(con: sqlite3.Connection, reply: Reply) -> bool:
    """Once a day at most, and never to a number that opted out."""
    since = stamp(reply.at - HELP_AT_MOST_EVERY)
    helped = con.execute(
        "SELECT 1 FROM notices WHERE phone = ? AND kind = 'help' AND at > ?", (reply.phone, since)
    ).fetchone()
    return helped is None and suppression(con, reply.phone) is None


def _farewell(settings: Settings) -> str:
    return f"{settings.messaging.sender}: you will get no more texts. Reply START to undo."


def _help(settings: Settings) -> str:
    return (
        f"{settings.messaging.sender}: job texts. Reply STOP to opt out. "
        "Msg & data rates may apply."
    )


def _plan_notice(
    con: sqlite3.Connection, reply: Reply, kind: str, body: str, within: timedelta
) -> None:
    con.execute(
        "INSERT INTO notices VALUES (?, ?, ?, ?, ?, 'planned', ?, ?)",
        (
            hashed(f"notice|{reply.callback_id}"),
            reply.callback_id,
            reply.phone,
            kind,
            body,
            stamp(reply.at),
            stamp(reply.at + within),
        ),
    )


def _send_notices(
    ledger: Ledger,
    provider: Provider,
    settings: Settings,
    now: datetime,
    counts: Counter[str],
) -> None:
    """Send what is in time, each claimed and committed before it leaves."""
    waiting = list(
        ledger.rows("SELECT * FROM notices WHERE state = 'planned' ORDER BY at, notice_id")
    )
    replay = settings.platform.clock == "replay"
    for notice in waiting:
        at = datetime.fromisoformat(notice["at"]) if replay else now
        if stamp(at) > notice["expires_at"]:
            _set_notice(ledger, notice["notice_id"], "expired")
            continue
        _set_notice(ledger, notice["notice_id"], "sending")
        text = Outgoing(notice["notice_id"], notice["phone"], notice["body"], at)
        counts["notices"] += _sent_notice(ledger, provider, text)


def _sent_notice(ledger: Ledger, provider: Provider, text: Outgoing) -> bool:
    try:
        provider.send(text)
    except ProviderRefusedError:
        _set_notice(ledger, text.message_id, "refused")
        return False
    _set_notice(ledger, text.message_id, "sent")
    return True


def _set_notice(ledger: Ledger, notice_id: str, state: str) -> None:
    with ledger.transaction() as con:
        con.execute("UPDATE notices SET state = ? WHERE notice_id = ?", (state, notice_id))


def reconcile_notices(ledger: Ledger, provider: Provider) -> None:
    """After a crash: a notice that was being sent is sent if the provider has it."""
    for notice in list(ledger.rows("SELECT notice_id FROM notices WHERE state = 'sending'")):
        known = provider.find(notice["notice_id"]) is not None
        _set_notice(ledger, notice["notice_id"], "sent" if known else "planned")
