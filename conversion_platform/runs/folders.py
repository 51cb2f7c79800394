"""The folder of an installation that a command makes by itself: a demo, an example."""

from __future__ import annotations

import shutil
from pathlib import Path

from conversion_platform.errors import SettingsError
from conversion_platform.terminal import console


def new_folder(folder: Path, marker: str, what: str) -> None:
    """Make an empty folder; what a former call made there is moved to FOLDER.before.

    Args:
        folder: The folder.
        marker: Name of an empty file by which a folder is known as one of ours.
        what: What it holds, for messages.

    Raises:
        SettingsError: the folder, or FOLDER.before, holds something else.
    """
    if folder.exists() and not _is_empty(folder):
        aside = folder.with_name(f"{folder.name}.before")
        for one in (folder, aside):
            if one.exists() and not (one / marker).exists():
                raise SettingsError(
                    f"{one} is not empty and holds no {what}.", "Name another one with --folder."
                )
        shutil.rmtree(aside, ignore_errors=True)
        folder.rename(aside)
        console().print(f"The {what} that was there is in {aside.name} now.")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / marker).touch()


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and not any(folder.iterdir())
