"""How these tests read what the simulator wrote."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import duckdb


def digests(folder: Path) -> dict[str, str]:
    """A digest of every file below a folder."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def ask(folder: Path, query: str) -> list[tuple[Any, ...]]:
    """Rows of a query over users, jobs and events (with dt, the day of the file)."""
    source = folder / "source"
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'America/New_York'")
        for name in ("users", "jobs"):
            con.execute(f"CREATE VIEW {name} AS FROM '{source}/{name}.parquet'")
        con.execute(
            f"CREATE VIEW events AS FROM read_parquet('{source}/events/*/*.parquet', "
            "hive_partitioning = true)"
        )
        return con.execute(query).fetchall()


def one(folder: Path, query: str) -> Any:
    """The single value of a query."""
    return ask(folder, query)[0][0]
