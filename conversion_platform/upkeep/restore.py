"""The way back from a backup.

Every digest is checked first. Then each part is copied beside its place, and only when all parts
are complete are they renamed into place: a restore that is stopped before leaves everything as it
was, and one that fails between the renames takes them back.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from conversion_platform.errors import BackupError
from conversion_platform.lake import FORMAT, STAGING, LakeFormat, is_personal, newer_format
from conversion_platform.upkeep import manifest as kept
from conversion_platform.upkeep.copying import (
    BESIDE_A_DATABASE,
    PRIVATE_FILE,
    copy_file,
    readable_copy_errors,
    sync_folder,
)

if TYPE_CHECKING:
    from conversion_platform.upkeep.places import Places

STAGED = ".restoring"
ASIDE = ".before-restore-"
LEFTOVERS = (STAGED, STAGING, "lost+found")
AS_BEFORE = "Everything is as it was before. Correct that, then restore again."


@dataclass(frozen=True)
class Restored:
    """A finished restore.

    Attributes:
        manifest: What was restored.
        places: Each part's place.
        aside: Where what stood there before is now.
    """

    manifest: kept.Manifest
    places: tuple[Path, ...]
    aside: tuple[Path, ...]


@dataclass(frozen=True)
class _Part:
    """A folder or file of the backup, and its place."""

    name: str
    place: Path

    @property
    def staged(self) -> Path:
        """Where it is copied to first: on the same file system."""
        if self.place.is_mount():
            return self.place / STAGED
        return self.place.with_name(f"{self.place.name}{STAGED}")

    def taken(self) -> list[Path]:
        """Return what stands in the place now: a folder that holds something, or a file."""
        if self.place.is_dir():
            return [self.place] if any(_content(self.place)) else []
        names = (self.place.name, *(f"{self.place.name}{end}" for end in BESIDE_A_DATABASE))
        return [file for file in map(self.place.with_name, names) if file.exists()]


def restore(
    places: Places,
    source: Path,
    in_use: Callable[[], str | None],
    now: datetime,
    force: bool = False,
) -> Restored:
    """Put a backup in place.

    Args:
        places: Where the settings in force have each part.
        source: The backup's folder.
        in_use: Tells what uses the instance that stands there, in words; None if nothing does.
        now: Names what is moved aside.
        force: Whether what stands there is moved aside.

    Raises:
        BackupError: the backup is damaged or of another kind, something stands in the way, or
            the disk refuses. Everything is as it was before.
        LakeError: the backup's lake is of a later release.
    """
    manifest = kept.read_manifest(source)
    parts = _parts(places, manifest)
    _require_fitting(places, manifest, source, parts)
    _require_free(parts, force)
    if user := in_use():
        raise BackupError(
            f"Nothing was restored: {user}.",
            "Stop it, wait a minute, then restore: it would go on writing to what is replaced.",
        )
    kept.check_files(source, manifest)
    with _staged(source, manifest, parts):
        aside = _put_in_place(parts, f"{ASIDE}{now:%Y%m%dT%H%M%SZ}")
    return Restored(manifest, tuple(part.place for part in parts), tuple(aside))


def _parts(places: Places, manifest: kept.Manifest) -> list[_Part]:
    """Return the parts that the backup holds; the lake last, so that it is never without ledger."""
    known = {
        kept.LEDGER: places.ledger,
        kept.SANDBOX: places.sandbox,
        kept.DAGSTER_HOME: places.dagster_home,
    }
    if places.lake_folder:
        known[kept.LAKE] = places.lake_folder
    return [_Part(name, place.resolve()) for name, place in known.items() if manifest.below(name)]


def _require_fitting(
    places: Places, manifest: kept.Manifest, source: Path, parts: list[_Part]
) -> None:
    if manifest.lake_format > FORMAT:
        raise newer_format(
            f"the backup {source}", LakeFormat(manifest.lake_format, manifest.release)
        )
    if manifest.lake_copied and places.lake_folder is None:
        raise BackupError(
            f"The backup holds a lake ({manifest.lake}), and platform.lake is {places.lake}.",
            "Set platform.lake to a folder, restore, then copy that folder to the bucket.",
        )
    for part in parts:
        if kept.inside(source, part.place):
            raise BackupError(
                f"The backup {source} lies inside {part.place}, which it would replace.",
                "Move it elsewhere first.",
            )


def _require_free(parts: list[_Part], force: bool) -> None:
    taken = [str(path) for part in parts for path in part.taken()]
    if taken and not force:
        raise BackupError(
            f"Something stands where the backup would go: {', '.join(taken)}.",
            "Stop the daemon, the pages and all commands, then add --force: what stands there is "
            f"moved aside, to names that end in {ASIDE}TIME.",
        )
    for part in parts:
        if part.place.is_mount() and part.taken():
            raise BackupError(
                f"{part.place} is a disk of its own that is not empty, and cannot be moved aside.",
                "Empty it by hand, or mount it elsewhere, then restore.",
            )


@contextmanager
def _staged(source: Path, manifest: kept.Manifest, parts: list[_Part]) -> Iterator[None]:
    """Copy every part beside its place; whatever is left of the copies is removed after."""
    with ExitStack() as stack:
        for part in parts:
            with readable_copy_errors(part.place, AS_BEFORE):
                _remove(part.staged)
                stack.callback(_remove, part.staged)
                _stage(source, manifest, part)
        yield


def _stage(source: Path, manifest: kept.Manifest, part: _Part) -> None:
    for entry in manifest.below(part.name):
        relative = Path(entry.path).relative_to(part.name)
        target = part.staged / relative if relative.parts else part.staged
        target.parent.mkdir(parents=True, exist_ok=True)  # open to others as the umask says
        private = part.name in (kept.LEDGER, kept.SANDBOX) or is_personal(relative.as_posix())
        mode = PRIVATE_FILE if private else entry.mode
        if copy_file(source / entry.path, target, mode) != entry.sha256:
            raise BackupError(
                f"{source / entry.path} changed while it was read.",
                "Use another copy of the backup. Nothing was restored.",
            )


def _put_in_place(parts: list[_Part], ending: str) -> list[Path]:
    """Rename every part into place; on an error everything is put back."""
    aside: list[Path] = []
    with ExitStack() as undo:
        for part in parts:
            with readable_copy_errors(part.place, AS_BEFORE):
                aside += _move_aside(part, ending, undo)
                for staged, place in _renames(part):
                    _rename(staged, place, undo)
                sync_folder(part.place.parent)
        undo.pop_all()
    return aside


def _move_aside(part: _Part, ending: str, undo: ExitStack) -> Iterator[Path]:
    for path in part.taken():
        moved = path.with_name(f"{path.name}{ending}")
        _rename(path, moved, undo)
        yield moved


def _renames(part: _Part) -> Iterator[tuple[Path, Path]]:
    if part.place.is_mount():
        yield from ((path, part.place / path.name) for path in sorted(part.staged.iterdir()))
        return
    if part.place.is_dir():
        shutil.rmtree(part.place)  # LEFTOVERS at most: what it held was moved aside
    yield part.staged, part.place


def _rename(source: Path, target: Path, undo: ExitStack) -> None:
    source.rename(target)
    undo.callback(os.rename, target, source)


def _content(folder: Path) -> Iterator[Path]:
    """Yield what a folder holds that somebody could miss."""
    yield from (path for path in folder.iterdir() if path.name not in LEFTOVERS)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
