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
