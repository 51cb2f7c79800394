"""Errors are told apart by their class; the text of a message decides nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import conversion_platform

ROOT = Path(conversion_platform.__file__).parent
READS_MESSAGES = "lake/errors.py"
"""DuckDB gives different conditions one class; this module reads its messages for all."""
SHOWS_MESSAGES = ("lake/masking.py", "cli/sql_shell.py", "cli/sql_statements.py")
"""The mask itself, and the prompt: who asks there may read what the message is about."""


def text_of_error(node: ast.AST) -> bool:
    """Whether an expression is the text of a caught error."""
    source = ast.unparse(node)
    return any(word in source for word in ("str(error)", "str(err)", "str(e)", "error.args"))


def decisions(tree: ast.AST) -> Iterator[int]:
    """Yield the lines where a comparison, a search or a branch looks at the text of an error."""
    for node in ast.walk(tree):
        compared = isinstance(node, ast.Compare) and text_of_error(node)
        searched = (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in ("search", "match", "fullmatch", "startswith", "endswith", "find")
            and text_of_error(node)
        )
        if compared or searched:
            yield node.lineno


@pytest.mark.parametrize(
    "file", sorted(ROOT.rglob("*.py")), ids=lambda file: file.relative_to(ROOT).as_posix()
)
def test_no_module_but_one_decides_by_the_text_of_an_error(file: Path) -> None:
    if file.relative_to(ROOT).as_posix() == READS_MESSAGES:
        return
    assert list(decisions(ast.parse(file.read_text("utf-8")))) == []


def shown(tree: ast.AST) -> Iterator[int]:
    """Yield the lines that put an error of a database into a message or keep it as a cause."""
    for handler in ast.walk(tree):
        if not isinstance(handler, ast.ExceptHandler) or not handler.name or not handler.type:
            continue
        caught = ast.unparse(handler.type)
        if "duckdb." not in caught and "psycopg." not in caught:
            continue
        for node in ast.walk(handler):
            value = used_whole(node)
            if isinstance(value, ast.Name) and value.id == handler.name:
                yield value.lineno


def used_whole(node: ast.AST) -> ast.AST | None:
    """What an expression or `raise` makes a text of, or keeps as a cause."""
    if isinstance(node, ast.FormattedValue):
        return node.value
    if isinstance(node, ast.Raise):
        return node.cause
    if isinstance(node, ast.Call) and ast.unparse(node.func) in ("str", "repr") and node.args:
        return node.args[0]
    return None


@pytest.mark.parametrize(
    "file", sorted(ROOT.rglob("*.py")), ids=lambda file: file.relative_to(ROOT).as_posix()
)
def test_no_module_shows_what_a_database_says_but_through_the_mask(file: Path) -> None:
    if file.relative_to(ROOT).as_posix() not in SHOWS_MESSAGES:
        assert list(shown(ast.parse(file.read_text("utf-8")))) == []
