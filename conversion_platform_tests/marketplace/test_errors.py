"""Each fault of a source ends in one message: what, where, what to do. Nothing half written."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import psycopg
import pytest

from conversion_platform.errors import SettingsError, SourceError
from conversion_platform.marketplace import EVENTS, USERS
from conversion_platform_tests.marketplace import world
from conversion_platform_tests.marketplace.world import World, write_csv, write_parquet
from conversion_platform_tests.servers import PostgresServer, S3Server, free_port
from conversion_platform_tests.snapshots import keep


def _users(place: str) -> str:
    return f"[sources.users]\n{place}\n"


def _fault(built: World, *parts: str) -> str:
    """The message of loading users, which must hold `parts` and say what to do."""
    with pytest.raises(SourceError) as caught:
        built.load_users()
    message = str(caught.value)
    for part in parts:
        assert part in message
    assert caught.value.remedy.strip()
    assert list((built.folder / "lake/.staging").glob("*")) == []
    return message


def _cut(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])


def test_a_missing_file_names_the_setting_and_the_file_that_is_near(tmp_path: Path) -> None:
    write_csv(world.USERS, tmp_path / "users.csv")
    _fault(World(tmp_path, _users('path = "user.csv"')), "sources.users.path", "`users.csv`")


@pytest.mark.parametrize(
    ("path", "part"), [("in/*.csv", "no file matches"), ("in", "has no data file")]
)
def test_a_place_without_files_says_so(tmp_path: Path, path: str, part: str) -> None:
    (tmp_path / "in").mkdir()
    _fault(World(tmp_path, _users(f'path = "{path}"')), part)


@pytest.mark.parametrize(("content", "part"), [("", "empty"), ("user_id,region\n", "has no row")])
def test_an_empty_csv_says_that_there_are_no_users(tmp_path: Path, content: str, part: str) -> None:
    (tmp_path / "users.csv").write_text(content)
    _fault(World(tmp_path, _users('path = "users.csv"')), "users.csv", part)


def test_a_parquet_file_that_is_named_csv_says_what_it_is(tmp_path: Path) -> None:
    write_parquet(world.USERS, tmp_path / "users.csv")
    message = _fault(World(tmp_path, _users('path = "users.csv"')), "users.csv is a Parquet file")
    assert 'Name it `.parquet`, or set sources.users.format = "parquet".' in message
    write_parquet(world.USERS + " LIMIT 0", tmp_path / "users.csv")
    _fault(World(tmp_path, _users('path = "users.csv"')), "users.csv is a Parquet file")


@pytest.mark.parametrize(
    ("start", "said"),
    [
        (gzip.compress(b"user_id\n1\n", mtime=0), "users.csv is a gzip file"),
        (b"PK\x03\x04\x14\x00", "users.csv is a ZIP archive"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "users.csv is an old workbook of Excel"),
        (b"\x28\xb5\x2f\xfd\x24", "users.csv is a Zstandard file"),
        (b"SQLite format 3\x00", "users.csv is an SQLite database"),
    ],
)
def test_a_file_of_another_format_that_is_named_csv_says_what_it_is(
    tmp_path: Path, start: bytes, said: str
) -> None:
    (tmp_path / "users.csv").write_bytes(start)
    _fault(World(tmp_path, _users('path = "users.csv"')), said, "its name does not say so")


def test_a_title_above_the_header_proposes_the_row_of_the_header(tmp_path: Path) -> None:
    text = "All applicants\n\nPrinted on 2026-03-01, by us\nuser_id,region,pay\n1,a,2\n"
    (tmp_path / "users.csv").write_text(text)
    _fault(World(tmp_path, _users('path = "users.csv"')), "sources.users.header_row = 4")


def test_a_header_row_below_the_end_of_a_file_says_so(tmp_path: Path) -> None:
    (tmp_path / "users.csv").write_text("user_id\n1\n")
    toml = _users('path = "users.csv"\nheader_row = 3')
    _fault(World(tmp_path, toml), "users.csv is empty", "in row 3 or below")


def test_an_empty_parquet_says_that_there_are_no_users_at_all(tmp_path: Path) -> None:
    write_parquet("SELECT 1 AS user_id WHERE false", tmp_path / "users.parquet")
    _fault(World(tmp_path, _users('path = "users.parquet"')), "no users exist")


def test_users_of_which_every_row_is_rejected_are_an_error_with_the_reasons(tmp_path: Path) -> None:
    write_parquet("SELECT NULL::INT AS user_id FROM range(3)", tmp_path / "users.parquet")
    _fault(
        World(tmp_path, _users('path = "users.parquet"')), "missing_id 3", "row 1: user_id is empty"
    )


def test_an_empty_events_source_is_an_error(tmp_path: Path) -> None:
    built = World(tmp_path).fill(events=f"SELECT * FROM ({world.EVENTS}) WHERE false")
    with pytest.raises(SourceError, match="no events exist"):
        built.load()


def test_a_parquet_file_cut_in_the_middle_is_named(tmp_path: Path) -> None:
    write_parquet("SELECT range AS user_id FROM range(1000)", tmp_path / "users/a.parquet")
    write_parquet("SELECT range AS user_id FROM range(1000)", tmp_path / "users/b.parquet")
    _cut(tmp_path / "users/b.parquet")
    _fault(World(tmp_path, _users('path = "users"')), "b.parquet", "not a whole Parquet file")


def test_a_gz_file_cut_in_the_middle_is_named_and_what_was_loaded_stays(tmp_path: Path) -> None:
    query = "SELECT range AS user_id, md5(range::VARCHAR) AS x FROM range(2000)"
    file = write_csv(query, tmp_path / "users.csv.gz")
    built = World(tmp_path, _users('path = "users.csv.gz"')).fill()
    built.load_users()
    _cut(file)
    _fault(built, "users.csv.gz", "cut off in the middle")
    assert len(built.rows(USERS, "user_id")) == 2000


def test_a_wrong_delimiter_says_what_the_header_looks_like(tmp_path: Path) -> None:
    write_csv(world.USERS, tmp_path / "users.csv", ";")
    toml = _users('path = "users.csv"\ndelimiter = ","')
    _fault(World(tmp_path, toml), "separated by ';'", "sources.users.delimiter")


def test_a_mapped_column_that_is_not_there_names_the_nearest(tmp_path: Path) -> None:
    write_csv("SELECT 1 AS applicant_id", tmp_path / "users.csv")
    toml = _users('path = "users.csv"\ncolumns = { user_id = "aplicant_id" }')
    _fault(World(tmp_path, toml), "sources.users.columns.user_id", "`applicant_id`")


def test_a_required_column_that_is_not_there_names_the_nearest(tmp_path: Path) -> None:
    write_csv("SELECT 1 AS userid", tmp_path / "users.csv")
    _fault(World(tmp_path, _users('path = "users.csv"')), "`user_id`", "Did you mean `userid`?")


def test_a_mapping_of_no_contract_column_names_the_nearest(tmp_path: Path) -> None:
    write_csv("SELECT 1 AS user_id", tmp_path / "users.csv")
    toml = _users('path = "users.csv"\ncolumns = { user_ids = "user_id" }')
    _fault(World(tmp_path, toml), "`user_ids` is not a contract column", "`user_id`")


def test_an_attribute_that_is_not_there_names_the_nearest(tmp_path: Path) -> None:
    write_csv("SELECT 1 AS user_id, 2 AS experience", tmp_path / "users.csv")
    toml = _users('path = "users.csv"\nattributes = ["experiense"]')
    built = World(tmp_path, toml).fill()
    _fault(built, "sources.users.attributes", "`experience`")


def test_a_type_that_changes_between_files_costs_the_cells_that_do_not_fit(tmp_path: Path) -> None:
    write_parquet("SELECT 1 AS user_id, 1.5 AS desired_pay", tmp_path / "users/a.parquet")
    write_parquet("SELECT 2 AS user_id, 'a lot' AS desired_pay", tmp_path / "users/b.parquet")
    loaded = World(tmp_path, _users('path = "users"')).fill().load_users()
    assert [(one.column, one.reason, one.rows) for one in loaded.unread] == [
        ("desired_pay", "not_a_number", 1)
    ]
    assert loaded.accepted_rows == 2


def test_an_unknown_extension_lists_the_known_ones(tmp_path: Path) -> None:
    (tmp_path / "users.xlsx").write_bytes(b"PK")
    _fault(World(tmp_path, _users('path = "users.xlsx"')), "users.xlsx", ".parquet", "format")


def test_parquet_and_csv_in_one_folder_are_refused(tmp_path: Path) -> None:
    write_parquet(world.USERS, tmp_path / "in/a.parquet")
    write_csv(world.USERS, tmp_path / "in/b.csv")
    _fault(World(tmp_path, _users('path = "in"')), "mixes Parquet and CSV")


@pytest.mark.parametrize("sql", ["SELEC 1", "SELECT nothing FROM views", "SELECT * FROM vews"])
def test_a_wrong_query_names_the_setting_and_what_duckdb_says(tmp_path: Path, sql: str) -> None:
    write_csv("SELECT 1 AS who", tmp_path / "views.csv")
    toml = f'[inputs.views]\npath = "views.csv"\n{_users(f"sql = {chr(34)}{sql}{chr(34)}")}'
    _fault(World(tmp_path, toml), "sources.users.sql", "views")


@pytest.mark.parametrize(
    "failing",
    [
        *("CAST(said AS DATE)", "CAST(said AS INTEGER)", "strptime(said, '%Y')", "error(said)"),
        *("json_extract('{' || said, '$.a')", "timezone(said, now())", "CAST([said] AS INTEGER[])"),
        *("regexp_matches('a', said || '(')", "date_part(said, now())", "from_base64(said)"),
        *("CAST(CAST(phone AS BIGINT) AS INTEGER)", "CAST(CAST(phone AS BIGINT) AS DECIMAL(5, 1))"),
        *("CAST(phone AS BIGINT) * 9000000000", "make_date(CAST(phone AS BIGINT), 1, 1)"),
    ],
)
def test_a_value_over_which_a_query_fails_is_not_shown(tmp_path: Path, failing: str) -> None:
    write_csv(
        "SELECT 'Maria O''Brien +1 512 555 0199' AS said, '5125550199' AS phone",
        tmp_path / "views.csv",
    )
    sql = _users(f'sql = """SELECT {failing} AS user_id FROM views"""')
    message = _fault(
        World(tmp_path, f'[inputs.views]\npath = "views.csv"\n{sql}'), "sources.users.sql"
    )
    assert not re.search(r"0199|Maria|Brien|512", message), message


@pytest.mark.parametrize(
    "failing",
    [
        *("said::integer", "said::date", "to_date(said, 'YYYY')", "phone::bigint::integer"),
        *("raised(said)", "('{' || said)::json", "(phone::bigint * 9000000000)::text"),
    ],
)
def test_a_value_over_which_postgres_fails_is_not_shown(
    tmp_path: Path, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    dsn = postgres.new_database()
    monkeypatch.setenv("BOARD_DSN", dsn)
    with psycopg.connect(dsn, autocommit=True) as con:
        con.execute(
            "CREATE TABLE t AS SELECT 'Maria O''Brien 512'::text AS said, '5125550199' AS phone"
        )
        con.execute(
            "CREATE OR REPLACE FUNCTION raised(said text) RETURNS text AS $$ BEGIN "
            "RAISE EXCEPTION '% has no name', said; END $$ LANGUAGE plpgsql"
        )
    query = f"SELECT {failing} AS user_id FROM t"
    toml = _users(f'format = "postgres"\nquery = """{query}"""\ndsn_env = "BOARD_DSN"')
    message = _fault(World(tmp_path, toml), "sources.users.query")
    assert not re.search(r"0199|Maria|Brien|512", message), message


SPANS = "Zqmulti\nZqline"
QUOTES = """Zq O'Brien" to\n\nLINE 1: 'Zqmore' to INT32 when casting from source column Zqname"""
FILE = "my file: resume_Zqfile.pdf"


@pytest.mark.parametrize("cell", [SPANS, QUOTES, FILE])
@pytest.mark.parametrize(
    "failing",
    [
        *("m::INT", "m::JSON", "m::DATE", "m::TIMESTAMPTZ", "m::DECIMAL(5, 1)", "m::BIT"),
        *("[m]::INT[]", "m::STRUCT(a INT)", "error(m)", "strptime(m, '%Y')", "unhex(m)"),
        *("json_extract('{' || m, '$.a')", "timezone(m, now())", "date_part(m, now())"),
        *("from_base64(m)", "regexp_matches('a', m || '(')", "m::ENUM('a', 'b')"),
        "error('Failed to read file \"' || m || '\": no')",
        "error('No magic bytes found at end of file ''' || m || '''')",
    ],
)
def test_a_cell_with_lines_quotes_or_a_file_name_in_it_is_not_shown(
    tmp_path: Path, failing: str, cell: str
) -> None:
    message = _fault_over(tmp_path, cell, failing)
    assert "Zq" not in message
    assert "sources.users.sql cannot be read: " in message


@pytest.mark.parametrize(
    "cell",
    [
        *("No space left on device", "max_temp_directory_size", "Unexpected end of GZIP stream"),
        *('Cannot open file "a.csv": Permission denied', "corrupt parquet", "file: a.csv"),
        'No files found that match the pattern "a.csv"',
    ],
)
@pytest.mark.parametrize("failing", ["m::INT", "error(m)"])
def test_a_cell_that_reads_like_a_failure_of_files_or_the_disk_is_taken_for_none(
    tmp_path: Path, failing: str, cell: str
) -> None:
    message = _fault_over(tmp_path, cell, failing)
    assert "sources.users.sql cannot be read: " in message
    assert "a.csv" not in message
    assert "Parquet" not in message


def test_the_type_and_the_column_of_a_value_that_is_not_shown_are(tmp_path: Path) -> None:
    message = _fault_over(tmp_path, SPANS, "m::INT")
    said = "Could not convert string (a value) to INT32 when casting from source column m\n"
    assert said in message


def _fault_over(folder: Path, cell: str, failing: str) -> str:
    """The message of loading users by a query that fails over the cell `m`."""
    quoted = cell.replace("'", "''")
    write_parquet(f"SELECT '{quoted}' AS m", folder / "cells.parquet")
    query = failing.replace("\\", "\\\\").replace('"', '\\"')
    sql = _users(f'sql = """SELECT {query} AS user_id FROM cells"""')
    return _fault(World(folder, f'[inputs.cells]\npath = "cells.parquet"\n{sql}'))


@pytest.mark.parametrize("cell", ["Zqpg Anna\nZqline2", "zq_schmidt", "Zq O''Brien \"x"])
@pytest.mark.parametrize(
    "failing", ["m::integer", "m::regclass::text", "current_setting(m)", "m::date", "m::json"]
)
def test_a_cell_over_which_postgres_fails_is_not_shown_whatever_the_error_says(
    tmp_path: Path,
    postgres: PostgresServer,
    monkeypatch: pytest.MonkeyPatch,
    failing: str,
    cell: str,
) -> None:
    dsn = postgres.new_database()
    monkeypatch.setenv("BOARD_DSN", dsn)
    with psycopg.connect(dsn, autocommit=True) as con:
        con.execute(f"CREATE TABLE t AS SELECT '{cell}'::text AS m")
        con.execute(f"CREATE VIEW v AS SELECT {failing} AS user_id FROM t")
    toml = _users('format = "postgres"\ntable = "v"\ndsn_env = "BOARD_DSN"')
    message = _fault(World(tmp_path, toml), "sources.users", "SQLSTATE")
    assert "zq" not in message.lower()


def test_an_input_that_is_missing_names_the_input(tmp_path: Path) -> None:
    toml = '[inputs.views]\npath = "views.csv"\n' + _users('sql = "SELECT * FROM views"')
    _fault(World(tmp_path, toml), "inputs.views.path")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id AS user_id, 'views' AS region, id AS views FROM people -- views",
        "WITH views AS (FROM people) SELECT id AS user_id FROM views",
        "SELECT id AS user_id FROM People AS views;",
        'SELECT id AS user_id FROM (FROM "people") JOIN people USING (id)',
    ],
)
def test_an_input_that_no_query_reads_need_not_be_there(tmp_path: Path, sql: str) -> None:
    write_csv("SELECT 1 AS id", tmp_path / "people.csv")
    toml = '[inputs.views]\npath = "views.csv"\n[inputs.people]\npath = "people.csv"\n'
    built = World(tmp_path, toml + _users(f'sql = """{sql}"""'))
    assert built.fill().load_users().accepted_rows == 1


@pytest.mark.parametrize(
    "sql",
    [
        "WITH views AS (FROM views) SELECT * FROM views",
        "SELECT * FROM people WHERE EXISTS (FROM VIEWS)",
        "PIVOT views ON id USING count(*)",
    ],
)
def test_an_input_is_read_wherever_a_query_names_it(tmp_path: Path, sql: str) -> None:
    write_csv("SELECT 1 AS id", tmp_path / "people.csv")
    toml = '[inputs.views]\npath = "views.csv"\n[inputs.people]\npath = "people.csv"\n'
    _fault(World(tmp_path, toml + _users(f'sql = "{sql}"')), "inputs.views.path")


def test_a_bucket_that_is_not_there_says_what_to_check(
    tmp_path: Path, s3_environment: S3Server
) -> None:
    toml = _users('path = "s3://no-such-bucket-here/users.csv"')
    _fault(World(tmp_path, toml), "sources.users", "no-such-bucket-here", "Create the bucket")


def test_a_wrong_postgres_table_is_named_and_the_dsn_is_not(
    tmp_path: Path, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOARD_DSN", postgres.new_database())
    toml = _users('format = "postgres"\ntable = "nobody"\ndsn_env = "BOARD_DSN"')
    message = _fault(World(tmp_path, toml), '"nobody" does not exist', "sources.users.table")
    assert "quite-secret" not in message


def test_a_postgres_that_is_down_is_named_by_its_variable_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOARD_DSN", f"postgresql://me:quite-secret@127.0.0.1:{free_port()}/x")
    toml = _users('format = "postgres"\ntable = "users"\ndsn_env = "BOARD_DSN"')
    message = _fault(World(tmp_path, toml), "BOARD_DSN", "cannot be reached")
    assert "quite-secret" not in message


def test_a_dsn_that_is_no_dsn_is_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOARD_DSN", "quite-secret")
    toml = _users('format = "postgres"\ntable = "users"\ndsn_env = "BOARD_DSN"')
    assert "quite-secret" not in _fault(World(tmp_path, toml), "BOARD_DSN")


def test_a_dsn_that_is_not_set_names_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BOARD_DSN", raising=False)
    toml = _users('format = "postgres"\ntable = "users"\ndsn_env = "BOARD_DSN"')
    with pytest.raises(SettingsError, match="BOARD_DSN"):
        World(tmp_path, toml).load_users()


def test_a_postgres_cut_off_in_the_middle_of_a_table_leaves_the_old_rows(
    tmp_path: Path, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    dsn = postgres.new_database()
    monkeypatch.setenv("BOARD_DSN", dsn)
    toml = _users(
        'format = "postgres"\nquery = "SELECT i AS user_id FROM t"\ndsn_env = "BOARD_DSN"'
    )
    built = World(tmp_path, toml).fill()
    with psycopg.connect(dsn, autocommit=True) as con:
        con.execute("CREATE TABLE t AS SELECT 1 AS i")
        built.load_users()
        con.execute(
            "CREATE OR REPLACE FUNCTION boom(i bigint) RETURNS bigint AS $$ BEGIN "
            "IF i > 120000 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF; "
            "RETURN i; END $$ LANGUAGE plpgsql"
        )
        con.execute("DROP TABLE t")
        con.execute("CREATE VIEW t AS SELECT boom(g) AS i FROM generate_series(1, 200000) g")
        _fault(built, "sources.users")
    assert built.rows(USERS, "user_id") == [("1",)]


def test_a_day_before_the_data_starts_is_empty_and_says_when_it_starts(tmp_path: Path) -> None:
    built = World(tmp_path).fill()
    with built.session() as session:
        from datetime import date

        from conversion_platform.days import DayRange
        from conversion_platform.marketplace import load_events, load_jobs, load_users

        load_users(session)
        load_jobs(session)
        keep(session)
        loaded = load_events(session, DayRange.of(date(2025, 12, 20)))
    assert loaded.read_rows == 0
    assert "2025-12-20" in loaded.notes[0]
    assert "2026-01-02 to 2026-01-03" in loaded.notes[0]
    assert built.rows(EVENTS) == []
