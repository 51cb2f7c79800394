"""The ledger: one SQLite file that knows every message, its history, and who must not get any.

A message's row exists, under a unique key of user, campaign and day, before anything leaves. The
file's own triggers keep the history and refuse a move that the state machine does not have, so
no caller can forget either (ledger.sql).
"""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, date, datetime
from importlib import resources
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from conversion_platform.errors import MessagingError, SettingsError
from conversion_platform.lake import DISK_FULL, PRIVATE_FILE, make_private, unfenced

if TYPE_CHECKING:
    from conversion_platform.days import DayRange
    from conversion_platform.settings import Settings

SCHEMA_VERSION = 2
BUSY_SECONDS = 60.0
BELONGS = "CREATE TABLE IF NOT EXISTS belongs (lake_id TEXT NOT NULL) STRICT"
LIFTED_BY_START = ("stop", "unsure", "carrier")


def message_id_of(user_id: str, campaign: str, day: date) -> str:
    """Return the id of the one message that a user can get from a campaign on a day."""
    return hashed(f"{user_id}|{campaign}|{day.isoformat()}")


def hashed(text: str) -> str:
    """Return an id made from text."""
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def stamp(moment: datetime) -> str:
    """Return a time as the ledger writes it: UTC, microseconds, sortable as text."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def moment_of(stamped: str) -> datetime:
    """Return the time behind a stamp."""
    return datetime.fromisoformat(stamped)


def connect(path: Path, timeout: float = BUSY_SECONDS) -> sqlite3.Connection:
    """Open a SQLite file that its owner alone can read; made, with its folder, if it is not there.

    SQLite gives the files beside it (`-wal`, `-shm`) its mode.

    Args:
        path: The file.
        timeout: Seconds to wait for another process.

    Raises:
        OSError: it cannot be made.
        sqlite3.Error: it cannot be opened.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.touch(PRIVATE_FILE)
    for end in ("", "-wal", "-shm"):
        make_private(path.with_name(path.name + end))
    return sqlite3.connect(path, timeout=timeout, isolation_level=None)


class Ledger:
    """An open ledger. Use it as a context manager, in one thread.

    Args:
        path: The SQLite file; made, with its folder, if it is not there.

    Raises:
        MessagingError: the file is damaged, from a newer version, locked, or cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.fence: Callable[[], None] = unfenced
        """Called before anything is recorded or given away; it raises if that must not be."""
        self._alone = False
        with readable_errors(path), ExitStack() as on_failure:
            self._con = connect(path)
            on_failure.callback(self._con.close)
            self._con.row_factory = sqlite3.Row
            self._prepare()
            on_failure.pop_all()

    def _prepare(self) -> None:
        self._con.execute("PRAGMA journal_mode = WAL")
        self._con.execute("PRAGMA synchronous = FULL")
        with self.transaction() as con:
            version = con.execute("PRAGMA user_version").fetchone()[0]
            if version == 0:
                run_script(con, "ledger.sql")
            if version < SCHEMA_VERSION:
                run_script(con, "ledger_moves.sql")
                con.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            con.execute(BELONGS)
        if version > SCHEMA_VERSION:
            raise MessagingError(
                f"{self.path} was written by a newer conversion-platform (schema {version}).",
                "Upgrade this installation; never let two versions share a ledger.",
            )

    def close(self) -> None:
        """Close the file."""
        self._con.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Everything inside is committed together, durably, or not at all."""
        with transaction(self._con, self.path):
            self.fence()
            yield self._con
            self.fence()

    def rows(self, sql: str, *values: Any) -> Iterator[sqlite3.Row]:
        """Return the rows of a query, streamed."""
        with readable_errors(self.path):
            yield from self._con.execute(sql, values)

    @contextmanager
    def exclusive(self, seconds: float | None = None) -> Iterator[None]:
        """Let one process at a time send, receive and copy; a dead process holds nothing.

        A block inside such a block holds the lock that the outer one has.

        Args:
            seconds: How long to wait for another process; BUSY_SECONDS if not given.

        Raises:
            MessagingError: another process is at it for longer than that.
        """
        if self._alone:
            yield
            return
        with closing(connect(self._lock, timeout=1.0)) as con:
            self._wait_alone(con, time.monotonic() + (BUSY_SECONDS if seconds is None else seconds))
            self._alone = True
            try:
                yield
            finally:
                self._alone = False

    @property
    def _lock(self) -> Path:
        return self.path.with_name(self.path.name + ".lock")

    def _wait_alone(self, con: sqlite3.Connection, until: float) -> None:
        """Take the lock in waits of a second, between which Ctrl-C is heard."""
        while True:
            try:
                con.execute("BEGIN EXCLUSIVE")
                return
            except sqlite3.OperationalError as error:
                busy = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
                if not busy or time.monotonic() > until:
                    with readable_errors(self.path):
                        raise

    def lake_id(self) -> str | None:
        """Return the id of the lake that this ledger belongs to, or None if it has none yet."""
        found = next(self.rows("SELECT lake_id FROM belongs"), None)
        return str(found["lake_id"]) if found else None

    def set_lake_id(self, lake_id: str) -> None:
        """Let this ledger belong to a lake."""
        with self.transaction() as con:
            con.execute("DELETE FROM belongs")
            con.execute("INSERT INTO belongs VALUES (?)", (lake_id,))

    def counts(self, first: date | None = None, last: date | None = None) -> dict[str, int]:
        """Messages by state, over all campaign days or a range of them."""
        found = self.rows(
            "SELECT state, count(*) AS n FROM messages WHERE day BETWEEN ? AND ? GROUP BY state",
            (first or date.min).isoformat(),
            (last or date.max).isoformat(),
        )
        return {row["state"]: row["n"] for row in found}

    def suppressed(self, first: date | None = None, last: date | None = None) -> dict[str, int]:
        """Suppressed messages by reason, the most frequent first, over campaign days."""
        found = self.rows(
            "SELECT reason, count(*) AS n FROM messages WHERE state = 'suppressed'"
            " AND day BETWEEN ? AND ? GROUP BY reason ORDER BY n DESC, reason",
            (first or date.min).isoformat(),
            (last or date.max).isoformat(),
        )
        return {str(row["reason"]): row["n"] for row in found}

    def newest_day(self) -> date | None:
        """Return the newest campaign day that has messages; None if there are none."""
        found = next(self.rows("SELECT max(day) AS day FROM messages"))
        return date.fromisoformat(found["day"]) if found["day"] else None

    def texted_days(self, days: DayRange) -> set[date]:
        """Return the campaign days of which a message was given to the provider."""
        found = self.rows(
            "SELECT DISTINCT day FROM messages WHERE attempts > 0 AND day BETWEEN ? AND ?",
            days.first.isoformat(),
            days.last.isoformat(),
        )
        return {date.fromisoformat(row["day"]) for row in found}

    def suppress(self, phone: str, at: datetime, reason: str, rule_id: str) -> bool:
        """End all messages to a number (+15125550123). Returns False if that was so already."""
        with self.transaction() as con:
            return suppress(con, phone, at, reason, rule_id)

    def lift(self, phone: str, at: datetime, by: str) -> bool:
        """Lets messages to a number go again, by a person's decision."""
        with self.transaction() as con:
            return _lifted(con, phone, at, by)

    def suppression(self, phone: str) -> str | None:
        """Return the rule under which a number is on the suppression list, or None."""
        with readable_errors(self.path):
            return suppression(self._con, phone)

    def replies_for_a_person(self) -> list[dict[str, Any]]:
        """Return the replies that a person should read, oldest first (personal data)."""
        found = self.rows(
            "SELECT reply_id, phone, body, at, kind, rule_id, user_id FROM replies"
            " WHERE needs_person ORDER BY at, reply_id"
        )
        return [dict(row) for row in found]

    def render_replies_for_a_person(self, limit: int) -> str:
        """Return the latest of them as a screen; of each number only the last four digits."""
        waiting = self.replies_for_a_person()
        latest = waiting[-limit:]
        head = f"{len(waiting):,} replies for a person to read; the latest {len(latest)}:"
        return "\n".join([head, *map(_reply_line, latest)])


def _reply_line(reply: dict[str, Any]) -> str:
    at = f"{moment_of(reply['at']):%Y-%m-%d %H:%M:%S}Z"
    user = reply["user_id"] or "no recipient of ours"
    return f"{at}  ···{reply['phone'][-4:]}  {user}  {reply['rule_id']}  {reply['body']!r}"


@contextmanager
def transaction(con: sqlite3.Connection, path: Path) -> Iterator[None]:
    """Everything inside is committed to the file together, or not at all."""
    with readable_errors(path):
        con.execute("BEGIN IMMEDIATE")
        try:
            yield
            con.commit()
        except BaseException:
            con.rollback()
            raise


def suppression(con: sqlite3.Connection, phone: str | None) -> str | None:
    """Return the rule under which a number is on the suppression list, or None."""
    row = con.execute(
        "SELECT rule_id FROM suppressions WHERE phone = ? AND lifted_at IS NULL", (phone,)
    ).fetchone()
    return str(row["rule_id"]) if row else None


def suppress(
    con: sqlite3.Connection,
    phone: str,
    at: datetime,
    reason: str,
    rule_id: str,
    reply_id: str | None = None,
) -> bool:
    """Put a number on the suppression list; see `Ledger.suppress`.

    The latest word counts: a START that was given between two STOPs does not lift the later one.
    What a person decides counts above what a reply said.
    """
    changed = con.execute(
        "INSERT INTO suppressions (phone, at, reason, rule_id, reply_id) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT DO NOTHING",
        (phone, stamp(at), reason, rule_id, reply_id),
    )
    return changed.rowcount == 1 or _strengthened(con, phone, at, reason, rule_id)


def _strengthened(
    con: sqlite3.Connection, phone: str, at: datetime, reason: str, rule_id: str
) -> bool:
    """Brings a number's place on the list up to date; whether somebody else than START lifts it."""
    con.execute(
        "UPDATE suppressions SET at = max(at, ?) WHERE phone = ? AND lifted_at IS NULL",
        (stamp(at), phone),
    )
    if reason in LIFTED_BY_START:
        return False
    marks = ", ".join("?" for _ in LIFTED_BY_START)
    changed = con.execute(
        "UPDATE suppressions SET reason = ?, rule_id = ?"
        f" WHERE phone = ? AND lifted_at IS NULL AND reason IN ({marks})",
        (reason, rule_id, phone, *LIFTED_BY_START),
    )
    return changed.rowcount == 1


def lift_by_start(con: sqlite3.Connection, phone: str, at: datetime) -> bool:
    """Take a number off the list because START came from it after it was put there.

    What a person suppressed, only a person lifts.
    """
    marks = ", ".join("?" for _ in LIFTED_BY_START)
    changed = con.execute(
        "UPDATE suppressions SET lifted_at = ?, lifted_by = 'start'"
        f" WHERE phone = ? AND lifted_at IS NULL AND at < ? AND reason IN ({marks})",
        (stamp(at), phone, stamp(at), *LIFTED_BY_START),
    )
    return changed.rowcount == 1


def _lifted(con: sqlite3.Connection, phone: str, at: datetime, by: str) -> bool:
    changed = con.execute(
        "UPDATE suppressions SET lifted_at = ?, lifted_by = ?"
        " WHERE phone = ? AND lifted_at IS NULL",
        (stamp(at), by, phone),
    )
    return changed.rowcount == 1


def run_script(con: sqlite3.Connection, name: str) -> None:
    """Run one of the package's SQL scripts inside the caller's transaction."""
    folder = resources.files("conversion_platform.messaging")
    text = folder.joinpath(name).read_text(encoding="utf-8")
    for statement in _statements(text.splitlines(keepends=True)):
        con.execute(statement)


def _statements(lines: Iterable[str]) -> Iterator[str]:
    """Whole statements (executescript would commit the transaction it is in)."""
    waiting = ""
    for line in lines:
        waiting += line
        if sqlite3.complete_statement(waiting):
            yield waiting
            waiting = ""


def open_ledger(settings: Settings) -> Ledger:
    """Return the ledger that the settings name.

    Raises:
        SettingsError: it would not be on a local disk.
        MessagingError: as for `Ledger`.
    """
    return Ledger(ledger_path(settings))


def ledger_path(settings: Settings) -> Path:
    """Where the settings put the ledger."""
    location = settings.resolve(settings.messaging.ledger)
    if location.startswith("s3://"):
        raise SettingsError(
            f"`messaging.ledger` = {location!r} is not on a local disk.",
            "Name a file on a local disk; SQLite cannot work on S3.",
        )
    return Path(location)


def file_exists(path: Path) -> bool:
    """Whether a file was made: to open a ledger, or the sandbox, makes it."""
    with readable_errors(path):
        return path.exists()


@contextmanager
def readable_errors(path: Path, what: str = "ledger") -> Iterator[None]:
    """Turn SQLite's errors into one message that says what to do.

    Args:
        path: The database.
        what: What it is, for the message.
    """
    try:
        yield
    except (sqlite3.OperationalError, sqlite3.DatabaseError, OSError) as error:
        raise MessagingError(f"The {what} {path}: {error}.", _remedy(error)) from error


def _remedy(error: Exception) -> str:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the primary code of an extended one
    if code == sqlite3.SQLITE_FULL or getattr(error, "errno", 0) in DISK_FULL:
        return "Free space on its disk, then run again; nothing that was recorded is lost."
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return "Another process is using it; wait until that ends, then run again."
    if isinstance(error, sqlite3.IntegrityError):
        return "This is a fault in the platform: please report it. Nothing was changed."
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return "Put its last backup back; without it a message could go out twice."
    return "Check that its folder can be written, then run again."
