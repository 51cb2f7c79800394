"""Which columns are personal: `Column.personal` for declared ones, the name for attributes.

Declared so far: of users and of rejected rows (marketplace/tables.py). The ledger and the sandbox
hold phone numbers and bodies too (messaging/ledger.sql, providers/sandbox.sql); no view shows them.

What belongs here: what views hide without `--personal`. What does not: values in messages and
metadata (marketplace/masking.py).
"""

from __future__ import annotations

import re

from conversion_platform.catalog.tables import lake_tables
from conversion_platform.lake import Table, quoted

# Attributes of the source that nobody declared, by what such columns are usually called.
PERSONAL_NAMES = (
    r"(^|_)(first|last|middle|full|sur|given|family|user|display|preferred|legal)_?name($|_)"
    r"|^name$|phone|mobile|(^|_)(e_?mail|ssn|address|street|birth|birthday|dob|lat|lon|lng"
    r"|latitude|longitude|postal_code|postcode|zip|zip_code|zipcode)(_|$)"
)
ABOUT_PEOPLE = ("users", "user_features", "training_examples")


def shown_columns(table: Table) -> str:
    """Return SQL for a table's columns without the personal ones."""
    declared = personal_columns(table)
    rules = [f"c NOT IN ({', '.join(map(quoted, declared))})"] if declared else []
    if table.open_ended and table.name in ABOUT_PEOPLE:
        rules.append(f"NOT regexp_matches(c, {quoted(PERSONAL_NAMES)})")
    return f"COLUMNS(lambda c: {' AND '.join(rules)})" if rules else "*"


def may_be_hidden(column: str) -> bool:
    """Return whether views leave out columns of that name, because they are personal."""
    tables = (table for declared in lake_tables().values() for table in declared)
    name = column.lower()
    return any(name in personal_columns(table) for table in tables) or bool(
        re.search(PERSONAL_NAMES, name)
    )


def personal_columns(table: Table) -> list[str]:
    """Return the declared columns of a table that are personal (`Column.personal`)."""
    return [column.name for column in table.columns if column.personal]
