"""Checks the mapping of source columns as far as the settings alone say what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from conversion_platform.errors import Finding, SettingsError
from conversion_platform.marketplace import CONTRACTS, Contract, section_of
from conversion_platform.settings import Settings


def check_mapping(settings: Settings) -> Iterator[Finding]:
    """Find source columns that are mapped to two contract columns."""
    for contract in CONTRACTS:
        columns = section_of(settings, contract.name).columns
        mapped = dict(_required_by_name(contract, columns)) | dict(columns)
        for one, other in combinations(mapped, 2):
            if mapped[one].lower() == mapped[other].lower():
                yield _mapped_twice(contract, mapped[one], one, other)


def _required_by_name(contract: Contract, columns: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the required columns that no setting maps, which are found by their name."""
    for name in contract.required:
        if name not in columns:
            yield name, name


def _mapped_twice(contract: Contract, column: str, one: str, other: str) -> Finding:
    setting = f"{contract.setting}.columns.{other}"
    problem = f"{contract.setting}.columns: `{column}` is mapped to both `{one}` and `{other}`."
    remedy = "Map each source column once; what the source does not have needs no mapping."
    if _excludes(contract, one, other):
        return Finding(setting, SettingsError(problem, remedy))
    return Finding.warn(setting, problem, remedy)


def _excludes(contract: Contract, one: str, other: str) -> bool:
    """Return whether one column cannot hold what both are meant for.

    A state may be the region too, and a user may have agreed when joining: such a pair is allowed.
    """
    if one in contract.required or other in contract.required:
        return True
    if {contract.start, contract.end} <= {one, other} or {one, other} == {"latitude", "longitude"}:
        return True
    kinds = {field.name: field.kind for field in contract.fields}
    plain = {"words": "text", "id": "text", "far_time": "time", "integer": "number"}
    found = {plain.get(kinds.get(name, ""), kinds.get(name)) for name in (one, other)}
    return None not in found and len(found) > 1
