"""Attacks on the `sql` session: no personal value is shown, no file is written."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from conversion_platform.catalog import viewed_tables
from conversion_platform.cli.sql_shell import SqlSession, analyst_session, answer_all
from conversion_platform.days import DayRange
from conversion_platform.errors import PlatformError
from conversion_platform.event_log import EVENT_TYPES, record
from conversion_platform.lake import Lake, Session, open_lake, open_storage
from conversion_platform.marketplace import (
    JOBS,
    JOBS_CONTACTS,
    REJECTED_EVENTS,
    REJECTED_EVENTS_VALUES,
    USERS_CONTACTS,
)
from conversion_platform.settings import Settings, load_settings
from conversion_platform_tests.event_log.small_lake import DAY, PHONE, fill, fill_people, put
from conversion_platform_tests.servers import S3Server

PLANTED = (PHONE, PHONE[-7:], "Zelda", "zelda@", "zf", "Mona Planted", "40.5", "PlantedSecret")
"""Values in personal tables, the ledger and other files, and nowhere else."""

CONTACTS = "{lake}/personal/users_contacts/data.parquet"
VALUES = "{lake}/personal/rejected_users_values/data.parquet"
PROTECTED = "{lake}/personal/users_protected/data.parquet"

NAMED = [
    "FROM users_contacts",
    "SELECT phone FROM users",
    "SELECT users.phone, user_id FROM users",
    "SELECT COLUMNS('phone') FROM users",
    "SELECT COLUMNS(c -> c LIKE '%phone%') FROM users",
    "SELECT * EXCLUDE (user_id) FROM users_contacts",
    "SELECT phone FROM main.users_contacts",
    "SELECT phone FROM memory.main.users_contacts",
    "SELECT phone FROM temp.users_contacts",
    'SELECT "phone" FROM "users_contacts"',
    'SELECT phone FROM "{lake}/personal/users_contacts"',
    "WITH users_contacts AS (SELECT * FROM users_contacts) FROM users_contacts",
    "WITH RECURSIVE r AS (SELECT phone FROM users_contacts UNION ALL FROM r) FROM r",
    "TABLE users_contacts",
    "DESCRIBE users_contacts",
    "SUMMARIZE users_contacts",
    "SHOW users_contacts",
    "SELECT (SELECT max(phone) FROM users_contacts)",
    "SELECT user_id FROM users WHERE (SELECT phone FROM users_contacts) LIKE '+1%'",
    "FROM users_protected",
    "FROM jobs_contacts",
    "FROM rejected_users_values",
    "FROM rejected_events_values",
    "SELECT row_json FROM rejected_users",
    "SELECT detail FROM rejected_events",
    "FROM query('FROM users_contacts')",
    "FROM query_table('users_contacts')",
    "FROM query_table(['users', 'users_contacts'], true)",
    "EXPLAIN SELECT phone FROM users_contacts",
    "EXPLAIN ANALYZE SELECT phone FROM users_contacts",
    "PIVOT users_contacts ON phone USING count(*)",
    "UNPIVOT users_contacts ON phone",
    "SELECT * FROM (PIVOT users_contacts ON phone USING count(*))",
    "SELECT stats(phone) FROM users_contacts",
    "SELECT histogram(phone) FROM users_contacts",
    "FROM histogram(users_contacts, phone)",
    "SELECT u FROM users AS u",
    "SELECT to_json(u) FROM users AS u",
    "SELECT unnest(list(u)) FROM users AS u",
    "SELECT json_group_array(u) FROM rejected_users AS u",
    "SELECT cast(user_id AS INTEGER) FROM users",
    "SELECT error(user_id) FROM users",
]
FILES = [
    f"FROM '{CONTACTS}'",
    f"FROM '{VALUES}'",
    f"FROM '{PROTECTED}'",
    f'FROM "{CONTACTS}"',
    "FROM '{lake}/personal/*/data.parquet'",
    "FROM '{lake}/*/*/data.parquet'",
    "FROM '{lake}/**/*.parquet'",
    "FROM '{lake}/personal/users_contact[s]/data.parquet'",
    "FROM '{lake}/personal/users_contacts/data.parque?'",
    "FROM '{lake}/users/../personal/users_contacts/data.parquet'",
    "FROM '{lake}/users/data.parquet/../../personal/users_contacts/data.parquet'",
    "FROM '{lake}//personal//users_contacts//data.parquet'",
    "FROM '{lake}/./personal/users_contacts/data.parquet'",
    "FROM 'file://{lake}/personal/users_contacts/data.parquet'",
    "FROM 'file:{lake}/personal/users_contacts/data.parquet'",
    "FROM '{base}/link.parquet'",
    "FROM '{base}/users_contacts.csv'",
    f"FROM read_parquet('{CONTACTS}')",
    f"FROM parquet_scan('{CONTACTS}')",
    f"FROM read_parquet(['{{lake}}/users/data.parquet', '{CONTACTS}'], union_by_name = true)",
    f"FROM read_parquet('{CONTACTS}', filename = true, hive_partitioning = true)",
    f"SELECT phone FROM PARQUET_SCAN('{CONTACTS}')",
    "FROM parquet_scan('{lake}/personal/users_contacts/data' || '.par' || 'quet')",
    "FROM parquet_scan(concat('{lake}/pers', 'onal/users_contacts/data.parquet'))",
    "FROM parquet_scan(getvariable('f'))",
    f"FROM read_blob('{CONTACTS}')",
    f"FROM read_text('{CONTACTS}')",
    f"FROM read_csv('{CONTACTS}')",
    f"FROM read_csv_auto('{CONTACTS}', header = false, all_varchar = true)",
    f"FROM read_json('{CONTACTS}')",
    f"FROM read_json_auto('{CONTACTS}')",
    f"FROM read_json_objects('{CONTACTS}')",
    f"FROM read_ndjson('{CONTACTS}')",
    f"FROM read_ndjson_objects('{CONTACTS}')",
    f"FROM read_duckdb('{CONTACTS}')",
    f"FROM sniff_csv('{CONTACTS}')",
    f"FROM parquet_metadata('{CONTACTS}')",
    f"FROM parquet_file_metadata('{CONTACTS}')",
    f"FROM parquet_full_metadata('{CONTACTS}')",
    f"FROM parquet_kv_metadata('{CONTACTS}')",
    f"FROM parquet_schema('{CONTACTS}')",
    f"FROM parquet_bloom_probe('{CONTACTS}', 'phone', '{PHONE[:2]}')",
    f"SELECT (SELECT max(phone) FROM read_parquet('{CONTACTS}'))",
    f"WITH a AS (FROM parquet_scan('{CONTACTS}')) FROM a",
    f"WITH a AS MATERIALIZED (FROM parquet_scan('{CONTACTS}')) SELECT phone FROM a",
    f"SELECT * FROM users JOIN read_parquet('{CONTACTS}') USING (user_id)",
    f"SELECT * FROM users, LATERAL (SELECT phone FROM read_parquet('{CONTACTS}'))",
    f"SELECT user_id FROM users UNION ALL SELECT phone FROM '{CONTACTS}'",
    f"SELECT EXISTS (FROM '{CONTACTS}' WHERE phone LIKE '+1512%')",
    f"PIVOT (SELECT phone, state FROM parquet_scan('{CONTACTS}')) ON state USING max(phone)",
    "PIVOT (SELECT phone FROM parquet_scan('{lake}/personal/users_contacts/data'||'.par'||'quet')) "
    "ON phone USING max(phone)",
    f"PIVOT '{CONTACTS}' ON phone USING count(*)",
    f"UNPIVOT (FROM '{CONTACTS}') ON COLUMNS(*::VARCHAR)",
    f"FROM (PIVOT '{CONTACTS}' ON phone)",
    f"FROM query('FROM read_parquet(''{CONTACTS}'')')",
    f"FROM query_table('{CONTACTS}')",
    f"DESCRIBE SELECT * FROM read_parquet('{CONTACTS}')",
    f"SUMMARIZE SELECT * FROM read_parquet('{CONTACTS}')",
    f"SUMMARIZE '{CONTACTS}'",
    f"EXPLAIN SELECT * FROM read_parquet('{CONTACTS}') WHERE phone = '1'",
    f"EXPLAIN ANALYZE SELECT * FROM read_parquet('{CONTACTS}')",
    f"EXPLAIN (FORMAT json) SELECT * FROM '{CONTACTS}'",
    f"SELECT cast(phone AS INTEGER) FROM '{CONTACTS}'",
    "FROM glob('{lake}/personal/*/*')",
    "FROM glob('/etc/*')",
    "FROM read_text('/etc/hostname')",
    "FROM read_text('{base}/ledger.sqlite')",
    "FROM read_blob('{base}/*')",
    "FROM read_text('{base}/conversion_platform.toml')",
    "FROM read_text('/proc/self/environ')",
    "FROM read_blob('/proc/self/mem')",
    "FROM '/dev/stdin'",
    "FROM read_csv('/dev/fd/0')",
    "FROM sqlite_scan('{base}/ledger.sqlite', 'messages')",
    "FROM postgres_scan('dbname=x', 'public', 'users')",
    "FROM 'http://127.0.0.1:1/x.parquet'",
    "FROM read_csv('https://example.org/x.csv')",
    "FROM 's3://bucket/personal/users_contacts/data.parquet'",
]
WRITES = [
    "COPY (SELECT 1) TO '{lake}/users/data.parquet' (USE_TMP_FILE false)",
    "COPY (SELECT 1) TO '{lake}/new.csv'",
    "COPY users TO '{lake}/new.csv'",
    "COPY users TO STDOUT",
    "COPY (FROM users) TO '/dev/stdout' (FORMAT csv)",
    "COPY (SELECT 1) TO '{lake}/parts' (PARTITION_BY (a), OVERWRITE)",
    "COPY (PIVOT log_outcome ON kind USING count(*)) TO '{lake}/users/data.parquet' "
    "(USE_TMP_FILE false)",
    "COPY (SELECT * FROM (PIVOT log_outcome ON kind)) TO '{lake}/x.parquet'",
    "copy(pivot log_outcome on kind) to '{lake}/x.parquet'",
    "/* PIVOT */ COPY (PIVOT log_outcome ON kind) TO '{lake}/x.parquet'",
    "-- PIVOT\nCOPY (PIVOT log_outcome ON kind) TO '{lake}/x.parquet'",
    "COPY (PIVOT log_outcome ON kind) TO '{lake}/x.parquet') AS a, (SELECT 1",
    "EXPLAIN ANALYZE COPY (SELECT 1) TO '{lake}/users/data.parquet' (USE_TMP_FILE false)",
    "EXPLAIN ANALYZE COPY (PIVOT log_outcome ON kind) TO '{lake}/users/data.parquet' "
    "(USE_TMP_FILE false)",
    "EXPLAIN (ANALYZE) COPY (SELECT 1) TO '{lake}/users/data.parquet' (USE_TMP_FILE false)",
    "EXPLAIN (ANALYZE, FORMAT json) COPY (SELECT 1) TO '{lake}/users/data.parquet' "
    "(USE_TMP_FILE false)",
    "EXPLAIN (FORMAT json) ANALYZE COPY (SELECT 1) TO '{lake}/x' (USE_TMP_FILE false)",
    "EXPLAIN /* x */ ANALYZE COPY (SELECT 1) TO '{lake}/users/data.parquet' (USE_TMP_FILE false)",
    "EXPLAIN -- x\nANALYZE COPY (SELECT 1) TO '{lake}/users/data.parquet' (USE_TMP_FILE false)",
    "/* x */ EXPLAIN ANALYZE COPY (SELECT 1) TO '{lake}/x.parquet'",
    "/* x */ EXPLAIN ANALYZE COPY (PIVOT log_outcome ON kind) TO '{lake}/users/data.parquet' "
    "(USE_TMP_FILE false)",
    "EXPLAIN EXPLAIN ANALYZE COPY (SELECT 1) TO '{lake}/x.parquet'",
    "EXPLAIN ANALYZE CREATE TABLE t AS SELECT 1",
    "EXPORT DATABASE '{lake}/out'",
    "EXPORT DATABASE '{lake}/out' (FORMAT parquet)",
    "IMPORT DATABASE '{lake}'",
    "ATTACH '{lake}/x.duckdb'",
    "ATTACH '{lake}/users/data.parquet' AS x",
    "ATTACH ':memory:' AS x",
    "ATTACH '{base}/ledger.sqlite' AS x (TYPE sqlite)",
    "DETACH memory",
    "USE temp",
    "CREATE TABLE t AS SELECT 1",
    "CREATE TABLE t AS PIVOT log_outcome ON kind USING count(*)",
    "CREATE TEMP TABLE t (a INTEGER)",
    "CREATE OR REPLACE TEMP VIEW users AS SELECT 1",
    f"CREATE VIEW v AS FROM '{CONTACTS}'",
    f"CREATE MACRO m() AS TABLE FROM '{CONTACTS}'",
    "CREATE MACRO m(x) AS x",
    "CREATE TYPE mood AS ENUM (SELECT user_id FROM users)",
    "CREATE SEQUENCE s",
    "CREATE SCHEMA s",
    "CREATE INDEX i ON users (user_id)",
    "CREATE SECRET s (TYPE s3, KEY_ID 'a', SECRET 'b')",
    "CREATE PERSISTENT SECRET s (TYPE s3, KEY_ID 'a', SECRET 'b')",
    "DROP VIEW users",
    "ALTER VIEW users RENAME TO x",
    "COMMENT ON VIEW users IS 'x'",
    "INSERT INTO users SELECT 1",
    "WITH a AS (SELECT 1) INSERT INTO users FROM a",
    "DELETE FROM users",
    "TRUNCATE users",
    "UPDATE users SET user_id = 'x'",
    "MERGE INTO users USING jobs ON true WHEN MATCHED THEN DELETE",
    "SELECT 1; COPY (SELECT 1) TO '{lake}/x.csv'",
    "SELECT 1;; COPY users TO '{lake}/x.csv';",
    "SELECT 1 /* ; */; ATTACH '{lake}/x.db'",
    "PREPARE p AS COPY (SELECT 1) TO '{lake}/x.csv'",
    f"PREPARE p AS FROM '{CONTACTS}'",
    "EXECUTE p",
    "DEALLOCATE p",
    "CHECKPOINT",
    "FORCE CHECKPOINT",
    "FROM checkpoint()",
    "VACUUM",
    "VACUUM ANALYZE",
    "ANALYZE",
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
]
SESSION = [
    "SET enable_external_access = true",
    "SET GLOBAL enable_external_access = true",
    "SET allowed_paths = ['/']",
    "SET allowed_directories = ['/']",
    "SET lock_configuration = false",
    "RESET lock_configuration",
    "RESET allowed_paths",
    "SET VARIABLE f = '/etc/hostname'",
    "SET temp_directory = '{lake}/spill'",
    "SET secret_directory = '{lake}/secrets'",
    "SET log_query_path = '{lake}/log'",
    "SET profiling_output = '{lake}/profile.json'",
    "SET python_enable_replacements = true",
    "SET home_directory = '{lake}'",
    "SET file_search_path = '{lake}/personal'",
    "SET search_path = 'temp'",
    "PRAGMA database_list",
    "PRAGMA enable_profiling = 'json'",
    "PRAGMA profile_output = '{lake}/profile.json'",
    "PRAGMA enable_external_access = true",
    "PRAGMA table_info('users')",
    "PRAGMA import_database('{lake}')",
    "CALL enable_logging(storage = 'file', storage_path = '{lake}/log')",
    "FROM enable_logging(storage = 'file', storage_path = '{lake}/log')",
    "FROM enable_logging('QueryLog', storage = 'file', storage_config = {'path': '{lake}/log'})",
    "FROM enable_profiling('json', save_location = '{lake}/profile.json')",
    "FROM query('FROM enable_logging(storage = ''file'', storage_path = ''{lake}/log'')')",
    "FROM disable_logging()",
    "FROM truncate_duckdb_logs()",
    "SELECT write_log('x', level := 'error')",
    "FROM duckdb_logs()",
    "FROM duckdb_logs_parsed('FileSystem')",
    "INSTALL httpfs",
    "INSTALL sqlite",
    "LOAD httpfs",
    "LOAD '{lake}/x.duckdb_extension'",
    "FORCE INSTALL httpfs FROM core_nightly",
    "UPDATE EXTENSIONS",
    "FROM duckdb_secrets()",
    "FROM duckdb_secrets(redact = false)",
    "FROM which_secret('s3://a', 's3')",
    "FROM duckdb_temporary_files()",
    "FROM duckdb_settings()",
    "FROM duckdb_views()",
    "FROM duckdb_tables()",
    "FROM duckdb_columns()",
    "FROM duckdb_functions()",
    "FROM duckdb_databases()",
    "FROM duckdb_external_file_cache()",
    "FROM duckdb_prepared_statements()",
    "FROM duckdb_memory()",
    "FROM duckdb_extensions()",
    "FROM duckdb_variables()",
    "FROM pragma_database_size()",
    "FROM pragma_storage_info('users')",
    "FROM pragma_table_info('users_contacts')",
    "FROM information_schema.tables",
    "FROM information_schema.columns",
    "SELECT sql FROM sqlite_master",
    "FROM pg_catalog.pg_tables",
    "FROM pg_catalog.pg_views",
    "SHOW ALL TABLES",
    "SELECT current_setting('temp_directory'), current_setting('secret_directory')",
    "SELECT getenv('HOME')",
    "SELECT getvariable('f')",
    "SELECT current_query()",
    f"FROM json_execute_serialized_sql(json_serialize_sql('FROM ''{CONTACTS}'''))",
    "PRAGMA json_execute_serialized_sql('{}')",
    "FROM create_external_resource('file', '{lake}/x')",
    "FROM register_external_resource('{lake}/x')",
    "FROM copy_database('memory', 'x')",
    "FROM import_database('{lake}')",
    "FROM add_parquet_key('k', '0123456789112345')",
    "FROM planted_frame",
    "SELECT * FROM planted_frame JOIN users ON true",
    "FROM seq_scan()",
    "FROM analyst",
]
ATTACKS = [*NAMED, *FILES, *WRITES, *SESSION]

planted_frame = [{"secret": "PlantedSecret"}]
"""A variable of this process, which DuckDB could read as a table."""


def test_there_are_150_attacks_and_none_is_there_twice() -> None:
    assert len(set(ATTACKS)) == len(ATTACKS) >= 150


def _fill(session: Session) -> None:
    fill(session)
    fill_people(session)
    put(session, JOBS, {"job_id": "'j1'", "title": "'Cook'"})
    put(session, JOBS_CONTACTS, {"job_id": "'j1'", "recruiter": "'Mona Planted'"})
    row = {"source": "'e.csv'", "row_number": "1", "reason": "'missing_id'"}
    put(session, REJECTED_EVENTS, row, day=DAY)
    put(session, REJECTED_EVENTS_VALUES, row | {"detail": "'PlantedSecret'"}, day=DAY)
    for kind in EVENT_TYPES:
        record(session, kind.name, DayRange.of(DAY))


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of a lake with planted values, and files with such beside it."""
    base = tmp_path_factory.mktemp("attacked")
    (base / "conversion_platform.toml").write_text("# PlantedSecret\n")
    settings = load_settings(base / "conversion_platform.toml")
    lake = open_lake(settings)
    with lake.connect() as con:
        session = Session(settings, lake, con)
        _fill(session)
        contacts = Path(lake.files(USERS_CONTACTS)[0])
        con.execute(f"COPY (FROM '{contacts}') TO '{base}/users_contacts.csv'")
    (base / "link.parquet").symlink_to(contacts)
    (base / "ledger.sqlite").write_text(f"SQLite {PHONE} PlantedSecret")
    return settings


@pytest.fixture(scope="module")
def analyst(attacked: Settings) -> Iterator[SqlSession]:
    lake = open_lake(attacked)
    for table in viewed_tables(personal=True):
        lake.files(table)  # what was handed out to others is not opened for this session
    with analyst_session(attacked, lake) as session:
        yield session


def _tree(base: Path) -> dict[str, tuple[int, int, int]]:
    found = {}
    for path in sorted(base.rglob("*")):
        facts = path.stat()
        found[str(path)] = (facts.st_mode, facts.st_mtime_ns, facts.st_size)
    return found


def _outcome(analyst: SqlSession, query: str, output_format: str) -> str:
    """Everything that a person would see of an attack."""
    out = io.StringIO()
    try:
        answer_all(analyst, query, output_format, out)
    except PlatformError as error:
        out.write(f"{error} {error.remedy}")
    return out.getvalue()


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_sees_no_planted_value_and_changes_no_file(
    analyst: SqlSession, attacked: Settings, attack: str
) -> None:
    before = _tree(attacked.base)
    query = attack.replace("{lake}", attacked.lake_root).replace("{base}", str(attacked.base))
    shown = "".join(_outcome(analyst, query, form) for form in ("table", "json"))
    assert shown
    asked = query  # an error may repeat the query itself
    assert [value for value in PLANTED if value in shown.replace(asked, "")] == []
    assert _tree(attacked.base) == before


@pytest.mark.parametrize("attack", WRITES)
def test_a_statement_that_is_no_query_is_refused_before_it_reaches_the_session(
    attack: str, attacked: Settings, analyst: SqlSession
) -> None:
    refused = _outcome(analyst, attack.replace("{lake}", attacked.lake_root), "table")
    answered = attack.startswith("FROM checkpoint")
    assert answered or "is not run here" in refused or "Parser Error" in refused, refused


CONFIGURING = [
    one
    for one in ATTACKS
    if one.startswith(("SET ", "RESET ")) and "VARIABLE" not in one and " search_path" not in one
]
BEHIND_THE_PARSER = [
    *("SET memory_limit = '100GB'", "SET threads = 64", "PRAGMA enable_profiling"),
    *("SET TimeZone = 'Asia/Tokyo'", "SET autoinstall_known_extensions = true"),
]


@pytest.mark.parametrize("attack", [*CONFIGURING, *BEHIND_THE_PARSER])
def test_the_session_itself_refuses_a_change_of_its_configuration(
    attack: str, attacked: Settings, analyst: SqlSession
) -> None:
    """The parser lets no such statement through; if it did, the lock would stop it."""
    with pytest.raises(duckdb.Error):
        analyst.con.execute(attack.replace("{lake}", attacked.lake_root))


def test_the_session_is_sealed_by_each_of_its_settings(analyst: SqlSession) -> None:
    names = ("lock_configuration", "enable_external_access", "python_enable_replacements")
    shown = analyst.con.execute(
        f"SELECT {', '.join(f'current_setting({name!r})' for name in names)}"
    ).fetchall()
    assert dict(zip(names, shown[0], strict=True)) == {
        "lock_configuration": True,
        "enable_external_access": False,
        "python_enable_replacements": False,
    }


def test_a_variable_of_this_process_is_no_table(analyst: SqlSession) -> None:
    planted = pa.table({"said": ["PlantedSecret"]})
    with duckdb.connect() as con:
        assert con.sql("FROM planted").fetchall() == [("PlantedSecret",)]
    with pytest.raises(duckdb.CatalogException):
        analyst.con.sql("FROM planted")
    assert planted.num_rows == 1


def test_the_planted_values_can_be_seen_by_those_who_ask_for_them(attacked: Settings) -> None:
    """The attacks would succeed: what they look for is there."""
    with analyst_session(attacked, open_lake(attacked), personal=True) as session:
        views = ("users_contacts", "users_protected", "jobs_contacts", "rejected_users_values")
        shown = "".join(
            _outcome(session, f"FROM {view}", "json") for view in (*views, "rejected_events_values")
        )
        assert [value for value in PLANTED if value not in shown] == []
        copied = _outcome(session, "COPY users_contacts TO '/dev/stdout'", "table")
    assert "is not run here" in copied


S3_ATTACKS = [
    "FROM users_contacts",
    "FROM '{lake}/personal/users_contacts/data.parquet'",
    "FROM read_parquet('{lake}/personal/*/data.parquet')",
    "FROM read_parquet('{lake}/users/../personal/users_contacts/data.parquet')",
    "FROM read_blob('{lake}/personal/users_contacts/data.parquet')",
    "FROM parquet_metadata('{lake}/personal/users_contacts/data.parquet')",
    "FROM glob('{lake}/**')",
    "FROM 's3a{colon}/personal/users_contacts/data.parquet'",
    "PIVOT '{lake}/personal/users_contacts/data.parquet' ON phone",
    "COPY (SELECT 1) TO '{lake}/users/data.parquet'",
    "COPY (SELECT 1) TO '{lake}/new.parquet'",
    "EXPLAIN ANALYZE COPY (SELECT 1) TO '{lake}/users/data.parquet'",
]


@pytest.mark.parametrize(
    "attacks", [S3_ATTACKS, pytest.param(ATTACKS, marks=pytest.mark.slow)], ids=["few", "all"]
)
def test_a_lake_on_s3_withstands_attacks_and_keeps_personal_files_below_one_prefix(
    settings: Settings, s3: S3Server, tmp_path: Path, attacks: list[str]
) -> None:
    lake = Lake(open_storage(f"s3://{s3.new_bucket()}/lake", s3.files()))
    with lake.connect() as con:
        _fill(Session(settings, lake, con))
    before = {key: lake.storage.read(key) for key in lake.storage.list("")}
    apart = {key.split("/")[1] for key in before if key.startswith("personal/")}
    assert apart >= {"users_contacts", "users_protected", "jobs_contacts", "rejected_events_values"}
    root = lake.storage.location("").rstrip("/")
    with analyst_session(settings, lake) as analyst:
        assert "u1" in _outcome(analyst, "SELECT user_id FROM users", "csv")
        for attack in attacks:
            query = attack.replace("{lake}", root).replace("{colon}", root.removeprefix("s3"))
            shown = _outcome(analyst, query.replace("{base}", str(tmp_path)), "json")
            assert [value for value in PLANTED if value in shown.replace(query, "")] == [], attack
    assert {key: lake.storage.read(key) for key in lake.storage.list("")} == before
    with analyst_session(settings, lake, personal=True) as analyst:
        assert PHONE in _outcome(analyst, "FROM users_contacts", "json")
