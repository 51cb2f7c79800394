"""What to say when settings cannot be used: file or variable, key, value, what is allowed.

Pydantic finds what is wrong; the words come from the JSON schema, as in docs/settings.md. Added
here: where the value came from, the nearest known key, and that no password is shown.
"""

from __future__ import annotations

import difflib
import json
import os
import re
from collections.abc import Iterable, Iterator
from typing import Any

from pydantic_core import ErrorDetails

from conversion_platform.errors import SettingsError
from conversion_platform.settings.schema import Schema, allowed, below

# Up to the last `@`, because people write passwords with one; `host:8080/` is no password.
CREDENTIALS = re.compile(r"(?P<scheme>\b[a-z][a-z0-9+.-]*://)[^\s/@:]*:(?!\d+/)\S*@", re.I)
PASSWORD = re.compile(r"(?P<key>\b(?:password|passwd|pwd|secret|token)\s*[=:]\s*)[^\s&;,]+", re.I)


def without_credentials(text: str) -> str:
    """Return `text` without the user and password of an address, and without `password=...`."""
    return PASSWORD.sub(r"\g<key>***", CREDENTIALS.sub(r"\g<scheme>***@", text))


def shown(value: Any) -> str:
    """Return a value as a message quotes it."""
    if isinstance(value, dict):
        return "{...}" if value else "{}"
    return without_credentials(json.dumps(value, default=str, ensure_ascii=False))


def credentials_in(value: Any, key: str = "") -> Iterator[str]:
    """Yield the keys whose text holds a user and password, which no file may."""
    if isinstance(value, str) and CREDENTIALS.search(value):
        yield key
    elif isinstance(value, dict):
        for name, entry in value.items():
            yield from credentials_in(entry, f"{key}.{name}" if key else name)
    elif isinstance(value, tuple):
        for entry in value:
            yield from credentials_in(entry, key)


GONE = {
    "ignore": "No column is a feature any more unless `attributes` lists it: take `ignore` out.",
}
"""Keys of earlier releases, and what to do with each."""

OF_SOURCES = {"null_values", "decimal", "thousands", "date_format", "time_zone"}
"""How values are written: keys of a source, which mean nothing for an input of its SQL."""


OF_ENTITIES = {
    "attributes": "Further columns of events are unused.",
    "duplicates": "Of copies of one event the one that was recorded first counts.",
    "folders": "A `dt=` folder of events holds those that happened, or arrived, on its day.",
    "max_gone_share": "The limit compares with the newest snapshot, and events have none.",
}
"""Keys of users and jobs, and why each has no effect on events."""


def unknown_key(place: str, key: str, known: Iterable[str]) -> SettingsError:
    """Return the error for a key that is not known, with the nearest one that is."""
    section, _, name = key.rpartition(".")
    if name in GONE:
        return SettingsError(f"{place}: the key `{key}` is gone.", GONE[name])
    if section.startswith("inputs.") and name in OF_SOURCES:
        return SettingsError(
            f"{place}: `{key}` has no effect: SQL gets the columns of an input as they are.",
            f"Set `{name}` for the source whose `sql` reads the input: it counts for the result.",
        )
    if section == "sources.events" and name in OF_ENTITIES:
        return SettingsError(
            f"{place}: `{key}` has no effect: `{name}` goes with users and jobs only.",
            f"Take it out. {OF_ENTITIES[name]}",
        )
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    hint = f"Did you mean `{'.'.join(filter(None, (section, *near)))}`? " if near else ""
    where = f" under [{section}]" if section else ""
    return SettingsError(
        f"{place}: unknown key `{key}`.", f"{hint}Known keys{where}: {', '.join(sorted(known))}."
    )


def refused(error: ErrorDetails, schema: Schema, file: str, prefix: str) -> SettingsError:
    """Return the error for a value that pydantic refuses."""
    key, declared = _declared(schema, error["loc"])
    place = _variable(key, prefix) or file
    if error["type"] == "extra_forbidden":
        name = ".".join(filter(None, (key, str(error["loc"][-1]))))
        return unknown_key(_variable(name, prefix) or place, name, declared["properties"])
    if error["loc"][-1] == "[key]":
        return SettingsError(
            f"{place}: the name `{key}` is not allowed.",
            "Allowed: small letters, digits and `_`, starting with a letter.",
        )
    ours = error["type"] == "value_error"
    words = (
        without_credentials(error["msg"].removeprefix("Value error, "))
        if ours
        else allowed(declared)
    )
    if ours and "properties" in declared:
        return SettingsError(f"{place}: [{key}] {words}.", "Correct it.")
    item = f"[{error['loc'][-1]}]" if isinstance(error["loc"][-1], int) else ""
    return SettingsError(
        f"{place}: `{key}{item}` = {shown(error['input'])} is not allowed.",
        f"Allowed: {words}. {declared.get('description', '')}".rstrip(),
    )


def _declared(schema: Schema, loc: tuple[int | str, ...]) -> tuple[str, Schema]:
    """Return the key of an error's place, and what is declared for it.

    Pydantic adds the kind of a union and the index of a list to the place; no key has them.
    """
    parts: list[str] = []
    for part in loc:
        entry = below(schema, str(part))
        if entry is None:
            break
        schema = entry
        parts.append(str(part))
    return ".".join(parts), schema


def _variable(key: str, prefix: str) -> str | None:
    """Return the environment variable that sets this key, a part of it, or what it is part of."""
    wanted = f"{key}.".lower()
    for variable in sorted(os.environ):
        if variable.upper().startswith(prefix):
            set_here = variable[len(prefix) :].lower().replace("__", ".") + "."
            if wanted.startswith(set_here) or set_here.startswith(wanted):
                return f"the environment variable {variable}"
    return None
