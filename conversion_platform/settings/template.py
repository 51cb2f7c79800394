"""The settings file that `conversion-platform init` writes: every key at its default, explained."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

from conversion_platform.settings.loading import CONFIG_VARIABLE, ENV_PREFIX
from conversion_platform.settings.reference import (
    NAME,
    SectionEntry,
    Setting,
    limits,
    sections,
    toml_value,
)

WIDTH = 96
HEADER = f"""\
# Settings of conversion-platform. docs/settings.md explains them; `conversion-platform
# check-sources` says in one screen whether the sources below can be used.
#
# A line that starts with `# ` and a key shows the default: take the `# ` away to change it.
# Paths are relative to this file. An unknown key or a value that is not allowed is refused with
# a message that names it.
#
# The environment wins over this file: {ENV_PREFIX}SECTION__KEY sets `key` under
# [section], for example
#     {ENV_PREFIX}PLATFORM__THREADS=4
#     {ENV_PREFIX}EVENTS__CLICK_TYPES='["click", "open"]'     (lists are JSON)
#     {ENV_PREFIX}COHORTS__NURSES__SIZE=5000
# {CONFIG_VARIABLE} names a settings file in another place.
#
# Secrets never stand here. A setting holds the *name* of the environment variable that carries one
# (`dsn_env` for Postgres); S3 takes AWS's usual variables, profile or role. A file with a user and
# password in an address is refused.
"""
SOURCES_HINT = (
    "The three tables to start from. Set these first: a path (file, glob, Hive folder, s3://), "
    'or `sql` over tables of [inputs.NAME], or format = "postgres" with `table`. Where columns '
    'have other names, map them: columns = { user_id = "Worker ID", occurred_at = "Time" }.'
)
EXAMPLES = {"inputs": "views", "cohorts": "everyone"}
MUST_SET = {"platform.time_zone", "platform.start_date"} | {
    f"sources.{table}.path" for table in ("users", "jobs", "events")
}


Columns = Mapping[str, Sequence[str]]


def render_init(source_columns: Columns) -> str:
    """Return the text of a new conversion_platform.toml.

    It loads as it stands and equals the defaults. Commented out is all but the few keys that a
    newcomer must set.

    Args:
        source_columns: The contract columns of each source, to be named in its section.
    """
    return "\n".join([HEADER, *(_section(section, source_columns) for section in sections())])


def _section(section: SectionEntry, source_columns: Columns) -> str:
    if not section.settings:
        return f"{_comment(SOURCES_HINT)}\n"
    lines = [_comment(section.purpose), *_heading(section.path, source_columns)]
    for setting in section.settings:
        lines += _setting(setting)
    return "\n".join(lines) + "\n"


def _heading(path: tuple[str, ...], source_columns: Columns) -> list[str]:
    if NAME not in path:
        return [f"[{'.'.join(path)}]", *_known_columns(path, source_columns)]
    example = EXAMPLES[path[0]]
    named = f"`{example}` is a name of your choice; repeat the section for each."
    return [_comment(named), f"# [{'.'.join(path).replace(NAME, example)}]"]


def _known_columns(path: tuple[str, ...], source_columns: Columns) -> list[str]:
    """Return the comment on the columns of a source that the platform knows."""
    if path[0] != "sources" or path[-1] not in source_columns:
        return []
    names = ", ".join(source_columns[path[-1]])
    return [_comment(f"Columns with a meaning of their own: {names}.")]


def _setting(setting: Setting) -> list[str]:
    bounds = limits(setting)
    allowed = f" ({setting.type}{f', {bounds}' if bounds else ''})"
    comment = "" if setting.name in MUST_SET else "# "
    return [
        _comment(setting.description + allowed),
        f"{comment}{setting.key} = {_example(setting)}",
    ]


def _example(setting: Setting) -> str:
    """The default; for a key that has none, an empty value of the right kind."""
    if setting.default not in (None, {}):
        return toml_value(setting.default)
    if "table of" in setting.type:
        return "{}"
    return "[]" if setting.type.startswith("list") else '""'


def _comment(text: str) -> str:
    return textwrap.fill(text, WIDTH, initial_indent="## ", subsequent_indent="## ")
