"""Writes to terminals and files whose encoding lacks the characters of tables.

A Windows console, or output that is redirected there, may be cp1252: the lines of a table, and the
letters of a job's title, would end the command with a traceback.
"""

from __future__ import annotations

import codecs
import io
import sys

_PLAIN = {"\u2500": "-", "\u2501": "=", "\u2502": "|", "\u2503": "|", "\u2192": ">", "\u2026": "."}
_HANDLER = "conversion_platform_plain"


def write_plainly() -> None:
    """Let standard output and error write a plain character where theirs has no other."""
    codecs.register_error(_HANDLER, _plain)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_HANDLER)


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    missing = error.object[error.start : error.end]
    return "".join(_PLAIN.get(character, "?") for character in missing), error.end
