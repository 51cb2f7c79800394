"""docs/faults.md: every fault that we promise is there, and each row has its test."""

from __future__ import annotations

import ast
import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs/faults.md"
TESTS = Path(__file__).parents[1]
PROMISED = (
    "missing file",
    "empty table",
    "file cut in the middle",
    "wrong delimiter",
    "mapped column not there",
    "type that changes between files",
    "one label class only",
    "zero eligible users",
    "a day before the data starts",
    "a partition already there",
    "disk full",
    "kill -9",
    "Ctrl-C",
)


def faults() -> dict[str, list[str]]:
    """The tests of each row of the tables."""
    found = {}
    for line in PAGE.read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) == 4 and cells[0] != "fault" and not cells[0].startswith("---"):
            assert all(cells), line
            found[cells[0]] = re.findall(r"`([\w/]+\.py::\w+)`", cells[3])
    return found


def test_every_fault_that_was_promised_has_a_row() -> None:
    for fault in PROMISED:
        assert any(row.startswith(fault) for row in faults()), fault


def test_every_row_names_tests_that_exist() -> None:
    for fault, tests in faults().items():
        assert tests, fault
        for test in tests:
            file, _, name = test.partition("::")
            tree = ast.parse((TESTS / file).read_text("utf-8"))
            functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
            assert name in functions, test
