"""A small installation by hand: a few lake files, a Dagster instance, a ledger, settings."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from conversion_platform.lake import LocalStorage, ensure_format
from conversion_platform.messaging import Ledger
from conversion_platform.upkeep import BackedUp, Patience, Places, Restored, back_up, restore

NOW = datetime(2026, 11, 28, 10, 15, tzinfo=UTC)


class Still:
    """Runs of which none is under way."""

    def under_way(self) -> str | None:
        return None

    def mark(self) -> str:
        return ""


@dataclass
class Scripted:
    """Runs that do something at each look; the last word stands for ever."""

    looks: list[str | None]
    marks: list[str] = field(default_factory=lambda: [""])
    after_mark: Callable[[], None] = lambda: None

    def under_way(self) -> str | None:
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]

    def mark(self) -> str:
        found = self.marks.pop(0) if len(self.marks) > 1 else self.marks[0]
        self.after_mark()
        return found


class Clock:
    """Seconds that pass only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def patience(self, seconds: float) -> Patience:
        return Patience(seconds, self.sleep, lambda: self.now)

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@dataclass(frozen=True)
class Installation:
    """The places of one, and what tests do to it."""

    folder: Path

    @property
    def places(self) -> Places:
        return Places(
            str(self.folder / "lake"),
            self.folder / "dagster_home",
            self.folder / "messaging/ledger.sqlite",
            self.folder / "messaging/sandbox.sqlite",
            self.folder / "conversion_platform.toml",
        )

    @property
    def storage(self) -> LocalStorage:
        return LocalStorage(self.places.lake)

    @property
    def runs(self) -> Path:
        return self.places.dagster_home / "history/runs.db"

    def make(self) -> Installation:
        self.folder.mkdir()
        self.places.settings_file.write_text("[platform]\n")  # type: ignore[union-attr]
        ensure_format(self.storage)
        self.storage.replace("users/data.parquet", b"users")
        self.storage.replace("events/dt=2026-11-27/data.parquet", b"events")
        (self.folder / "lake/.staging/dead.parquet").write_bytes(b"half a file")
        self.runs.parent.mkdir(parents=True)
        (self.places.dagster_home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
        self.record_run("run-1")
        with Ledger(self.places.ledger) as ledger:
            ledger.suppress("+15125550123", NOW, "stop", "test")
        return self

    def record_run(self, name: str) -> None:
        with closing(sqlite3.connect(self.runs)) as con, con:
            con.execute("PRAGMA journal_mode = WAL")
            con.execute("CREATE TABLE IF NOT EXISTS runs (name TEXT)")
            con.execute("INSERT INTO runs VALUES (?)", (name,))

    def recorded(self) -> list[str]:
        with closing(sqlite3.connect(self.runs)) as con:
            return [name for (name,) in con.execute("SELECT name FROM runs")]

    @contextmanager
    def open_run(self, name: str) -> Iterator[None]:
        """A process that has committed a run, which lies in the log beside the database still."""
        with closing(sqlite3.connect(self.runs)) as con:
            con.execute("PRAGMA wal_autocheckpoint = 0")
            con.execute("INSERT INTO runs VALUES (?)", (name,))
            con.commit()
            yield

    def suppressed(self) -> str | None:
        with Ledger(self.places.ledger) as ledger:
            return ledger.suppression("+15125550123")

    def lose_everything(self) -> None:
        import shutil

        for place in ("lake", "dagster_home", "messaging"):
            shutil.rmtree(self.folder / place)

    def back_up(self, target: Path, with_lake: bool = True) -> BackedUp:
        return back_up(
            self.places, self.storage, target, Still(), Patience(0), lambda: NOW, with_lake
        )

    def restore(
        self, source: Path, force: bool = False, in_use: Callable[[], str | None] = lambda: None
    ) -> Restored:
        return restore(self.places, source, in_use, NOW, force)
