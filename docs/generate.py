"""Write the generated blocks of the docs from the code: `python docs/generate.py` (`make docs`).

A block is what stands between `<!-- generated: NAME -->` and `<!-- end -->`. `--check` writes
nothing and fails where a page differs from the code.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from functools import cache, partial
from inspect import cleandoc
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard

import click

from conversion_platform.catalog.tables import lake_tables
from conversion_platform.cli.main import main as program
from conversion_platform.definitions import build_defs
from conversion_platform.defs.lake_asset import TABLE_NAME
from conversion_platform.event_log.reference import types_reference
from conversion_platform.features.reference import features_reference
from conversion_platform.marketplace.contract import EVENTS, JOBS, REASONS, USERS
from conversion_platform.messaging.rules import WEEKDAYS, rules
from conversion_platform.messaging.templates import VARIABLES
from conversion_platform.metrics.tables import DAILY_METRICS
from conversion_platform.runs.instance_settings import INSTANCE_SETTINGS
from conversion_platform.settings import Settings
from conversion_platform.settings.reference import reference_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import date, time

    from dagster import (
        AssetCheckKey,
        AssetKey,
        BaseAssetGraph,
        BaseAssetNode,
        RepositoryDefinition,
    )

    from conversion_platform.lake import Table
    from conversion_platform.marketplace.contract import Contract

DOCS = Path(__file__).resolve().parent
PACKAGE = DOCS.parent / "conversion_platform"
BLOCK = re.compile(r"(?<=<!-- generated: )([\w ]+)( -->\n)(.*?)(?=<!-- end -->)", re.DOTALL)


@cache
def repository() -> RepositoryDefinition:
    """Return the code location of the default settings."""
    return build_defs(Settings()).get_repository_def()


def graph() -> BaseAssetGraph[BaseAssetNode]:
    """Return its asset graph."""
    return repository().asset_graph


def heads(*names: str) -> str:
    """Return the first two lines of a table."""
    return f"| {' | '.join(names)} |\n|{'---|' * len(names)}\n"


def asset_row(key: AssetKey) -> str:
    """Return an asset's row: its name, what it depends on, what it holds."""
    node = graph().get(key)
    read = ", ".join(
        f"`{name}`" for name in sorted(one.to_user_string() for one in node.parent_keys)
    )
    name = key.to_user_string()
    table = node.metadata.get(TABLE_NAME, name)
    named = f"`{name}`" if table == name else f"`{name}` (in SQL `{table}`)"
    return f"| {named} | {read or 'the source'} | {node.description} |"


def assets(group: str) -> str:
    """Return the table of one stage's assets."""
    keys = [key for key in graph().get_all_asset_keys() if graph().get(key).group_name == group]
    rows = "\n".join(asset_row(key) for key in sorted(keys))
    return heads("asset", "reads", "holds") + f"{rows}\n"


def tables() -> str:
    """Return the lake tables by their files and key."""
    alike: dict[tuple[bool, tuple[str, ...]], list[str]] = {}
    for table in (table for declared in lake_tables().values() for table in declared):
        alike.setdefault((table.daily, table.key), []).append(table.name)
    rows = "\n".join(
        f"| {_code(names)} | {'one a day' if daily else 'one'} | {_code(key)} |"
        for (daily, key), names in alike.items()
    )
    return heads("table", "files", "key") + f"{rows}\n"


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def commands(parent: click.Context) -> Iterator[click.Context]:
    """Return a context of each command below a group, by the words that call it."""
    assert isinstance(parent.command, click.Group)
    for name, command in parent.command.commands.items():
        context = click.Context(command, info_name=name, parent=parent)
        if isinstance(command, click.Group):
            yield from commands(context)
        else:
            yield context


def command_page(context: click.Context) -> str:
    """Return a command's usage, help and options."""
    usage = " ".join((context.command_path, *context.command.collect_usage_pieces(context)))
    options = [one for one in context.command.params if isinstance(one, click.Option)]
    rows = "".join(option_row(one, context) for one in options)
    table = "\n" + heads("option", "default", "meaning") + rows if rows else ""
    return f"`{usage}`\n\n{cleandoc(context.command.help or '')}\n{table}"


def option_row(option: click.Option, context: click.Context) -> str:
    """Return an option's row: its name and value, its default, what it does."""
    value = "" if option.is_flag else f" {option.make_metavar(context)}".replace("|", "\\|")
    told = option.get_help_extra(context)
    default = "required" if "required" in told else told.get("default", "")
    shown = f"`{default}`" if "default" in told else default
    limits = f" {option.type.min} to {option.type.max}." if has_limits(option.type) else ""
    return f"| `{option.opts[0]}{value}` | {shown} | {option.help}{limits} |\n"


def has_limits(kind: click.ParamType) -> TypeGuard[click.IntRange]:
    """Say whether a type is a range of integers with both ends."""
    return isinstance(kind, click.IntRange) and None not in (kind.min, kind.max)


def command_index(root: click.Context) -> str:
    """Return the table of all commands by what they do."""
    rows = "".join(
        f"| [`{words}`](#{words.replace(' ', '-')}) | {one.command.get_short_help_str(200)} |\n"
        for one in commands(root)
        for words in [words_of(one)]
    )
    return heads("command", "what it does") + rows


def words_of(context: click.Context) -> str:
    """Return the words after `conversion-platform` that call a command."""
    return context.command_path.partition(" ")[2]


def checks() -> str:
    """Return the table of the checks by name."""
    alike: dict[str, list[AssetCheckKey]] = {}
    for key in sorted(graph().asset_check_keys):
        alike.setdefault(key.name, []).append(key)
    rows = "".join(check_row(name, keys) for name, keys in alike.items())
    return heads("check", "of", "passes if", "blocking") + rows


def check_row(name: str, keys: list[AssetCheckKey]) -> str:
    """Return a check's row; what differs between its assets stands in brackets and is left out."""
    specs = [graph().get_check_spec(key) for key in keys]
    told = str(specs[0].description)
    if len({spec.description for spec in specs}) > 1:
        told = re.sub(r" \([^)]*\)", "", told)
    assets = _code(key.asset_key.to_user_string() for key in keys)
    return f"| `{name}` | {assets} | {told} | {'yes' if specs[0].blocking else 'no'} |\n"


def jobs() -> str:
    """Return the table of the jobs."""
    found = repository().get_all_jobs()
    rows = "".join(f"| `{job.name}` | {job.description} |\n" for job in found if job.description)
    return heads("job", "what it runs") + rows


def columns(table: Table) -> str:
    """Return the table of a lake table's columns."""
    rows = "".join(f"| `{one.name}` | {one.description} |\n" for one in table.columns)
    return heads("column", "meaning") + rows


def meanings(head: str, found: dict[str, str]) -> str:
    """Return a table of names with their meanings."""
    rows = "".join(f"| `{name}` | {meaning} |\n" for name, meaning in found.items())
    return heads(head, "meaning") + rows


def contracts() -> str:
    """Return the table of the sources' contract columns, required ones bold."""
    rows = "".join(
        f"| `{contract.name}` | {', '.join(contract_column(contract, one) for one in names)} |\n"
        for contract in (USERS, JOBS, EVENTS)
        for names in [[field.name for field in contract.fields]]
    )
    return heads("table", "columns") + rows


def contract_column(contract: Contract, name: str) -> str:
    """Return a column's name, bold if the source must have it."""
    return f"**`{name}`**" if name in contract.required else f"`{name}`"


def permitted_hours() -> str:
    """Return the table of the rules on hours and frequency."""
    found = rules()
    hours = "".join(
        f"| `{one.rule_id}` | {one.place} | {week(one.windows)} | {since(one.since)} "
        f"| {one.source} |\n"
        for one in found.hours
    )
    limits = "".join(
        f"| `{one.rule_id}` | {one.place} | {one.most} messages to a number in {one.hours} hours "
        f"| {since(one.since)} | {one.source} |\n"
        for one in found.frequency
    )
    return heads("rule_id", "place", "allowed", "from", "source") + hours + limits


def week(windows: tuple[tuple[time, time], ...]) -> str:
    """Return the hours of a week, days with the same hours together."""
    told: list[str] = []
    for hours, days in groupby(range(7), key=windows.__getitem__):
        first, *more = (WEEKDAYS[day].title() for day in days)
        span = f"{first}-{more[-1]}" if more else first
        told.append(f"{span} {hours[0]:%H:%M}-{hours[1]:%H:%M}")
    return ", ".join(told).removeprefix("Mon-Sun ")


def since(day: date) -> str:
    """Return the first day of a rule; those without a known one always hold."""
    return "always" if day.year == 1900 else str(day)


def packages() -> str:
    """Return the table of the packages by the first sentence of their docstrings."""
    files = [*PACKAGE.glob("*/__init__.py"), *PACKAGE.glob("applications/*/__init__.py")]
    rows = "".join(
        f"| `{file.parent.relative_to(PACKAGE)}/` | {first_line(file)} |\n"
        for file in sorted(files)
    )
    return heads("package", "what it holds") + rows


def first_line(file: Path) -> str:
    """Return the first line of a module's docstring."""
    told = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return told.partition("\n")[0]


def dagster_yaml() -> str:
    """Return what is written to dagster.yaml."""
    return f"```yaml\n{INSTANCE_SETTINGS}```\n"


def make_targets() -> str:
    """Return the table of the Makefile's targets."""
    makefile = (DOCS.parent / "Makefile").read_text(encoding="utf-8")
    found = re.findall(r"^([a-z-]+):.*## (.+)$", makefile, re.MULTILINE)
    rows = "".join(f"| `{name}` | {what} |\n" for name, what in found)
    return heads("target", "what it does") + rows


@cache
def blocks() -> dict[str, Callable[[], str]]:
    """Return what writes each block, by the block's name."""
    root = click.Context(program, info_name="conversion-platform")
    groups = {graph().get(key).group_name for key in graph().get_all_asset_keys()}
    return {
        "settings": reference_table,
        "event types": types_reference,
        "lake tables": tables,
        "user features": partial(features_reference, "user"),
        "job features": partial(features_reference, "job"),
        "pair features": partial(features_reference, "pair"),
        "program": partial(command_page, root),
        "checks": checks,
        "jobs": jobs,
        "metrics columns": partial(columns, DAILY_METRICS),
        "reject reasons": partial(meanings, "reason", REASONS),
        "contracts": contracts,
        "permitted hours": permitted_hours,
        "template variables": partial(meanings, "variable", VARIABLES),
        "packages": packages,
        "dagster yaml": dagster_yaml,
        "make targets": make_targets,
        "commands": partial(command_index, root),
        **{
            f"command {words_of(one).replace('-', ' ')}": partial(command_page, one)
            for one in commands(root)
        },
        **{f"assets {group}": partial(assets, group) for group in groups},
    }


def generated(text: str) -> str:
    """Return a page with its blocks as the code has them."""
    return BLOCK.sub(lambda found: f"{found[1]}{found[2]}{blocks()[found[1]]()}", text)


def main() -> int:
    """Write the pages, or with `--check` name those that differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 if stale")
    check = parser.parse_args().check
    pages = {page: page.read_text(encoding="utf-8") for page in sorted(DOCS.glob("*.md"))}
    held = {name for text in pages.values() for name, _, _ in BLOCK.findall(text)}
    stale = {page: new for page, text in pages.items() if (new := generated(text)) != text}
    if not check:
        for page, new in stale.items():
            page.write_text(new, encoding="utf-8")
    for name in sorted(blocks().keys() - held):
        print(f"no page has the block `{name}`")
    done = "differs from the code: run `make docs`" if check else "written"
    for page in stale:
        print(f"docs/{page.name} {done}")
    return int(bool(blocks().keys() - held) or (check and bool(stale)))


if __name__ == "__main__":
    sys.exit(main())
