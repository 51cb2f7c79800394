"""Every setting with its kind, default and meaning: the file of `init`, and docs/settings.md."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined

from conversion_platform.settings.loading import CONFIG_VARIABLE, ENV_PREFIX, Settings
from conversion_platform.settings.schema import Schema, allowed, below, schema_of

NAME = "NAME"  # stands for a name of the reader's choice: [cohorts.NAME]
EMPTY = {"list": "[]", "table": "{}"}
_RANGE = re.compile(r"at least (\S+), at most (\S+)")
_SHOWN_BY_DEFAULT = re.compile(
    r"^(?:integer|number|true or false|text|list of text|(?:date|time) such as \S+)(?:, |$)"
)


@dataclass(frozen=True)
class Setting:
    """One key.

    Attributes:
        section: The keys above it, such as ("cohorts", "NAME").
        key: Its own name.
        allowed: What it may hold, in words.
        default: The value when nobody sets it, as TOML; empty if there is none.
        description: What it does.
    """

    section: tuple[str, ...]
    key: str
    allowed: str
    default: str
    description: str

    @property
    def name(self) -> str:
        return ".".join((*self.section, self.key))

    @property
    def example(self) -> str:
        """The default; for a key that has none, an empty value of the right kind."""
        return self.default or EMPTY.get(self.allowed.partition(" ")[0], '""')


@dataclass(frozen=True)
class SectionEntry:
    """One section: its keys, and what it is for."""

    path: tuple[str, ...]
    purpose: str
    settings: tuple[Setting, ...]

    @property
    def name(self) -> str:
        return ".".join(self.path)


@dataclass(frozen=True)
class SourceColumn:
    """One contract column of a source.

    Attributes:
        name: Its name in the contract.
        meaning: What it holds, in a few words.
        required: Whether the source must have it.
    """

    name: str
    meaning: str
    required: bool

    @property
    def line(self) -> str:
        """The line of `init` that maps it."""
        told = f"required: {self.meaning}" if self.required else self.meaning
        mapping = f'# {self.name} = ""'
        return f"{mapping:<24} # {told}"


def sections() -> tuple[SectionEntry, ...]:
    """Return every section, in the order of the file."""
    return tuple(_sections(schema_of(Settings), {}, ()))[1:]


def describe() -> tuple[Setting, ...]:
    """Return every setting, in the order of the file."""
    return tuple(setting for section in sections() for setting in section.settings)


def _sections(schema: Schema, defaults: Schema, where: tuple[str, ...]) -> Iterator[SectionEntry]:
    plain, deeper = [], []
    for key, entry in schema["properties"].items():
        default = defaults.get(key, entry.get("default"))
        named = below(entry, NAME) or {}
        if "properties" in entry:
            deeper.append((entry, default, (*where, key)))
        elif "properties" in named:
            deeper.append((named, {}, (*where, key, NAME)))
        else:
            about = entry["description"]
            plain.append(Setting(where, key, allowed(entry), _toml(default, entry), about))
    yield SectionEntry(where, schema["description"], tuple(plain))
    for entry, default, path in deeper:
        yield from _sections(entry, default, path)


def _toml(default: object, entry: Schema) -> str:
    """Return a default as it stands in a TOML file, which writes these values as JSON does."""
    if default in (None, {}):
        return ""
    bare = entry.get("format") in ("date", "time")
    return str(default) if bare else json.dumps(default, ensure_ascii=False)


def render_init(source_columns: Mapping[str, Sequence[SourceColumn]]) -> str:
    """Return the text of a new conversion_platform.toml.

    It loads as it stands and equals the defaults. Commented out is all but the few keys that a
    newcomer must set.

    Args:
        source_columns: The contract columns of each source, in the order of its section.
    """
    return (
        _templates()
        .get_template("init.toml.jinja")
        .render(
            sections=sections(),
            source_columns=source_columns,
            prefix=ENV_PREFIX,
            config_variable=CONFIG_VARIABLE,
        )
    )


def reference_table() -> str:
    """Return the Markdown of every section, as it stands in docs/settings.md.

    Sections with equal keys, such as the three sources, share one table; a key that an earlier
    section describes alike is named only.
    """
    shared: dict[tuple[str, ...], list[SectionEntry]] = {}
    for section in (section for section in sections() if section.settings):
        keys = tuple(setting.key for setting in section.settings)
        shared.setdefault((section.purpose, *keys), []).append(section)
    described: set[str] = set()
    groups = [_group(alike, described) for alike in shared.values()]
    return _templates().get_template("reference.md.jinja").render(groups=groups)


def _group(alike: list[SectionEntry], described: set[str]) -> dict[str, object]:
    """Return what the page says of sections with equal keys; adds their rows to `described`."""
    rows = {
        _row(settings): settings[0].key
        for settings in zip(*(section.settings for section in alike), strict=True)
    }
    group: dict[str, object] = {
        "names": [section.name for section in alike],
        "purpose": alike[0].purpose,
        "known": [key for row, key in rows.items() if row in described],
        "rows": [row for row in rows if row not in described],
    }
    described.update(rows)
    return group


def _row(settings: tuple[Setting, ...]) -> str:
    first = settings[0]
    defaults = dict.fromkeys(f"`{one.default}`" if one.default else "not set" for one in settings)
    may_hold = _RANGE.sub(r"\1 to \2", first.allowed)
    if first.default:
        may_hold = _SHOWN_BY_DEFAULT.sub("", may_hold)
    also = f" {may_hold[0].upper()}{may_hold[1:]}." if may_hold else ""
    return f"| `{first.key}` | {', '.join(defaults)} | {first.description}{also} |"


def _templates() -> Environment:
    environment = Environment(  # noqa: S701 (no HTML)
        loader=PackageLoader("conversion_platform", "settings"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["comment"] = _comment
    return environment


def _comment(text: str) -> str:
    return textwrap.fill(
        text, 96, initial_indent="## ", subsequent_indent="## ", break_on_hyphens=False
    )
