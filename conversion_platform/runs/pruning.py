"""Removes what Dagster keeps of old runs; never a table, the event log or the ledger.

A run stays while it holds the newest materialisation of any partition: the pages read from it that
the partition is there, its rows, its plots. So does the newest success of each job, from which the
next run knows how long its steps take. What goes is what was overtaken: days that ran again, failed
runs, and above all the runs of `send_texts`, of which a day has hundreds.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import dagster as dg

from conversion_platform.runs.dagster_internals import SqliteEventLogStorage

FINISHED = [
    dg.DagsterRunStatus.SUCCESS,
    dg.DagsterRunStatus.FAILURE,
    dg.DagsterRunStatus.CANCELED,
]
RECORDS_AT_ONCE = 500
BESIDE_A_SHARD = ("", "-wal", "-shm")
VACUUM_SECONDS = 5.0


@dataclass(frozen=True)
class Pruned:
    """What pruning came to.

    Attributes:
        runs: Runs that were removed.
        kept: Runs as old that stay.
        ticks: Ticks of schedules and sensors that were removed.
        bytes: By how much the instance's folder is smaller.
        in_use: Databases that were in use, so that they are not smaller yet.
    """

    runs: int
    kept: int
    ticks: int
    bytes: int
    in_use: tuple[str, ...]


def prune(instance: dg.DagsterInstance, before: datetime) -> Pruned:
    """Remove runs and ticks that were made before a moment, and give their space back.

    Args:
        instance: Opened with its own compute logs.
        before: What is younger stays.
    """
    home = Path(instance.root_directory)
    size = _size(home)
    old = dict(_finished(instance, before))
    needed = set(_newest_successes(instance, set(old.values()))) | set(_holders(instance))
    gone = old.keys() - needed
    for run_id in gone:
        _remove(instance, run_id)
    ticks = _purge_ticks(instance, before.timestamp())
    in_use = tuple(file.name for file in sorted(home.rglob("*.db")) if not _compacted(file))
    return Pruned(len(gone), len(old) - len(gone), ticks, size - _size(home), in_use)


def _finished(instance: dg.DagsterInstance, before: datetime) -> Iterator[tuple[str, str]]:
    """Yield each run that was made before a moment and has ended, with its job."""
    wanted = dg.RunsFilter(statuses=FINISHED, created_before=before)
    cursor = None
    while found := instance.get_runs(wanted, cursor=cursor, limit=RECORDS_AT_ONCE):
        yield from ((run.run_id, run.job_name) for run in found)
        cursor = found[-1].run_id


def _newest_successes(instance: dg.DagsterInstance, jobs: set[str]) -> Iterator[str]:
    """Yield the newest successful run of each job."""
    for job in jobs:
        wanted = dg.RunsFilter(job_name=job, statuses=[dg.DagsterRunStatus.SUCCESS])
        yield from instance.get_run_ids(wanted, limit=1)


def _holders(instance: dg.DagsterInstance) -> Iterator[str]:
    """Yield the runs that hold the newest materialisation of a partition, or of an asset."""
    kind = dg.DagsterEventType.ASSET_MATERIALIZATION
    for key in instance.get_asset_keys():
        for record in instance.fetch_materializations(key, limit=1).records:
            yield record.run_id
        newest = list(instance.get_latest_storage_id_by_partition(key, kind).values())
        for first in range(0, len(newest), RECORDS_AT_ONCE):
            wanted = newest[first : first + RECORDS_AT_ONCE]
            found = instance.fetch_materializations(
                dg.AssetRecordsFilter(asset_key=key, storage_ids=wanted), limit=len(wanted)
            )
            yield from (record.run_id for record in found.records)


def _remove(instance: dg.DagsterInstance, run_id: str) -> None:
    """Remove a run with its events, the file that held them, and what its steps printed."""
    instance.delete_run(run_id)
    instance.compute_log_manager.delete_logs(prefix=[run_id])
    storage = instance.event_log_storage
    if isinstance(storage, SqliteEventLogStorage):
        shard = storage.path_for_shard(run_id)  # emptied by now, and not given back
        for ending in BESIDE_A_SHARD:
            Path(f"{shard}{ending}").unlink(missing_ok=True)


def _purge_ticks(instance: dg.DagsterInstance, before: float) -> int:
    purged = 0
    for state in instance.all_instigator_state():
        who = (state.instigator_origin_id, state.selector_id)
        purged += len(instance.get_ticks(*who, before=before))
        instance.purge_ticks(*who, before=before)
    return purged


def _compacted(file: Path) -> bool:
    """Give a database's free pages back; False if another process is using it just now."""
    with closing(sqlite3.connect(file, timeout=VACUUM_SECONDS, isolation_level=None)) as con:
        free = con.execute("PRAGMA freelist_count").fetchone()[0]
        if not free:
            return True
        try:
            con.execute("VACUUM")
            (busy, *_) = con.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise
            return False
    return not busy  # a reader keeps the file as large as it was, until the next checkpoint


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
