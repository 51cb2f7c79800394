"""Sends what is due, deciding about each message again at that moment.

A batch is claimed (state `sending`) in one durable commit before the first of it is given to the
provider, and its results are recorded in another. Whatever a dead process left in `sending` is
settled by asking the provider, so nothing is lost and nothing goes out twice.
Answers to replies are sent by receiving.py.
"""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from conversion_platform.errors import MessagingError
from conversion_platform.marketplace import normalised_phone
from conversion_platform.messaging.consent import (
    Consent,
    Decision,
    Defer,
    Recipient,
    Suppress,
    decide,
)
from conversion_platform.messaging.ledger import Ledger, moment_of, stamp, suppress
from conversion_platform.messaging.providers.base import (
    Accepted,
    Outgoing,
    Provider,
    ProviderRefusedError,
)
from conversion_platform.messaging.receiving import reconcile_notices, take_in

if TYPE_CHECKING:
    from conversion_platform.settings import Settings

BATCH = 500
MOST_ATTEMPTS = 5
RECENT = timedelta(hours=24)

DUE = """
    SELECT m.*, r.country, r.phone AS written, r.time_zone, r.state AS home, r.postal_code,
        r.consent_at, r.consent_source, r.consent_text, s.rule_id AS suppressed,
        (SELECT group_concat(o.sent_at, ' ') FROM messages o
         WHERE o.phone = m.phone AND o.sent_at > :recently) AS recent
    FROM messages m
    JOIN recipients r USING (user_id)
    LEFT JOIN suppressions s ON s.phone = m.phone AND s.lifted_at IS NULL
    WHERE m.state IN ('planned', 'deferred') AND m.due_at <= :now
    ORDER BY m.due_at, m.message_id
    LIMIT :most
"""


@dataclass(frozen=True)
class SendSummary:
    """What sending did.

    Attributes:
        sent: Messages that the provider accepted.
        deferred: Deferrals (a message may be deferred more than once).
        suppressed: Messages that will never go, by reason.
        expired: Messages whose campaign day was over, or would have been.
        failed: Messages that the provider refused for good.
        retried: Refusals that will be tried again.
        recovered: Messages that an earlier process was sending when it died.
    """

    sent: int = 0
    deferred: int = 0
    suppressed: Mapping[str, int] = field(default_factory=dict)
    expired: int = 0
    failed: int = 0
    retried: int = 0
    recovered: int = 0

    @classmethod
    def of(cls, counts: Mapping[str, int]) -> SendSummary:
        """Return the summary of counts by name; suppressions are counted as `suppressed:REASON`."""
        reasons = {
            key.partition(":")[2]: number
            for key, number in sorted(counts.items())
            if key.startswith("suppressed:")
        }
        plain = {key: number for key, number in counts.items() if ":" not in key}
        return cls(suppressed=reasons, **plain)


def send_due(
    ledger: Ledger,
    provider: Provider,
    settings: Settings,
    now: datetime,
    clock: Callable[[], datetime] | None = None,
) -> SendSummary:
    """Send every message that is due, after taking in what the provider has to report.

    Args:
        ledger: Where the messages are planned.
        provider: Takes the messages.
        settings: [messaging] and [platform].
        now: The moment of sending, with a time zone.
        clock: Looked at again before each batch, so that a long sending ends at the quiet hour;
            without it `now` stands still.

    Raises:
        MessagingError: the ledger cannot be used, or another process is sending.
    """
    counts: Counter[str] = Counter()
    with ledger.exclusive():
        counts["recovered"] = _reconcile(ledger, provider, now)
        _send_all(ledger, provider, settings, clock or _stopped_clock(now), counts)
    return SendSummary.of(counts)


def _stopped_clock(now: datetime) -> Callable[[], datetime]:
    return lambda: now


def _send_all(
    ledger: Ledger,
    provider: Provider,
    settings: Settings,
    clock: Callable[[], datetime],
    counts: Counter[str],
) -> None:
    while True:
        now = clock()
        take_in(ledger, provider, settings, now)
        taken, claimed = _claim(ledger, provider.name, now, counts)
        if not taken:
            return
        _give(ledger, provider, claimed, counts)


def _claim(
    ledger: Ledger, provider: str, now: datetime, counts: Counter[str]
) -> tuple[int, list[Outgoing]]:
    """Decides about one batch of due messages and claims those that may go, in one commit."""
    claimed: list[Outgoing] = []
    going: defaultdict[str, list[datetime]] = defaultdict(list)
    with ledger.transaction() as con:
        values = {"now": stamp(now), "recently": stamp(now - RECENT), "most": BATCH}
        due = con.execute(DUE, values).fetchall()
        for row in due:
            if _stopped(con, row, going, now, counts):
                continue
            going[row["phone"]].append(now)
            claimed.append(Outgoing(row["message_id"], row["phone"], row["body"], now))
        con.executemany(
            "UPDATE messages SET state = 'sending', state_at = ?, reason = NULL, rule_id = NULL,"
            " provider = ?, attempts = attempts + 1 WHERE message_id = ?",
            [(stamp(now), provider, text.message_id) for text in claimed],
        )
    return len(due), claimed


def _stopped(
    con: sqlite3.Connection,
    row: sqlite3.Row,
    going: Mapping[str, list[datetime]],
    now: datetime,
    counts: Counter[str],
) -> bool:
    """Record why a due message does not go now; False if it does."""
    if stamp(now) >= row["expires_at"]:
        _end(con, row, "expired", now, "day_over", "campaign-day")
        counts["expired"] += 1
        return True
    decision = _decided(row, going, now)
    if isinstance(decision, Suppress):
        _end(con, row, "suppressed", now, decision.reason, decision.rule_id)
        counts[f"suppressed:{decision.reason}"] += 1
    elif isinstance(decision, Defer) and stamp(decision.until) >= row["expires_at"]:
        _end(con, row, "expired", now, decision.reason, decision.rule_id)
        counts["expired"] += 1
    elif isinstance(decision, Defer):
        _defer(con, row, decision, now)
        counts["deferred"] += 1
    else:
        return False
    return True


def _decided(row: sqlite3.Row, going: Mapping[str, list[datetime]], now: datetime) -> Decision:
    """Decide by the person's record as it is now; a message for another number does not go."""
    decision = decide(_recipient(row, going.get(row["phone"], [])), now)
    if isinstance(decision, Suppress):
        return decision
    if normalised_phone(row["written"], row["country"]) != row["phone"]:
        return Suppress("phone_changed", "valid-number")
    return decision


def _recipient(row: sqlite3.Row, going: list[datetime]) -> Recipient:
    recent = [moment_of(text) for text in (row["recent"] or "").split()]
    given_at = row["consent_at"]
    return Recipient(
        phone=row["written"],
        country=row["country"],
        time_zone=row["time_zone"],
        state=row["home"],
        postal_code=row["postal_code"],
        consent=Consent(moment_of(given_at), row["consent_source"], row["consent_text"])
        if given_at
        else None,
        suppressed=row["suppressed"],
        recent=(*recent, *going),
    )


def _end(
    con: sqlite3.Connection,
    row: sqlite3.Row,
    state: str,
    at: datetime,
    reason: str | None,
    rule_id: str | None,
) -> None:
    con.execute(
        "UPDATE messages SET state = ?, state_at = ?, final_at = ?, reason = ?, rule_id = ?"
        " WHERE message_id = ?",
        (state, stamp(at), stamp(at), reason, rule_id, row["message_id"]),
    )


def _defer(con: sqlite3.Connection, row: sqlite3.Row, decision: Defer, now: datetime) -> None:
    con.execute(
        "UPDATE messages SET state = 'deferred', state_at = ?, due_at = ?, reason = ?, rule_id = ?"
        " WHERE message_id = ?",
        (
            stamp(now),
            stamp(decision.until),
            decision.reason,
            decision.rule_id,
            row["message_id"],
        ),
    )


Answer = tuple[Outgoing, Accepted | ProviderRefusedError]


def _give(
    ledger: Ledger, provider: Provider, claimed: list[Outgoing], counts: Counter[str]
) -> None:
    """Give a claimed batch to the provider and record each result, even when one call fails.

    What was claimed and has no result stays `sending` until the provider is asked.
    """
    answers: list[Answer] = []
    try:
        for text in claimed:
            ledger.fence()
            answers.append((text, _answer(provider, text)))  # kept if one breaks
    finally:
        with ledger.transaction() as con:
            for text, answer in answers:
                counts[_settle(con, text, answer)] += 1


def _answer(provider: Provider, text: Outgoing) -> Accepted | ProviderRefusedError:
    try:
        return provider.send(text)
    except ProviderRefusedError as refusal:
        return refusal


def _settle(
    con: sqlite3.Connection, text: Outgoing, answer: Accepted | ProviderRefusedError
) -> str:
    """Record one result and say what it counts as."""
    if isinstance(answer, Accepted):
        _sent(con, text.message_id, answer)
        return "sent"
    rule_id = f"carrier-{answer.code}"
    if answer.opted_out:
        suppress(con, text.phone, text.at, "carrier", rule_id)
        _refused(con, text, "suppressed", "carrier_opt_out", rule_id)
        return "suppressed:carrier_opt_out"
    if answer.permanent or _attempts(con, text) >= MOST_ATTEMPTS:
        _refused(con, text, "failed", "refused", rule_id)
        return "failed"
    _retry(con, text, rule_id)
    return "retried"


def _sent(con: sqlite3.Connection, message_id: str, accepted: Accepted) -> None:
    at = stamp(accepted.at)
    con.execute(
        "UPDATE messages SET state = 'sent', state_at = ?, sent_at = ?, provider_id = ?,"
        " reason = NULL, rule_id = NULL WHERE message_id = ?",
        (at, at, accepted.provider_id, message_id),
    )


def _refused(
    con: sqlite3.Connection, text: Outgoing, state: str, reason: str, rule_id: str
) -> None:
    con.execute(
        "UPDATE messages SET state = ?, state_at = ?, final_at = ?, reason = ?, rule_id = ?"
        " WHERE message_id = ?",
        (state, stamp(text.at), stamp(text.at), reason, rule_id, text.message_id),
    )


def _attempts(con: sqlite3.Connection, text: Outgoing) -> int:
    row = con.execute(
        "SELECT attempts FROM messages WHERE message_id = ?", (text.message_id,)
    ).fetchone()
    return int(row["attempts"])


def _retry(con: sqlite3.Connection, text: Outgoing, rule_id: str) -> None:
    """Later each time: after 1, 2, 4, 8 minutes."""
    wait = timedelta(minutes=2 ** (_attempts(con, text) - 1))
    con.execute(
        "UPDATE messages SET state = 'planned', state_at = ?, due_at = ?, reason = 'busy',"
        " rule_id = ? WHERE message_id = ?",
        (stamp(text.at), stamp(text.at + wait), rule_id, text.message_id),
    )


def _reconcile(ledger: Ledger, provider: Provider, now: datetime) -> int:
    """Settles what a dead process was sending: sent if the provider has it, else planned again."""
    reconcile_notices(ledger, provider)
    found = list(ledger.rows("SELECT message_id FROM messages WHERE state = 'sending'"))
    for row in found:
        accepted = provider.find(row["message_id"])
        with ledger.transaction() as con:
            if accepted:
                _sent(con, row["message_id"], accepted)
            else:
                _never_left(con, row["message_id"], now)
    return len(found)


def _never_left(con: sqlite3.Connection, message_id: str, now: datetime) -> None:
    con.execute(
        "UPDATE messages SET state = 'planned', state_at = ?, reason = 'never_left',"
        " rule_id = 'carrier-asked' WHERE message_id = ?",
        (stamp(now), message_id),
    )


def replay_day(ledger: Ledger, provider: Provider, settings: Settings, day: date) -> SendSummary:
    """Walk through one campaign day's clock: from due time to due time, to the day's end.

    Everything happens as it would have at real time, and the same plan gives the same states and
    times. Doing it again changes nothing.

    Raises:
        MessagingError: `platform.clock` is not `replay`, or the provider is a real one.
    """
    if settings.platform.clock != "replay" or provider.name != "sandbox":
        raise MessagingError(
            f"Replaying {day} would send messages for a day that is over.",
            "Set platform.clock = 'replay', which goes with the sandbox only; else use send_due.",
        )
    counts: Counter[str] = Counter()
    with ledger.exclusive():
        now = _edge(ledger, day, "min(due_at)", "state IN ('planned', 'deferred', 'sending')")
        if now is not None:
            counts["recovered"] = _reconcile(ledger, provider, now)
        while now is not None:
            _send_all(ledger, provider, settings, _stopped_clock(now), counts)
            now = _edge(ledger, day, "min(due_at)", "state IN ('planned', 'deferred')")
        end = _edge(ledger, day, "max(expires_at)", "true")
        if end is not None:
            take_in(ledger, provider, settings, end)
    return SendSummary.of(counts)


def _edge(ledger: Ledger, day: date, what: str, which: str) -> datetime | None:
    rows = ledger.rows(
        f"SELECT {what} AS at FROM messages WHERE day = ? AND {which}", day.isoformat()
    )
    at = next(iter(rows))["at"]
    return moment_of(at) if at else None
