"""Says which further columns the settings could list, and which are better kept apart.

No value of a column is shown.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from conversion_platform.marketplace.attribute_kinds import Attribute

TABLES = ("users", "jobs")
_MOST = 8


def proposed_lists(attributes: Sequence[Attribute]) -> tuple[str, ...]:
    """Return each source's setting `attributes`, ready to paste, where columns can be added."""
    return tuple(
        f"[sources.{table}] attributes = {json.dumps(names)}"
        for table in TABLES
        if (names := _proposed(attributes, table))
    )


def marked(
    attributes: Iterable[Attribute], varying: Mapping[str, Sequence[str]]
) -> tuple[Attribute, ...]:
    """Return attributes with those marked as unsuitable that are none of a user, or a job.

    Args:
        attributes: What `infer_attributes` found.
        varying: Columns of each table in which several rows of one id differ: in a wide table of
            activities each row of a user has another job.
    """
    return tuple(
        replace(one, unsuitable=f"it differs between rows of one {one.table_name[:-1]}")
        if not one.listed and one.column_name in varying.get(one.table_name, ())
        else one
        for one in attributes
    )


def _proposed(attributes: Sequence[Attribute], table: str) -> list[str]:
    """Return the columns that are listed or could be; none if there is none to add."""
    own = [one for one in attributes if one.table_name == table]
    if all(one.listed for one in own if one.proposed):
        return []
    return [one.column_name for one in own if one.listed or one.proposed]


def told(attributes: Sequence[Attribute]) -> tuple[str, ...]:
    """Return one sentence for each group of further columns: what is used, and what is not."""
    parts = (
        ("", [f"{_name(one)} ({one.kind})" for one in attributes if one.used]),
        ("not used: ", _because(attributes, lambda one: one.listed and not one.used)),
        ("personal: ", _apart(attributes, "personal")),
        ("protected: ", _apart(attributes, "protected")),
        ("not proposed: ", _because(attributes, _is_unsuitable)),
    )
    return tuple(f"{head}{_some(names)}" for head, names in parts if names)


def warnings(attributes: Sequence[Attribute]) -> tuple[str, ...]:
    """Return one sentence for each listed column that looks personal or protected."""
    return tuple(
        f"sources.{one.table_name}.attributes lists {one.column_name}, which looks "
        f"{one.privacy.kind} ({one.privacy.why}): it becomes a feature, and anyone may read it."
        for one in attributes
        if one.listed and one.privacy.kind != "usable"
    )


def _is_unsuitable(one: Attribute) -> bool:
    return not one.listed and one.privacy.kind == "usable" and one.unsuitable is not None


def _because(attributes: Iterable[Attribute], holds: Callable[[Attribute], bool]) -> list[str]:
    return [f"{_name(one)} ({one.unsuitable})" for one in attributes if holds(one)]


def _apart(attributes: Iterable[Attribute], kind: str) -> list[str]:
    return [
        f"{_name(one)} ({one.privacy.why})"
        for one in attributes
        if one.privacy.kind == kind and not one.listed
    ]


def _name(one: Attribute) -> str:
    return f"{one.table_name}.{one.column_name}"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return ", ".join(names[:_MOST]) + more
