"""Write the generated blocks of the docs from the code: `python docs/generate.py` (`make docs`).

A block is what stands between `<!-- generated: NAME -->` and `<!-- end -->`. `--check` writes
nothing and fails where a page differs from the code.
"""

from __future__ import annotations

import argparse
import re
import sys
from functools import cache, partial
from inspect import cleandoc
from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard

import click

from conversion_platform.catalog.tables import lake_tables
from conversion_platform.cli.main import main as program
from conversion_platform.definitions import build_defs
from conversion_platform.event_log.reference import types_reference
from conversion_platform.features.reference import features_reference
from conversion_platform.settings import Settings
from conversion_platform.settings.reference import reference_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from dagster import AssetKey, BaseAssetGraph, BaseAssetNode

DOCS = Path(__file__).resolve().parent
BLOCK = re.compile(r"(?<=<!-- generated: )([\w ]+)( -->\n)(.*?)(?=<!-- end -->)", re.DOTALL)


@cache
def graph() -> BaseAssetGraph[BaseAssetNode]:
    """Return the asset graph of the default settings."""
    return build_defs(Settings()).get_repository_def().asset_graph


def asset_row(key: AssetKey) -> str:
    """Return an asset's row: its name, what it depends on, what it holds."""
    node = graph().get(key)
    read = ", ".join(
        f"`{name}`" for name in sorted(one.to_user_string() for one in node.parent_keys)
    )
    return f"| `{key.to_user_string()}` | {read or 'the source'} | {node.description} |"


def assets(group: str) -> str:
    """Return the table of one stage's assets."""
    keys = [key for key in graph().get_all_asset_keys() if graph().get(key).group_name == group]
    rows = "\n".join(asset_row(key) for key in sorted(keys))
    return f"| asset | reads | holds |\n|---|---|---|\n{rows}\n"


def tables() -> str:
    """Return the lake tables by their files and key."""
    alike: dict[tuple[bool, tuple[str, ...]], list[str]] = {}
    for table in (table for declared in lake_tables().values() for table in declared):
        alike.setdefault((table.daily, table.key), []).append(table.name)
    rows = "\n".join(
        f"| {_code(names)} | {'one a day' if daily else 'one'} | {_code(key)} |"
        for (daily, key), names in alike.items()
    )
    return f"| table | files | key |\n|---|---|---|\n{rows}\n"


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
    table = f"\n| option | default | meaning |\n|---|---|---|\n{rows}" if rows else ""
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
    return f"| command | what it does |\n|---|---|\n{rows}"


def words_of(context: click.Context) -> str:
    """Return the words after `conversion-platform` that call a command."""
    return context.command_path.partition(" ")[2]


def make_targets() -> str:
    """Return the table of the Makefile's targets."""
    makefile = (DOCS.parent / "Makefile").read_text(encoding="utf-8")
    found = re.findall(r"^([a-z-]+):.*## (.+)$", makefile, re.MULTILINE)
    rows = "".join(f"| `{name}` | {what} |\n" for name, what in found)
    return f"| target | what it does |\n|---|---|\n{rows}"


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
