"""Where a version comes from: the code that trained it, and the files of the lake that it read.

Not on the card: the same examples and settings give the same version, whatever commit trained it
and whatever else the files held.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from conversion_platform.days import ONE_DAY, DayRange
from conversion_platform.features import (
    JOB_FEATURES,
    RESPONSE_EFFECTS,
    USER_CATEGORY_FEATURES,
    USER_FEATURES,
)
from conversion_platform.lake import canonical_json
from conversion_platform.marketplace import EVENTS, JOBS_HISTORY, USERS_HISTORY
from conversion_platform.training.registry.versions import add_file, read_file
from conversion_platform.training.tables import TRAINING_EXAMPLES

if TYPE_CHECKING:
    from conversion_platform.lake import Lake, Table
    from conversion_platform.training.card import ModelCard

PROVENANCE = "provenance.json"
PACKAGE = "conversion-platform"
DAILY = (RESPONSE_EFFECTS, USER_FEATURES, JOB_FEATURES, USER_CATEGORY_FEATURES)


@dataclass(frozen=True)
class Source:
    """The partitions of one table that a training read.

    Attributes:
        partitions: How many.
        bytes: Their size.
        sha256: Digest of their keys and sizes (not of their content, which may be gigabytes; the
            card's `fingerprint` digests the numbers that the model was fitted on).
    """

    partitions: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Provenance:
    """Where a version comes from.

    Attributes:
        release: Version of conversion-platform.
        commit: Commit of the code, where it is known: installed from Git, or run from a checkout.
        sources: The tables that the training read.
    """

    release: str
    commit: str | None
    sources: dict[str, Source]


def record_provenance(lake: Lake, card: ModelCard) -> None:
    """Add the provenance to a version; a version that was trained again keeps its first one.

    Raises:
        RegistryError: the version's provenance is damaged.
    """
    if read_file(lake, card.version, PROVENANCE) is None:
        found = Provenance(distribution(PACKAGE).version, code_commit(), _sources(lake, card))
        add_file(lake, card.version, PROVENANCE, canonical_json(asdict(found)))


def provenance(lake: Lake, version: str) -> Provenance | None:
    """Return where a version comes from; None for one of an earlier release.

    Raises:
        RegistryError: its file is damaged.
    """
    data = read_file(lake, version, PROVENANCE)
    return TypeAdapter(Provenance).validate_json(data) if data is not None else None


def _sources(lake: Lake, card: ModelCard) -> dict[str, Source]:
    first = min(split.days.first for split in card.splits.values())
    last = max(split.days.last for split in card.splits.values())
    days = DayRange(first, last)
    # Labels look ahead, until the day of the training: that day's own events are not known then.
    labelled = DayRange(first, card.day - ONE_DAY)
    read = dict.fromkeys((*DAILY, USERS_HISTORY, JOBS_HISTORY), days) | {
        EVENTS: labelled,
        TRAINING_EXAMPLES: DayRange.of(card.day),
    }
    return {table.name: _source(lake, table, part) for table, part in read.items()}


def _source(lake: Lake, table: Table, days: DayRange) -> Source:
    keys = [lake.key(table, day) for day in lake.days(table) if day in days]
    sizes = lake.storage.sizes(table.folder)
    lines = "".join(f"{key} {sizes[key]}\n" for key in keys)
    total = sum(sizes[key] for key in keys)
    return Source(len(keys), total, hashlib.sha256(lines.encode()).hexdigest())


def code_commit() -> str | None:
    """Return the commit that this code was installed from, or is checked out at; None if unknown.

    Git is not called: its files, and those of the installer, say it.
    """
    return _installed_commit() or _checked_out(Path(__file__).parents[3] / ".git")


def _installed_commit() -> str | None:
    try:
        told = distribution(PACKAGE).read_text("direct_url.json")
    except PackageNotFoundError:
        return None
    commit = json.loads(told or "{}").get("vcs_info", {}).get("commit_id")
    return str(commit) if commit else None


def _checked_out(git: Path) -> str | None:
    """Return the commit of a checkout from its `.git`: a folder, or a file that names it."""
    if git.is_file():
        git = Path(git.read_text().removeprefix("gitdir:").strip())
    head = git / "HEAD"
    if not head.is_file():
        return None
    told = head.read_text().strip()
    return _commit_of(git, told[5:]) if told.startswith("ref: ") else told


def _commit_of(git: Path, ref: str) -> str | None:
    """Return the commit of a branch: a file of its own, or a line of `packed-refs`."""
    for folder in _git_folders(git):
        if (folder / ref).is_file():
            return (folder / ref).read_text().strip()
        packed = folder / "packed-refs"
        lines = packed.read_text().splitlines() if packed.is_file() else []
        found = next((line.split()[0] for line in lines if line.endswith(f" {ref}")), None)
        if found:
            return found
    return None


def _git_folders(git: Path) -> Iterator[Path]:
    yield git
    common = git / "commondir"
    if common.is_file():
        yield git / common.read_text().strip()
