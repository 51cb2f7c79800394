"""`conversion-platform sql`: queries of the lake and the log, one at a time or at a prompt.

Nothing can be written from here, and nothing personal read unless it is asked for. Statements that
are not queries are refused by their kind, and the session itself may open the views' files only
(`analyst_session`).
"""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from conversion_platform.catalog import attach_views, catalog, personal_columns
from conversion_platform.cli.sql_output import ONE_RESULT, write_result
from conversion_platform.cli.sql_statements import statements
from conversion_platform.errors import PlatformError, QueryError
from conversion_platform.lake import (
    PERSONAL_FOLDER,
    PRIVATE_FILE,
    Session,
    escape_glob,
    failure_of,
    make_private,
    open_lake,
    quoted,
)

if TYPE_CHECKING:
    import duckdb
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import Completer
    from prompt_toolkit.history import History

    from conversion_platform.lake import Lake
    from conversion_platform.settings import Settings

HELP = """\
End a query with ; to run it. Tab completes names, the arrow keys bring back earlier queries.
  .tables        the views, with what they hold
  .schema NAME   the columns of a view
  .help          this text
  .quit          leave; so do .exit, quit, exit, \\q and Ctrl-D
Ctrl-C clears the line; while a query runs, it cancels the query.
"""
ADD_PERSONAL = "add --personal to read it."
NOT_LISTED = (
    "A column of users or jobs that `sources.*.attributes` does not list lies in users_contacts or "
    "jobs_contacts, which --personal opens."
)
LEAVE = (".quit", ".exit", "quit", "exit", "\\q")
LOOK = (
    "`.tables` lists the views, `.schema NAME` the columns of one: `sql .tables`, or at the prompt."
)


def run_sql(
    settings: Settings,
    query: str | None = None,
    output_format: str = "table",
    personal: bool = False,
    lake: Lake | None = None,
    out: TextIO | None = None,
) -> None:
    """Answer `query`, or what comes from standard input, or opens the prompt on a terminal.

    Args:
        settings: They name the lake.
        query: Statements, or a command of the prompt such as `.tables`; None for standard input
            or the prompt.
        output_format: `table`, `csv` or `json`.
        personal: Whether personal tables can be read: phone numbers, names, places of people.
        lake: The lake, if the caller has opened it.
        out: Where answers go; standard output if not given.

    Raises:
        QueryError: the query is not one, or cannot be answered.
        LakeError: a file of the lake is damaged.
        KeyboardInterrupt: the query was cancelled.
    """
    out = out or sys.stdout
    with analyst_session(settings, lake or open_lake(settings), personal) as analyst:
        if query is None and sys.stdin.isatty():
            prompt(analyst, new_prompt(analyst, history_file()), output_format, out)
        else:
            text = sys.stdin.read() if query is None else query
            with ctrl_c_cancels(analyst.con):
                _answer(analyst, text, output_format, out)


@dataclass(frozen=True)
class SqlSession:
    """A sealed connection, the lake that knows what its errors mean, and what may be shown."""

    con: duckdb.DuckDBPyConnection
    lake: Lake
    personal: bool = False


@contextmanager
def analyst_session(settings: Settings, lake: Lake, personal: bool = False) -> Iterator[SqlSession]:
    """Open a session with every view in place that can open the views' files and no other.

    Its configuration is locked, so that no statement can widen it.

    Args:
        settings: They name the lake.
        lake: The lake.
        personal: Whether personal tables have a view, and their files can be opened.
    """
    with lake.connect(reading=True) as con:
        attach_views(Session(settings, lake, con), personal)
        apart = lake.storage.location(f"{PERSONAL_FOLDER}/")
        opened = [file for file in lake.handed_out if personal or not file.startswith(apart)]
        read = {*opened, *map(escape_glob, opened)}  # DuckDB asks for both
        files = ", ".join(map(quoted, sorted(read)))
        con.execute(f"SET allowed_paths = [{files}]")
        con.execute("SET python_enable_replacements = false")  # variables of this process
        con.execute("SET enable_external_access = false")
        con.execute("SET lock_configuration = true")
        yield SqlSession(con, lake, personal)


def answer_all(analyst: SqlSession, text: str, output_format: str, out: TextIO) -> None:
    """Answer every statement of `text` in turn.

    Raises:
        QueryError: a statement is no query, or there are several where a program reads one
            result (then none is run), or one cannot be answered.
        LakeError: a file of the lake is damaged.
        KeyboardInterrupt: the query was cancelled (`ctrl_c_cancels`).
    """
    import duckdb

    found = statements(text)
    if len(found) > 1 and output_format in ONE_RESULT:
        raise QueryError(
            f"There are {len(found)} statements, and --format {output_format} holds one result.",
            "Ask them one at a time, or with --format table.",
        )
    for statement in found:
        try:
            with analyst.lake.readable_errors():
                write_result(analyst.con.sql(statement), output_format, out)
        except duckdb.InterruptException:
            raise KeyboardInterrupt from None
        except duckdb.Error as error:
            raise _readable(error, analyst.personal) from None


@contextmanager
def ctrl_c_cancels(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Let Ctrl-C end the query under way, wherever DuckDB is, and nothing else."""
    before = signal.signal(signal.SIGINT, lambda _number, _frame: con.interrupt())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _readable(error: duckdb.Error, personal: bool) -> PlatformError:
    import duckdb

    if isinstance(error, duckdb.CatalogException | duckdb.BinderException):
        return QueryError(str(error), LOOK if personal else _look(error))
    if isinstance(error, duckdb.PermissionException):
        return QueryError(f"The prompt reads views, not other files. {error}", LOOK)
    return QueryError(str(error), "Correct the query and run it again.")


def _look(error: duckdb.Error) -> str:
    failure = failure_of(error)
    columns, tables = personal_columns(), {entry.name for entry in catalog() if entry.personal}
    if failure.column in columns:
        return f"`{failure.column}` lies in {columns[failure.column]}: {ADD_PERSONAL} {LOOK}"
    if failure.table in tables:
        return f"`{failure.table}` is a personal table: {ADD_PERSONAL} {LOOK}"
    if failure.column:
        return f"{LOOK} {NOT_LISTED}"
    return LOOK


def history_file() -> Path:
    """Return the file where the prompt keeps its history, for the one person who types."""
    return Path.home() / ".local" / "state" / "conversion-platform" / "sql_history"


def new_prompt(analyst: SqlSession, history: Path | None, **terminal: Any) -> PromptSession[str]:
    """Return a prompt that reads until `;`, with history, colours and completion.

    Args:
        analyst: The session, for the names of views and columns.
        history: File of earlier queries; None, or a place that cannot be written, for none.
        terminal: `input` and `output` of prompt_toolkit, for tests.
    """
    from prompt_toolkit import PromptSession
    from prompt_toolkit.application import get_app
    from prompt_toolkit.filters import Condition
    from prompt_toolkit.lexers import PygmentsLexer
    from pygments.lexers.sql import SqlLexer

    return PromptSession(
        "sql> ",
        completer=completer_of(analyst.con),
        complete_while_typing=False,
        history=_history(history),
        lexer=PygmentsLexer(SqlLexer),
        multiline=Condition(lambda: not is_finished(get_app().current_buffer.text)),
        prompt_continuation="...> ",
        **terminal,
    )


def completer_of(con: duckdb.DuckDBPyConnection) -> Completer:
    """Return a completer of views, columns, keywords and, at the start, commands."""
    from prompt_toolkit.completion import WordCompleter

    # The pattern is matched from the cursor backwards: a dot belongs to a word at the start only.
    pattern = re.compile(r"\w+(\.$)?|\.$")
    return WordCompleter([*_words(con), *COMMANDS, *LEAVE[:2]], ignore_case=True, pattern=pattern)


def _words(con: duckdb.DuckDBPyConnection) -> list[str]:
    columns = con.execute(
        "SELECT DISTINCT column_name FROM duckdb_columns() WHERE NOT internal"
    ).fetchall()
    keywords = ["SELECT", "FROM", "WHERE", "GROUP BY", "ORDER BY", "LIMIT", "JOIN", "count(*)"]
    return sorted({row[0] for row in columns} | set(view_names(con))) + keywords


def _history(file: Path | None) -> History:
    from prompt_toolkit.history import FileHistory, InMemoryHistory

    if file is None:
        return InMemoryHistory()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(PRIVATE_FILE)
        make_private(file)  # an earlier one may be open: queries name people
    except OSError:
        return InMemoryHistory()
    return FileHistory(str(file))


def is_finished(text: str) -> bool:
    """Whether Enter runs what was typed: nothing, a command, or a query that ends with `;`."""
    stripped = text.strip()
    return not stripped or stripped[0] in ".\\" or stripped[-1] == ";" or leaves(stripped)


def leaves(text: str) -> bool:
    """Whether a text is one of the words that leave psql's or duckdb's prompt."""
    return text.rstrip("; ").lower() in LEAVE


def prompt(
    analyst: SqlSession, session: PromptSession[str], output_format: str, out: TextIO
) -> None:
    """Read and answer until a word of `LEAVE` or the end of input. An error ends its query only."""
    out.write(
        "Questions to the lake and the event log. `.help` explains; nothing can be changed.\n"
    )
    while True:
        try:
            text = session.prompt().strip()
        except KeyboardInterrupt:
            continue
        except EOFError:
            return
        if leaves(text):
            return
        _answer_or_say_why(analyst, text, output_format, out)


def _answer_or_say_why(analyst: SqlSession, text: str, output_format: str, out: TextIO) -> None:
    try:
        with ctrl_c_cancels(analyst.con):
            _answer(analyst, text, output_format, out)
    except KeyboardInterrupt:
        out.write("Query cancelled.\n")
    except PlatformError as error:
        out.write(f"{error}\n")


def _answer(analyst: SqlSession, text: str, output_format: str, out: TextIO) -> None:
    """Answers commands, each on a line of its own, and then every statement of a text."""
    text = text.strip()
    if text[:1] not in (".", "\\"):
        answer_all(analyst, text, output_format, out)
        return
    line, _, further = text.partition("\n")
    name, *arguments = line.rstrip("; ").split(maxsplit=1)
    if name in LEAVE:
        return
    if name not in COMMANDS:
        raise QueryError(
            f"There is no command {name}.", f"Commands: {', '.join([*COMMANDS, *LEAVE[:2]])}."
        )
    result = COMMANDS[name](analyst.con, "".join(arguments))
    if isinstance(result, str):
        out.write(result)
    else:
        write_result(result, output_format, out)
    if further:
        _answer(analyst, further, output_format, out)


def view_names(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the views of the session, in the order of the stages."""
    query = "SELECT view_name FROM duckdb_views() WHERE NOT internal ORDER BY view_oid"
    return [row[0] for row in con.execute(query).fetchall()]


def _tables(con: duckdb.DuckDBPyConnection, _: str) -> duckdb.DuckDBPyRelation:
    described = {entry.name: entry.description for entry in catalog()}
    described["event_log"] = "Every event of every type, with the columns that they share."
    names = view_names(con)
    return con.sql(
        'SELECT unnest(?) AS "view", unnest(?) AS "what it holds"',
        params=[names, [described[name] for name in names]],
    )


def _schema(con: duckdb.DuckDBPyConnection, name: str) -> duckdb.DuckDBPyRelation:
    if name not in view_names(con):
        raise QueryError(f"There is no view `{name}`.", "`.tables` lists the views.")
    columns = [column for entry in catalog() if entry.name == name for column in entry.columns]
    described = "map(?::VARCHAR[], ?::VARCHAR[])[column_name]"
    return con.sql(
        f'SELECT column_name AS "column", column_type AS "type", '
        f'coalesce({described}, \'\') AS "what it holds" FROM (DESCRIBE "{name}")',
        params=[[column.name for column in columns], [column.description for column in columns]],
    )


def _help(_con: duckdb.DuckDBPyConnection, _argument: str) -> str:
    return HELP


COMMANDS: dict[str, Callable[[duckdb.DuckDBPyConnection, str], duckdb.DuckDBPyRelation | str]] = {
    ".tables": _tables,
    ".schema": _schema,
    ".help": _help,
}
