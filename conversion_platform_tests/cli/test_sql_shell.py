"""Questions to the lake: answered as a table, CSV or JSON, and nothing can be written."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest

from conversion_platform.cli.sql_output import TABLE_ROWS
from conversion_platform.cli.sql_shell import (
    SqlSession,
    analyst_session,
    answer_all,
    completer_of,
    is_finished,
    new_prompt,
    prompt,
    run_sql,
)
from conversion_platform.days import DayRange
from conversion_platform.errors import LakeError, QueryError
from conversion_platform.event_log import EVENT_TYPES, record
from conversion_platform.lake import Lake, Session, open_lake
from conversion_platform.marketplace.tables import USERS
from conversion_platform.settings import Settings, load_settings
from conversion_platform_tests.event_log.small_lake import DAY, PHONE, fill, fill_people
from conversion_platform_tests.servers import S3Server


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of a lake with a day of tables and log, shared: nothing here can change it."""
    file = tmp_path_factory.mktemp("platform") / "conversion_platform.toml"
    file.write_text("")
    settings = load_settings(file)
    lake = open_lake(settings)
    with lake.connect() as con:
        fill(Session(settings, lake, con))
        fill_people(Session(settings, lake, con))
        for kind in EVENT_TYPES:
            record(Session(settings, lake, con), kind.name, DayRange.of(DAY))
    return settings


@pytest.fixture
def analyst(filled: Settings) -> Iterator[SqlSession]:
    with analyst_session(filled, open_lake(filled)) as session:
        yield session


def ask(analyst: SqlSession, query: str, output_format: str = "csv") -> str:
    out = io.StringIO()
    answer_all(analyst, query, output_format, out)
    return out.getvalue()


# --- answers ---


def test_a_query_prints_a_table(filled: Settings) -> None:
    out = io.StringIO()
    query = "SELECT state, count(*) AS texts FROM log_message_state GROUP BY 1 ORDER BY 1"
    run_sql(filled, query, out=out)
    lines = [line.strip("│").split(" │ ") for line in out.getvalue().splitlines() if "│" in line]
    cells = [[cell.strip() for cell in line] for line in lines]
    assert cells == [["state", "texts"], ["varchar", "int64"], ["planned", "1"], ["sent", "1"]]


def test_csv_is_read_back_as_it_was(analyst: SqlSession) -> None:
    query = (
        """SELECT 'a,"b"' AS t, NULL AS n, 1.5 AS d, DATE '2026-01-02' AS day, true AS b,"""
        " TIMESTAMPTZ '2026-01-02 03:04:05+00' AS at, [1, 2] AS l, 'x\ny' AS lines"
    )
    rows = list(csv.DictReader(io.StringIO(ask(analyst, query))))
    assert rows == [
        {"t": 'a,"b"', "n": "", "d": "1.5", "day": "2026-01-02", "b": "true"}
        | {"at": "2026-01-02 03:04:05+00", "l": "[1, 2]", "lines": "x\ny"}
    ]


def test_json_is_an_array_of_objects(analyst: SqlSession) -> None:
    query = (
        "SELECT 'ü' AS t, NULL AS n, 1.5::DECIMAL(4,1) AS d, 7 AS i, 7 AS i, 'a\nb' AS lines, "
        "{'a': DATE '2026-01-02'} AS s FROM range(2)"
    )
    row = {"t": "ü", "n": None, "d": 1.5, "i": 7, "i_1": 7, "lines": "a\nb"}
    row |= {"s": {"a": "2026-01-02"}}
    assert json.loads(ask(analyst, query, "json")) == [row, row]
    assert len(ask(analyst, query, "json").splitlines()) == 4
    assert json.loads(ask(analyst, "SELECT 1 WHERE false", "json")) == []


def test_what_json_cannot_say_is_null_and_text_that_looks_alike_stays(analyst: SqlSession) -> None:
    query = (
        "SELECT 'nan'::DOUBLE AS a, ['-inf'::DOUBLE, 1] AS b, {'x': 'inf'::FLOAT} AS c, "
        """'say "NaN" or -Infinity\\' AS d, 'nan'::DOUBLE AS "NaN" """
    )

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    found = json.loads(ask(analyst, query, "json"), parse_constant=refuse)
    text = 'say "NaN" or -Infinity\\'
    assert found == [{"a": None, "b": [None, 1.0], "c": {"x": None}, "d": text, "NaN": None}]


def test_programs_get_every_row_and_people_the_first(analyst: SqlSession) -> None:
    query = "SELECT i FROM range(2500) r(i)"
    assert len(ask(analyst, query).splitlines()) == 2501
    assert len(json.loads(ask(analyst, query, "json"))) == 2500
    table = ask(analyst, query, "table")
    assert "2500 rows" in table and f"({TABLE_ROWS} shown)" in table
    assert len(table.splitlines()) < TABLE_ROWS + 20


def test_several_statements_are_answered_in_turn(analyst: SqlSession) -> None:
    lines = ask(analyst, "SELECT 11 AS a; SELECT 22 AS b;", "table").split()
    assert [word for word in lines if word in ("a", "11", "b", "22")] == ["a", "11", "b", "22"]
    assert ask(analyst, " -- nothing\n") == ""


@pytest.mark.parametrize("output_format", ["csv", "json"])
def test_a_program_gets_one_answer_and_several_statements_are_refused(
    analyst: SqlSession, output_format: str
) -> None:
    with pytest.raises(QueryError, match="There are 2 statements, and --format") as caught:
        ask(analyst, "SELECT 1; SELECT 2", output_format)
    assert "one at a time" in caught.value.remedy


@pytest.mark.parametrize("query", [".tables", " .tables; ", ".schema log_reply"])
def test_a_command_of_the_prompt_is_answered_without_one(filled: Settings, query: str) -> None:
    out = io.StringIO()
    run_sql(filled, query, "json", out=out)
    names = [next(iter(row.values())) for row in json.loads(out.getvalue())]
    assert ("reply_id" if "schema" in query else "daily_predictions") in names


def test_a_command_and_statements_come_from_one_text(filled: Settings) -> None:
    out = io.StringIO()
    run_sql(filled, ".help\nSELECT 41 + 1 AS n;", out=out)
    assert "End a query with ;" in out.getvalue() and "42" in out.getvalue()
    with pytest.raises(QueryError, match=r"no command \.nope"):
        run_sql(filled, ".nope", out=out)


@pytest.mark.parametrize(
    "query",
    [
        "FROM users",
        "WITH a AS (SELECT 1 AS x) SELECT * FROM a JOIN users ON true",
        "DESCRIBE users",
        "SUMMARIZE log_reply",
        "SHOW TABLES",
        "EXPLAIN SELECT * FROM users",
        "EXPLAIN ANALYZE SELECT count(*) FROM event_log",
        "PIVOT log_outcome ON kind USING count(*) GROUP BY arm",
        "SELECT local_day(occurred_at), count(*) FROM event_log GROUP BY 1",
        "SELECT * FROM generate_series(1, 3)",
        "VALUES (1)",
        "SELECT * FROM log_reply WHERE reply_id LIKE '%.parquet'",
    ],
)
def test_every_kind_of_question_is_answered(analyst: SqlSession, query: str) -> None:
    assert ask(analyst, query)


def test_a_value_cannot_steer_the_terminal(analyst: SqlSession) -> None:
    query = (
        "SELECT '\x1b[31mred[bold]' || chr(10) || 'x' AS t, chr(155) || '31m' AS c, chr(8238) AS o"
    )
    table = ask(analyst, query, "table")
    assert r"\e[31mred[bold]\nx" in table
    assert r"\x9b31m" in table and r"\u202e" in table
    assert all(character.isprintable() or character == "\n" for character in table)


def test_numbers_stand_to_the_right_and_null_is_named(analyst: SqlSession) -> None:
    lines = ask(analyst, "SELECT 1 AS number, NULL AS t UNION ALL SELECT 222, 'a'", "table")
    assert "│      1 │ NULL    │" in lines
    assert "│    222 │ a       │" in lines


def test_an_answer_wider_than_the_screen_becomes_blocks(
    analyst: SqlSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "dumb")
    out = Terminal()
    answer_all(analyst, "SELECT * FROM log_assignment ORDER BY user_id", "table", out)
    assert out.getvalue().count("--- row ") == 2
    assert "      user_id  u1\n" in out.getvalue()
    answer_all(analyst, "SELECT 1, 2, 3, 4, 5, 6, chr(27) || chr(10) AS steer", "table", out)
    assert r"steer  \x1b\n" in out.getvalue()
    answer_all(analyst, "SELECT 1, 2, 3, 4, 5, i FROM range(60) r(i)", "table", out)
    assert "60 rows" in out.getvalue()


# --- nothing can be written, and no file read beside the views ---


def lake_state(settings: Settings) -> dict[str, tuple[int, int]]:
    base = Path(settings.lake_root).parent
    return {
        str(path): (path.stat().st_mtime_ns, path.stat().st_size)
        for path in sorted(base.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize(
    "query",
    [
        "COPY (SELECT 1) TO '{lake}/users/data.parquet'",
        "COPY (SELECT 1) TO '{lake}/users/data.parquet' (USE_TMP_FILE false)",
        "COPY (PIVOT log_outcome ON kind USING count(*)) TO '{lake}/x.parquet'",
        "COPY users TO '{lake}/new.csv'",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO '{lake}/users/data.parquet' (USE_TMP_FILE false)",
        "EXPLAIN /* x */ ANALYZE COPY (SELECT 1) TO '{lake}/users/data.parquet'",
        "/* x */ EXPLAIN ANALYZE COPY (SELECT 1) TO '{lake}/x.parquet'",
        "EXPORT DATABASE '{lake}/out'",
        "ATTACH '{lake}/x.duckdb'",
        "CREATE TABLE t AS SELECT 1",
        "CREATE OR REPLACE TEMP VIEW users AS SELECT 1",
        "DROP VIEW users",
        "INSERT INTO users SELECT 1",
        "DELETE FROM users",
        "UPDATE users SET user_id = 'x'",
        "SET enable_external_access = true",
        "SET allowed_paths = ['/']",
        "RESET lock_configuration",
        "PRAGMA database_list",
        "CALL enable_logging(storage = 'file', storage_path = '{lake}/log')",
        "SELECT * FROM enable_logging(storage = 'file', storage_path = '{lake}/log')",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SELECT 1; COPY (SELECT 1) TO '{lake}/x.csv'",
        "PREPARE p AS COPY (SELECT 1) TO '{lake}/x.csv'",
        "CHECKPOINT",
        "SELECT * FROM read_text('/etc/hostname')",
        "SELECT * FROM glob('/etc/*')",
        "SELECT * FROM duckdb_secrets()",
        "SELECT * FROM filled",
    ],
)
def test_what_is_no_question_to_the_views_is_refused_and_changes_nothing(
    analyst: SqlSession, filled: Settings, query: str
) -> None:
    before = lake_state(filled)
    with pytest.raises(QueryError) as caught:
        ask(analyst, query.replace("{lake}", filled.lake_root))
    assert caught.value.remedy
    assert lake_state(filled) == before
    assert PHONE not in str(caught.value)


def test_the_session_itself_writes_nothing_even_if_a_statement_slips_through(
    analyst: SqlSession, filled: Settings
) -> None:
    before = lake_state(filled)
    for query in (
        f"COPY (SELECT 1) TO '{filled.lake_root}/users/data.parquet'",
        f"COPY (SELECT 1) TO '{filled.lake_root}/new.parquet'",
        "SET enable_external_access = true",
        "SET memory_limit = '99GB'",
        "SELECT * FROM read_text('/etc/hostname')",
    ):
        with pytest.raises(duckdb.Error):
            analyst.con.execute(query)
    assert lake_state(filled) == before


def test_a_python_variable_is_not_a_table(analyst: SqlSession) -> None:
    import pyarrow

    secrets = pyarrow.table({"a": [1]})
    with pytest.raises(duckdb.CatalogException, match="secrets does not exist"):
        analyst.con.execute("SELECT * FROM secrets")
    assert secrets.num_rows == 1


def test_personal_data_shows_only_when_asked_for(filled: Settings) -> None:
    shown = io.StringIO()
    with pytest.raises(QueryError):
        run_sql(filled, "FROM users_contacts", "json", out=io.StringIO())
    run_sql(filled, "FROM users_contacts", "json", personal=True, out=shown)
    assert PHONE in shown.getvalue()
    run_sql(filled, "FROM rejected_users_values", "json", personal=True, out=shown)
    assert shown.getvalue().count(PHONE) == 2


def test_a_file_of_a_view_may_be_read_by_its_name(analyst: SqlSession, filled: Settings) -> None:
    assert ask(analyst, f"SELECT user_id FROM '{filled.lake_root}/users/data.parquet'")


@pytest.mark.parametrize(
    ("query", "hint"),
    [
        ("SELECT phone FROM users", "`phone` lies in users_contacts: add --personal"),
        ("SELECT u.phone FROM users AS u", "`phone` lies in users_contacts: add --personal"),
        ("SELECT detail FROM rejected_users", "`detail` lies in rejected_users_values: add"),
        ("FROM users_contacts", "`users_contacts` is a personal table: add --personal"),
        ("SELECT first_name FROM users", "does not list lies in users_contacts or jobs_contacts"),
    ],
)
def test_what_is_kept_apart_names_the_option_that_opens_it(
    filled: Settings, query: str, hint: str
) -> None:
    with pytest.raises(QueryError) as caught:
        run_sql(filled, query, out=io.StringIO())
    assert hint in caught.value.remedy
    with pytest.raises(QueryError) as caught:
        run_sql(filled, "SELECT nothing FROM nowhere", out=io.StringIO())
    assert "--personal" not in caught.value.remedy


def test_a_session_spills_although_it_may_open_no_other_file(filled: Settings) -> None:
    lake = Lake(open_lake(filled).storage, 1, "60MB")
    with analyst_session(filled, lake) as analyst:
        query = "SELECT max(n) FROM (SELECT md5(i::VARCHAR) || i AS n, i FROM range(1500000) r(i) "
        assert ask(analyst, f"{query} ORDER BY n LIMIT 1200000)")


# --- errors ---


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("SELECT * FROM usrs", [r'Did you mean "users', "`.tables`"]),
        ("SELECT user FROM_ users", ["Parser Error", "Correct the query"]),
        ("SELECT usr_id FROM users", ["user_id", "`.schema NAME`"]),
        ("SELECT 'a'::INTEGER", ["Conversion Error", "Correct the query"]),
        ("SELECT", ["Parser Error"]),
    ],
)
def test_a_query_that_cannot_run_says_why_and_what_to_do(
    analyst: SqlSession, query: str, words: list[str]
) -> None:
    with pytest.raises(QueryError) as caught:
        ask(analyst, query)
    assert all(word in str(caught.value) for word in words)


def test_an_unknown_format_names_the_known_ones(analyst: SqlSession) -> None:
    with pytest.raises(QueryError, match=r"no format xml.*\n.*table, csv, json"):
        ask(analyst, "SELECT 1", "xml")


def test_a_damaged_file_is_named(settings: Settings, lake: Lake) -> None:
    with lake.connect() as con:
        fill_people(Session(settings, lake, con))
    key = lake.key(USERS)
    lake.storage.replace(key, lake.storage.read(key)[:-50])
    with pytest.raises(LakeError, match=r"users/data.parquet is damaged"):
        run_sql(settings, "FROM users", lake=lake, out=io.StringIO())


def test_an_empty_lake_can_be_asked(settings: Settings) -> None:
    out = io.StringIO()
    run_sql(settings, "SELECT count(*) AS n FROM event_log", "csv", out=out)
    assert out.getvalue() == "n\n0\n"


def test_the_lake_on_s3_can_be_asked_and_is_as_closed(settings: Settings, s3: S3Server) -> None:
    from conversion_platform.lake import open_storage

    lake = Lake(open_storage(f"s3://{s3.new_bucket()}/lake", s3.files()))
    with lake.connect() as con:
        fill_people(Session(settings, lake, con))
        lake.storage.replace("other/data.parquet", lake.storage.read(lake.key(USERS)))
    with analyst_session(settings, lake) as analyst:
        assert ask(analyst, "SELECT user_id FROM users") == "user_id\nu1\n"
        with pytest.raises(duckdb.PermissionException):
            analyst.con.execute(
                f"FROM read_parquet('{lake.storage.location('other/data.parquet')}')"
            )


# --- the prompt ---


def typed(analyst: SqlSession, keys: str, history: Path | None = None) -> str:
    """What the prompt answers to keys, with prompt_toolkit's own input in between."""
    from prompt_toolkit.input import create_pipe_input
    from prompt_toolkit.output import DummyOutput

    out = io.StringIO()
    with create_pipe_input() as keyboard:
        keyboard.send_text(keys)
        session = new_prompt(analyst, history, input=keyboard, output=DummyOutput())
        prompt(analyst, session, "csv", out)
    return out.getvalue()


def test_a_query_over_several_lines_runs_at_its_semicolon(analyst: SqlSession) -> None:
    assert "n\n2\n" in typed(analyst, "SELECT count(*) AS n\rFROM log_assignment\r;\r.quit\r")


def test_an_error_ends_its_query_and_not_the_prompt(analyst: SqlSession) -> None:
    answer = typed(analyst, "SELECT * FROM nope;\rDROP VIEW users;\rSELECT 5 AS five;\r\x04")
    assert "nope does not exist" in answer
    assert "A statement of the kind DROP is not run here." in answer
    assert "five\n5\n" in answer


@pytest.mark.parametrize(
    ("text", "completed"),
    [
        ("SELECT * FROM log_assig", "log_assignment"),
        ("SELECT l.user_i", "user_id"),
        ("sel", "SELECT"),
        (".sch", ".schema"),
    ],
)
def test_tab_completes_views_columns_words_and_commands(
    analyst: SqlSession, text: str, completed: str
) -> None:
    from prompt_toolkit.completion import CompleteEvent
    from prompt_toolkit.document import Document

    completer = completer_of(analyst.con)
    found = completer.get_completions(Document(text), CompleteEvent(completion_requested=True))
    assert completed in [one.text for one in found]


def test_ctrl_c_clears_the_line_and_ctrl_d_leaves(analyst: SqlSession) -> None:
    answer = typed(analyst, "SELECT nonsense\x03SELECT 6 AS six;\r\x04")
    assert answer.endswith("nothing can be changed.\nsix\n6\n")


@pytest.mark.parametrize("word", ["exit", "quit", "\\q", ".exit", ".quit", " EXIT ; ", "quit;"])
def test_the_words_of_psql_and_duckdb_leave_the_prompt(analyst: SqlSession, word: str) -> None:
    assert typed(analyst, f"{word}\rSELECT 7 AS seven;\r\x04").endswith("changed.\n")


def test_a_column_named_as_such_a_word_is_a_query(analyst: SqlSession) -> None:
    assert "exit\n8\n" in typed(analyst, "SELECT 8 AS\rexit\r;\r\x04")


def test_commands_show_views_columns_and_help(analyst: SqlSession) -> None:
    answer = typed(analyst, ".tables\r.schema log_reply\r.help\r.schema nope\r.nope\r\r.quit\r")
    assert "daily_predictions" in answer
    assert "A person replied to a message." in answer
    assert "The provider's id of the reply, hashed." in answer
    assert "End a query with ;" in answer
    assert "There is no view `nope`." in answer
    assert "There is no command .nope." in answer


@pytest.mark.parametrize("open_before", [False, True])
def test_the_history_is_kept_for_one_person(
    analyst: SqlSession, tmp_path: Path, open_before: bool
) -> None:
    file = tmp_path / "deep" / "history"
    if open_before:
        file.parent.mkdir()
        file.touch()
        file.chmod(0o644)
    typed(analyst, "SELECT 41 AS a;\r.quit\r", file)
    assert "SELECT 41 AS a;" in file.read_text()
    assert file.stat().st_mode & 0o077 == 0
    assert "a\n41\n" in typed(analyst, "\x10\x10\r.quit\r", file)


@pytest.mark.parametrize(
    ("text", "finished"),
    [
        ("", True),
        ("SELECT 1", False),
        ("SELECT 1;", True),
        ("SELECT 1; ", True),
        (".tables", True),
        ("exit", True),
    ],
)
def test_enter_runs_what_is_finished(text: str, finished: bool) -> None:
    assert is_finished(text) is finished


SHELL = """
import sys
from conversion_platform.settings import load_settings
from conversion_platform.cli.sql_shell import run_sql
run_sql(load_settings(sys.argv[1]))
"""


def read_until(terminal: int, words: str, seconds: float = 60) -> str:
    seen, until = "", time.monotonic() + seconds
    while words not in seen and time.monotonic() < until:
        if select.select([terminal], [], [], 0.2)[0]:
            seen += os.read(terminal, 65536).decode(errors="replace")
    assert words in seen, seen
    return seen


@contextmanager
def on_a_terminal(settings: Settings, home: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The prompt in a process of its own, and the end of its terminal that a person types at."""
    here, there = pty.openpty()
    terminal = {"TERM": "xterm", "COLUMNS": "100", "PROMPT_TOOLKIT_NO_CPR": "1"}
    environment = os.environ | terminal | {"HOME": str(home)}
    command = [sys.executable, "-c", SHELL, str(settings.file)]
    it = subprocess.Popen(command, stdin=there, stdout=there, stderr=there, env=environment)
    try:
        read_until(here, "sql>")
        yield it, here
    finally:
        it.kill()
        it.wait()
        os.close(here)
        os.close(there)


def ends_well(process: subprocess.Popen[bytes], terminal: int) -> bool:
    """Whether a process that is told to leave does so; reads what it says meanwhile."""
    until = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < until:
        if select.select([terminal], [], [], 0.1)[0]:
            os.read(terminal, 65536)
    return process.poll() == 0


def test_the_prompt_on_a_real_terminal(filled: Settings, tmp_path: Path) -> None:
    with on_a_terminal(filled, tmp_path) as (process, terminal):
        os.write(terminal, b"SELECT 40 + 2 AS answer;\r")
        read_until(terminal, "42")
        os.write(terminal, b".quit\r")
        assert ends_well(process, terminal)
    assert (tmp_path / ".local/state/conversion-platform/sql_history").exists()


def test_ctrl_c_ends_the_running_query_and_not_the_prompt(filled: Settings, tmp_path: Path) -> None:
    with on_a_terminal(filled, tmp_path) as (process, terminal):
        os.write(terminal, b"SELECT count(*) FROM range(1000000000000);\r")
        time.sleep(1)
        process.send_signal(signal.SIGINT)  # as the terminal does at Ctrl-C
        read_until(terminal, "Query cancelled.", seconds=10)
        os.write(terminal, b"SELECT 40 + 2 AS answer;\r")
        read_until(terminal, "42", seconds=10)
        os.write(terminal, b"exit\r")
        assert ends_well(process, terminal)


def test_statements_come_from_a_pipe_too(filled: Settings) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SHELL, str(filled.file)],
        input="SELECT 40 + 2 AS answer;",
        capture_output=True,
        text=True,
        check=True,
    )
    assert "42" in done.stdout


def test_times_are_shown_in_utc(analyst: SqlSession) -> None:
    found: list[dict[str, Any]] = json.loads(
        ask(analyst, "SELECT occurred_at AS t FROM log_reply", "json")
    )
    assert found == [{"t": "2026-03-02 16:00:00+00"}]
