"""What a command still has to run, written down so that its death does not lose it.

The file lies beside the command's lease and is removed when the command ends in any way but by
its death: an error or Ctrl-C was told to a person, who decides.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from conversion_platform.days import DayRange
from conversion_platform.lake import canonical_json, readable_disk_errors
from conversion_platform.liveness.detection import process_is_gone
from conversion_platform.liveness.holding import lease_folder, lease_owners, lease_store

SUFFIX = ".pending"
COMMAND_TAG = "conversion_platform/command"
STEP_TAG = "conversion_platform/command_step"
DIED_TAG = "conversion_platform/died"
"""Tag of a run that was judged dead, and did not fail by itself."""


@dataclass(frozen=True)
class PendingJob:
    """One job over a range of days that a command has yet to run.

    Attributes:
        job: Its name.
        days: Its days.
        tags: Tags of its run that say what it does anew, such as to replace a snapshot.
    """

    job: str
    days: DayRange
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Pending:
    """What a command has yet to run, in order.

    Attributes:
        command: The command's id, which is also the owner of its lease.
        steps: The first of them may be under way.
    """

    command: str
    steps: tuple[PendingJob, ...]

    def without_first(self) -> Pending:
        """Return what remains when the first step is done."""
        return replace(self, steps=self.steps[1:])

    @property
    def tags(self) -> dict[str, str]:
        """The tags by which runs of the first step are found."""
        return {COMMAND_TAG: self.command, STEP_TAG: str(len(self.steps))}


def save(home: Path, pending: Pending) -> None:
    """Write down what is pending; nothing is, if no step remains."""
    file = _file(home, pending.command)
    if not pending.steps:
        file.unlink(missing_ok=True)
        return
    with readable_disk_errors(str(home)):
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_suffix(".draft")
        draft.write_bytes(canonical_json([_to_json(step) for step in pending.steps]))
        draft.replace(file)


def forget(home: Path, command: str) -> None:
    """Drop what a command had yet to run."""
    _file(home, command).unlink(missing_ok=True)


def pending_in(home: Path) -> list[Pending]:
    """Return what commands have yet to run, be they alive or dead, oldest first."""
    files = list(lease_folder(home).glob(f"*{SUFFIX}"))
    found = []
    for file in sorted(files, key=lambda one: one.name):
        try:
            values = json.loads(file.read_bytes())
        except (FileNotFoundError, json.JSONDecodeError):
            continue  # removed just now; or the disk was cut off while it was written
        found.append(Pending(file.stem, tuple(_from_json(value) for value in values)))
    return found


def somebody_died(home: Path) -> bool:
    """Return whether a run's process is gone, as far as this host can see.

    Of a dead command whose work waits to be taken over nothing new is to be said.
    """
    known = {pending.command for pending in pending_in(home)}
    leases = (lease_store(home, owner).read() for owner in lease_owners(home) if owner not in known)
    return any(lease and process_is_gone(lease) for lease in leases)


def _file(home: Path, command: str) -> Path:
    return lease_folder(home) / f"{command}{SUFFIX}"


def _to_json(step: PendingJob) -> dict[str, Any]:
    first, last = str(step.days.first), str(step.days.last)
    return {"job": step.job, "first": first, "last": last, "tags": dict(step.tags)}


def _from_json(value: dict[str, Any]) -> PendingJob:
    first, last = date.fromisoformat(value["first"]), date.fromisoformat(value["last"])
    # A command of an earlier release wrote no tags.
    return PendingJob(value["job"], DayRange(first, last), value.get("tags", {}))
