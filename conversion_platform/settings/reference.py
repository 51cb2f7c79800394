"""Every setting with its type, default and meaning, for `init` and docs/settings.md."""

from __future__ import annotations

import re
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, time
from typing import Any, Literal

from pydantic import BaseModel

from conversion_platform.settings.loading import Settings
from conversion_platform.settings.messages import section_type
from conversion_platform.settings.words import bounds, options

_RANGE = re.compile(r"at least (\S+), at most (\S+)")

NAME = "NAME"  # stands for a name of the reader's choice: [cohorts.NAME]


@dataclass(frozen=True)
class Setting:
    """One key.

    Attributes:
        section: The keys above it, such as ("cohorts", "NAME").
        key: Its own name.
        type: In words, for a person.
        default: The value when nobody sets it; None if there is none.
        description: What it does.
    """

    section: tuple[str, ...]
    key: str
    type: str
    default: Any
    description: str

    @property
    def name(self) -> str:
        return ".".join((*self.section, self.key))

    @property
    def shown_default(self) -> str:
        return "not set" if self.default in (None, {}) else toml_value(self.default)


@dataclass(frozen=True)
class SectionEntry:
    """One section: its keys, and what it is for."""

    path: tuple[str, ...]
    purpose: str
    settings: tuple[Setting, ...]


def sections() -> tuple[SectionEntry, ...]:
    """Every section, in the order of the file."""
    return tuple(_sections(Settings, Settings.model_construct(), ()))


def describe() -> tuple[Setting, ...]:
    """Every setting, in the order of the file."""
    return tuple(setting for section in sections() for setting in section.settings)


def _sections(
    model: type[BaseModel], defaults: BaseModel | None, where: tuple[str, ...]
) -> Iterator[SectionEntry]:
    plain, deeper = [], []
    for key, field in model.model_fields.items():
        inner, named = section_type(field.annotation)
        default = getattr(defaults, key) if defaults else _declared_default(field)
        if inner is None:
            words = field.description or ""
            plain.append(Setting(where, key, type_name(field.annotation), default, words))
        elif named:
            deeper.append((inner, None, (*where, key, NAME)))
        else:
            deeper.append((inner, default, (*where, key)))
    if where:
        yield SectionEntry(where, (model.__doc__ or "").strip(), tuple(plain))
    for inner, default, path in deeper:
        yield from _sections(inner, default, path)


def _declared_default(field: Any) -> Any:
    return None if field.is_required() else field.get_default(call_default_factory=True)


def toml_value(value: Any) -> str:
    """A value as it stands in a TOML file."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, tuple | list):
        return "[" + ", ".join(toml_value(item) for item in value) + "]"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'"{escaped}"'
    return str(value)


def type_name(annotation: Any) -> str:
    """A type in words: `text or list of text`, `"wall" or "replay"`."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Literal:
        return " or ".join(toml_value(argument) for argument in arguments)
    if options(annotation) != (annotation,):
        return " or ".join(map(type_name, options(annotation)))
    if origin is typing.Annotated:
        return type_name(arguments[0])
    if origin is tuple:
        return f"list of {type_name(arguments[0])}"
    if origin is dict:
        return f"table of {type_name(arguments[1])}"
    words = {"str": "text", "int": "integer", "bool": "true or false", "float": "number"}
    name: str = annotation.__name__
    return words.get(name, name)


def limits(setting: Setting) -> str:
    """What a value must keep to, in words; empty where the type says it all."""
    return ", ".join(bounds(_field(setting)))


def _field(setting: Setting) -> Any:
    model: type[BaseModel] = Settings
    for part in (part for part in setting.section if part != NAME):
        inner, _ = section_type(model.model_fields[part].annotation)
        model = inner or model
    return model.model_fields[setting.key]


def reference_table() -> str:
    """Return the Markdown of every section, as it stands in docs/settings.md.

    Sections with equal keys, such as the three sources, share one table; a key that an earlier
    section describes alike is named only.
    """
    shared: dict[tuple[str, ...], list[SectionEntry]] = {}
    for section in sections():
        if section.settings:
            keys = tuple(setting.key for setting in section.settings)
            shared.setdefault((section.purpose, *keys), []).append(section)
    described: set[str] = set()
    return "\n".join(_section_table(same, described) for same in shared.values())


def _section_table(same: list[SectionEntry], described: set[str]) -> str:
    """Return the table of equal sections without the rows described so far; add its own to them."""
    heading = ", ".join(f"`[{'.'.join(section.path)}]`" for section in same)
    rows = {
        _row(alike): alike[0].key for alike in zip(*(one.settings for one in same), strict=True)
    }
    known = ", ".join(f"`{key}`" for row, key in rows.items() if row in described)
    table = "\n".join(row for row in rows if row not in described)
    described.update(rows)
    return (
        f"### {heading}\n\n{same[0].purpose}{f' Also, as above: {known}.' if known else ''}\n\n"
        f"| Key | Default | Meaning |\n|---|---|---|\n{table}\n"
    )


def _row(same: tuple[Setting, ...]) -> str:
    setting = same[0]
    default = ", ".join(dict.fromkeys(map(_markdown_default, same)))
    cells = (f"`{setting.key}`", default, " ".join((setting.description, *_allowed(setting))))
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _allowed(setting: Setting) -> Iterator[str]:
    """What a value may be, where the default does not show it."""
    choice = " or " in setting.type and not isinstance(setting.default, bool)
    if choice or setting.shown_default == "not set":
        yield f"{setting.type.capitalize()}."
    if within := _RANGE.sub(r"\1 to \2", limits(setting)):
        yield f"{within.capitalize()}."


def _markdown_default(setting: Setting) -> str:
    return "not set" if setting.shown_default == "not set" else f"`{setting.shown_default}`"
