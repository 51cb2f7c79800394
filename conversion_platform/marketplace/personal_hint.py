"""Says of a query that names a personal column why there is no such column."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conversion_platform.lake import failure_of
from conversion_platform.marketplace.tables import USERS, USERS_CONTACTS

if TYPE_CHECKING:
    import duckdb


def personal_hint(error: duckdb.Error) -> str:
    """Return a sentence, and a blank, if an error is about a personal column of users; else ''."""
    name = (failure_of(error).column or "").rpartition(".")[2].lower()
    if not any(one.personal and one.name == name for one in USERS_CONTACTS.columns):
        return ""
    return f"`{name}` of {USERS.name} is personal: no feature and no cohort reads it. "
