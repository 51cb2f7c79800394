"""Files and folders that their owner alone can read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700
_OTHERS = 0o077


def make_private(path: Path) -> None:
    """Take a file or folder away from everyone but its owner, if it exists.

    Earlier releases left such files open. What belongs to another user of the machine stays as it
    is: only that user can change it.
    """
    try:
        found = path.stat()
    except FileNotFoundError:
        return
    if found.st_mode & _OTHERS and found.st_uid == os.geteuid():
        path.chmod(stat.S_IMODE(found.st_mode) & ~_OTHERS)
