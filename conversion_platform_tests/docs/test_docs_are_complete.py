"""The docs name every command, check and job, their links lead somewhere, their commands parse."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import dagster as dg
import pytest

from conversion_platform.cli.main import main
from conversion_platform.definitions import build_defs
from conversion_platform.settings import Settings

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *DOCS.rglob("*.md")])
LINK = re.compile(r"(?<!`)!?\[[^\]\n]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"^ {4,}(\S.*)$", re.MULTILINE)
COMMAND = re.compile(r"^(?:\$ )?(?:\S*/)?conversion-platform (?!\[)(.+?)(?:\s{2,}#.*)?$")


@cache
def text_of(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


@cache
def repository() -> dg.RepositoryDefinition:
    return build_defs(Settings()).get_repository_def()


def commands(group: click.Group, prefix: str = "") -> Iterator[tuple[str, click.Command]]:
    """Every command by the words that call it."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}", command


def section(page: str, heading: str) -> str:
    found = re.search(
        rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL
    )
    assert found, f"there is no section `## {heading}`"
    return found.group(1)


@pytest.mark.parametrize("words", [words for words, _ in commands(main)])
def test_every_command_and_option_has_its_section(words: str) -> None:
    told = section(text_of("commands.md"), f"`{words}`")
    for parameter in dict(commands(main))[words].params:
        if isinstance(parameter, click.Option):
            assert f"`{parameter.opts[0]}" in told, f"{words}: {parameter.opts[0]} is missing"


def test_the_options_of_the_program_itself_are_told() -> None:
    start = text_of("commands.md").partition("\n## ")[0]
    assert all(f"`{one.opts[0]}" in start for one in main.params)


def test_every_check_is_told_with_the_assets_that_it_looks_at() -> None:
    told = section(text_of("assets.md"), "Checks")
    rows = [row for row in told.splitlines() if row.startswith("| `")]
    for key in repository().asset_graph.asset_check_keys:
        row = next((row for row in rows if row.startswith(f"| `{key.name}` |")), "")
        assert f"`{key.asset_key.to_user_string()}`" in row, f"{key} is missing in docs/assets.md"


def test_every_job_schedule_and_sensor_is_told() -> None:
    found = repository()
    names = {job.name for job in found.get_all_jobs() if not job.name.startswith("__")}
    names |= {one.name for one in (*found.schedule_defs, *found.sensor_defs)}
    told = section(text_of("assets.md"), "Jobs") + section(
        text_of("assets.md"), "What starts by itself"
    )
    assert not [name for name in sorted(names) if f"| `{name}` |" not in told]


def test_the_index_leads_to_every_page() -> None:
    linked = {target.partition("#")[0] for target in LINK.findall(text_of("index.md"))}
    missing = [
        page.relative_to(DOCS).as_posix()
        for page in DOCS.rglob("*.md")
        if page.name != "index.md" and page.relative_to(DOCS).as_posix() not in linked
    ]
    assert not missing


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, by GitHub's rule."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path) if path else page
        assert file.exists(), f"{page.name}: {target}"
        assert not anchor or anchor in anchors(file), f"{page.name}: {target}"


def commands_in(page: Path) -> list[str]:
    """The `conversion-platform ...` lines of a page's blocks of code."""
    text = page.read_text(encoding="utf-8")
    lines = [line for block in FENCE.findall(text) for line in block.splitlines()]
    lines += INDENTED.findall(FENCE.sub("", text))
    found = (COMMAND.match(line.strip()) for line in lines)
    return [match.group(1) for match in found if match]


COMMANDS = sorted({line for page in PAGES for line in commands_in(page)})


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_of_the_docs_parses(line: str) -> None:
    words = shlex.split(re.sub(r"(?<= )D\b", "2026-11-23", line))
    if words[0] == "--config":
        words = words[2:]
    command: click.Command = main
    while isinstance(command, click.Group):
        assert words[0] in command.commands, line
        command = command.commands[words.pop(0)]
    command.make_context(command.name, words)  # parses; raises what click would say


def test_the_docs_show_commands() -> None:
    assert len(COMMANDS) >= 10
