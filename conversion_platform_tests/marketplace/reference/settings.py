"""The settings of one source, as the reference reader needs them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

NULL_VALUES = ("NA", "N/A", "n/a", "NULL", "null", r"\N", "NaN", "nan", "None", "#N/A", "<NA>")


@dataclass
class How:
    """How a source is written: the keys of `[sources.*]`, under the same names."""

    path: str | list[str] = ""
    format: str = "auto"
    delimiter: str | None = None
    encoding: str = "utf-8"
    header_row: int = 1
    null_values: tuple[str, ...] = NULL_VALUES
    decimal: str = "."
    thousands: str | None = None
    date_format: tuple[str, ...] = ()
    time_zone: str | None = None
    duplicates: str = "newest"
    folders: str = "exports"
    columns: dict[str, str] = field(default_factory=dict)
    attributes: tuple[str, ...] = ()

    def toml(self, section: str) -> str:
        """Return the section of a settings file that says so."""
        default = How()
        said = [
            f"{name} = {_literal(value)}"
            for name, value in vars(self).items()
            if value != getattr(default, name)
        ]
        return "\n".join([f"[{section}]", *said, ""])


def _literal(value: Any) -> str:
    """Return a value in TOML."""
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t")
        return f'"{escaped}"'
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_literal(k)} = {_literal(v)}" for k, v in value.items()) + "}"
    return "[" + ", ".join(map(_literal, value)) + "]"
