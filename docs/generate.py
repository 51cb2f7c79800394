"""Write the generated blocks of the docs from the code: `python docs/generate.py` (`make docs`).

A block is what stands between `<!-- generated: NAME -->` and `<!-- end -->`. `--check` writes
nothing and fails where a page differs from the code.
"""

from __future__ import annotations

import argparse
import re
import sys
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from conversion_platform.catalog.tables import lake_tables
from conversion_platform.definitions import build_defs
from conversion_platform.event_log.reference import types_reference
from conversion_platform.features.reference import features_reference
from conversion_platform.settings import Settings
from conversion_platform.settings.reference import reference_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

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


def blocks() -> dict[str, Callable[[], str]]:
    """Return what writes each block, by the block's name."""
    groups = {graph().get(key).group_name for key in graph().get_all_asset_keys()}
    return {
        "settings": reference_table,
        "event types": types_reference,
        "lake tables": tables,
        "user features": partial(features_reference, "user"),
        "job features": partial(features_reference, "job"),
        "pair features": partial(features_reference, "pair"),
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
