"""The queries of docs/event_log.md run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conversion_platform.catalog import attach_views
from conversion_platform.lake import Session
from conversion_platform_tests.event_log.small_lake import fill

if TYPE_CHECKING:
    import duckdb

PAGE = Path(__file__).parents[2] / "docs" / "event_log.md"
QUERIES = re.findall(
    r"^-- (.*?)\n(.*?;)\n", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
)


def test_the_page_has_queries() -> None:
    assert len(QUERIES) == 4


@pytest.mark.parametrize(("title", "query"), QUERIES, ids=[title for title, _ in QUERIES])
def test_every_query_of_the_page_runs(
    session: Session, con: duckdb.DuckDBPyConnection, title: str, query: str
) -> None:
    fill(session)
    attach_views(session)
    con.execute(query).fetchall()
