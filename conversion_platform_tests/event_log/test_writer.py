"""The log keeps each event once, whoever appends it, and never changes a file."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversion_platform.days import DayRange
from conversion_platform.errors import EventLogError, LakeError
from conversion_platform.event_log import EVENT_TYPES, Appended, append, missing_files
from conversion_platform.event_log.files import file_key, log_files, select_log
from conversion_platform.event_log.types import EventType, event_type_named
from conversion_platform.lake import Lake, LocalStorage, Session, open_storage
from conversion_platform.settings import load_settings
from conversion_platform_tests.killing import finish, kill_at_work, start
from conversion_platform_tests.servers import S3Server

REPLY = event_type_named("reply")
DAY = date(2026, 3, 1)
DAYS = DayRange(DAY, date(2026, 3, 5))
NOW = datetime(2026, 3, 9, 12, tzinfo=UTC)


def replies(numbers: str, day: str = "DATE '2026-03-01'") -> str:
    """SQL for replies with the ids of `range(numbers)`."""
    return (
        f"SELECT 'r' || i AS reply_id, 'm' || i AS message_id, 'u' || (i % 7) AS user_id, "
        "'stop' AS kind, 'stop-word' AS rule_id, true AS suppressed, "
        f"TIMESTAMPTZ '2026-03-01 15:00:00+00' + INTERVAL (i) SECOND AS occurred_at, {day} AS dt "
        f"FROM range({numbers}) r(i)"
    )


def log(lake: Lake, con: Any, *arguments: Any) -> Appended:
    """Append to the log of a lake; appending reads no setting."""
    return append(Session(load_settings(), lake, con), *arguments)


def logged(lake: Lake, spec: EventType = REPLY) -> list[tuple[Any, ...]]:
    with lake.connect() as con:
        return con.execute(
            f"SELECT * FROM {select_log(lake, spec, log_files(lake, spec))} ORDER BY ALL"
        ).fetchall()


def log_bytes(lake: Lake) -> dict[str, bytes]:
    return {key: lake.storage.read(key) for key in lake.storage.list("event_log")}


@pytest.fixture(params=["local", "s3"])
def any_lake(request: pytest.FixtureRequest, tmp_path: Path) -> Lake:
    if request.param == "local":
        return Lake(open_storage(str(tmp_path / "lake")))
    server: S3Server = request.getfixturevalue("s3")
    return Lake(open_storage(f"s3://{server.new_bucket()}/lake", server.files()))


# --- each event once ---


def test_what_is_appended_is_there_with_its_id_day_and_type(any_lake: Lake) -> None:
    with any_lake.connect() as con:
        done = log(any_lake, con, "reply", replies("3"), DAYS, NOW)
        assert (done.new, done.already_there) == (3, 0)
        found = con.sql(
            "SELECT event_id, event_type, dt, occurred_at, recorded_at, reply_id, kind FROM "
            f"{select_log(any_lake, REPLY, log_files(any_lake, REPLY))} ORDER BY reply_id LIMIT 1"
        ).fetchall()
    expected = hashlib.md5(b"reply\x1fr0").hexdigest()
    occurred = datetime(2026, 3, 1, 15, tzinfo=UTC)
    assert found == [(expected, "reply", DAY, occurred, NOW, "r0", "stop")]


def test_appending_again_adds_nothing_and_changes_no_byte(any_lake: Lake) -> None:
    with any_lake.connect() as con:
        log(any_lake, con, "reply", replies("5"), DAYS)
        before = log_bytes(any_lake)
        done = log(any_lake, con, "reply", replies("5"), DAYS, NOW)
    assert (done.new, done.already_there) == (0, 5)
    assert log_bytes(any_lake) == before


def test_only_new_events_go_into_a_new_file(any_lake: Lake) -> None:
    with any_lake.connect() as con:
        log(any_lake, con, "reply", replies("5"), DAYS)
        before = log_bytes(any_lake)
        done = log(any_lake, con, "reply", replies("3, 9"), DAYS)
    assert (done.new, done.already_there) == (4, 2)
    after = log_bytes(any_lake)
    assert {key: after[key] for key in before} == before
    assert sorted(after) == [file_key(REPLY, DAY, 1), file_key(REPLY, DAY, 2)]
    assert len(logged(any_lake)) == 9


def test_an_event_that_the_query_yields_twice_is_kept_once(lake: Lake) -> None:
    with lake.connect() as con:
        done = log(
            lake,
            con,
            "reply",
            f"{replies('4')} UNION ALL {replies('2, 6')}",
            DAYS,
        )
    assert (done.new, len(logged(lake))) == (6, 6)


def test_days_have_files_of_their_own_and_other_days_are_left_out(lake: Lake) -> None:
    with lake.connect() as con:
        query = replies("12", "DATE '2026-03-01' + (i % 6)::INTEGER")
        done = log(lake, con, "reply", query, DayRange(DAY, date(2026, 3, 2)))
    assert done.new == 4
    assert list(log_files(lake, REPLY)) == [DAY, date(2026, 3, 2)]


def test_no_event_makes_no_file(lake: Lake) -> None:
    with lake.connect() as con:
        done = log(lake, con, "reply", replies("0"), DAYS)
    assert (done.new, done.already_there) == (0, 0)
    assert lake.storage.list("event_log") == []


def test_two_replays_give_the_same_bytes(tmp_path: Path) -> None:
    lakes = [Lake(LocalStorage(tmp_path / str(n)), threads=n) for n in (1, 4)]
    for lake, order in zip(lakes, ("i", "-i"), strict=True):
        with lake.connect() as con:
            log(
                lake,
                con,
                "reply",
                f"{replies('2000')} ORDER BY {order}",
                DAYS,
            )
            log(
                lake,
                con,
                "reply",
                f"{replies('3000')} ORDER BY {order}",
                DAYS,
            )
    assert log_bytes(lakes[0]) == log_bytes(lakes[1])


def test_the_id_does_not_depend_on_the_session_s_time_zone(tmp_path: Path) -> None:
    query = (
        "SELECT 'm' AS message_id, 1 AS sequence, 'u' AS user_id, 'j' AS job_id, 'c' AS cohort, "
        "'sent' AS state, NULL AS reason, NULL AS rule_id, DATE '2026-03-01' AS dt, "
        "TIMESTAMPTZ '2026-03-01 15:00:00+00' AS occurred_at"
    )
    lake = Lake(LocalStorage(tmp_path))
    with lake.connect() as con:
        log(lake, con, "message_state", query, DAYS)
        con.execute("SET TimeZone = 'Asia/Tokyo'")
        assert log(lake, con, "message_state", query, DAYS).already_there == 1


@settings(max_examples=10, deadline=None)
@given(
    batches=st.lists(
        st.lists(st.tuples(st.integers(0, 9), st.integers(0, 2)), max_size=8), max_size=5
    )
)
def test_any_sequence_of_batches_leaves_each_event_once(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[tuple[int, int]]]
) -> None:
    lake = Lake(LocalStorage(tmp_path_factory.mktemp("lake")))
    seen: set[tuple[int, int]] = set()
    with lake.connect() as con:
        for batch in batches:
            listed = ", ".join(f"({i}, {d})" for i, d in batch) or "(NULL, NULL)"
            query = replies("10", "DATE '2026-03-01' + d::INTEGER").replace(
                "FROM range(10) r(i)", f"FROM (VALUES {listed}) r(i, d) WHERE i IS NOT NULL"
            )
            done = log(lake, con, "reply", query, DAYS)
            assert done.new == len(set(batch) - seen)
            seen |= set(batch)
    found = [(int(row[3][1:]), (row[-2] - DAY).days) for row in logged(lake)]
    assert sorted(found) == sorted(seen)


IDENTITIES = [
    ("'a'", "NULL"),
    ("'a'", "''"),
    ("'a|'", "''"),
    ("'a'", "'|'"),
    ("NULL", "'a'"),
    ("''", "'a'"),
]


def test_different_identities_have_different_ids(lake: Lake) -> None:
    rows = " UNION ALL ".join(
        f"SELECT {a} AS assignment_id, {b} AS job_id, 'click' AS kind" for a, b in IDENTITIES
    )
    query = (
        "SELECT *, NULL AS message_id, 'u' AS user_id, 'c' AS cohort, 'holdout' AS arm, "
        "'v' AS model_version, now() AS occurred_at, DATE '2026-03-01' AS dt "
        f"FROM ({rows})"
    )
    with lake.connect() as con:
        assert log(lake, con, "outcome", query, DAYS).new == len(IDENTITIES)


# --- what cannot get in ---


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("SELECT *, '+15125550123' AS phone FROM ({})", "may not have phone"),
        ("SELECT *, 'Stop it, John' AS body FROM ({})", "may not have body"),
        ("SELECT * EXCLUDE (kind, dt) FROM ({})", "lacks dt, kind"),
        ("SELECT * REPLACE (NULL AS occurred_at) FROM ({})", "3 events .* no `occurred_at`"),
        ("SELECT * REPLACE (NULL::DATE AS dt) FROM ({})", "3 events .* no `dt`"),
    ],
)
def test_what_breaks_the_contract_is_refused_with_what_to_do(
    lake: Lake, query: str, words: str
) -> None:
    with pytest.raises(EventLogError, match=words), lake.connect() as con:
        append(Session(load_settings(), lake, con), "reply", query.format(replies("3")), DAYS)
    assert lake.storage.list("event_log") == []


def test_an_unknown_type_names_the_known_ones(lake: Lake) -> None:
    words = r"no type `click`.*\n.*assignment, message_state"
    with pytest.raises(EventLogError, match=words), lake.connect() as con:
        log(lake, con, "click", replies("1"), DAYS)


def test_no_type_has_a_column_for_personal_data() -> None:
    names = {column.name for kind in EVENT_TYPES for column in kind.columns}
    assert not names & {"phone", "name", "body", "text", "latitude", "longitude", "postal_code"}


@pytest.mark.parametrize("kind", EVENT_TYPES, ids=lambda kind: kind.name)
def test_a_type_is_made_of_its_own_columns(kind: EventType) -> None:
    names = [column.name for column in kind.columns]
    assert len(set(names)) == len(names)
    assert set(kind.identity) <= {*names, "dt"}
    assert kind.detail in names
    assert all(column.description.endswith(".") for column in kind.columns)


def test_the_room_offers_nothing_that_rewrites_or_deletes() -> None:
    room = Path(__file__).parents[2] / "conversion_platform" / "event_log"
    code = "".join(file.read_text() for file in room.glob("*.py"))
    for word in (
        ".replace(",
        ".publish(",
        "unlink",
        "rmtree",
        "write_bytes",
        "lake.write",
        "delete",
    ):
        assert word not in code.replace("rewrites or deletes", ""), word


# --- damage ---


def test_a_damaged_file_of_the_log_is_named(any_lake: Lake) -> None:
    with any_lake.connect() as con:
        log(any_lake, con, "reply", replies("5"), DAYS)
    key = file_key(REPLY, DAY, 1)
    any_lake.storage.replace(key, any_lake.storage.read(key)[:100])
    words = r"00000001.parquet is damaged.*\n.*backup"
    with pytest.raises(EventLogError, match=words), any_lake.connect() as con:
        log(any_lake, con, "reply", replies("9"), DAYS)
    assert list(log_bytes(any_lake)) == [key]


def test_a_file_that_was_taken_away_is_noticed(lake: Lake) -> None:
    with lake.connect() as con:
        for numbers in ("2", "4", "6"):
            log(lake, con, "reply", replies(numbers), DAYS)
        gone = lake.storage.location(file_key(REPLY, DAY, 2))
        assert missing_files(lake) == []
        Path(gone).unlink()
        assert missing_files(lake) == [gone]
        with pytest.raises(EventLogError, match=r"00000002.parquet is missing"):
            log(lake, con, "reply", replies("9"), DAYS)


def test_foreign_and_unfinished_files_are_not_read(lake: Lake) -> None:
    with lake.connect() as con:
        log(lake, con, "reply", replies("2"), DAYS)
    folder = Path(lake.storage.location(file_key(REPLY, DAY, 1))).parent
    (folder / "00000002.parquet.tmp").write_bytes(b"half")
    (folder / ".00000003.parquet").write_bytes(b"half")
    with lake.storage.staged() as path:
        path.write_bytes(b"half")
        assert len(logged(lake)) == 2


def test_a_full_disk_leaves_the_log_as_it_was(tiny_disk: Path) -> None:
    lake = Lake(LocalStorage(tiny_disk))
    with lake.connect() as con:
        log(lake, con, "reply", replies("5"), DAYS)
    before = log_bytes(lake)
    with pytest.raises(LakeError, match="is full"), lake.connect() as con:
        log(lake, con, "reply", replies("60000"), DAYS)
    assert log_bytes(lake) == before


# --- two writers, and kill -9 ---

RACE = """
import sys
from conversion_platform.days import DayRange
from conversion_platform.event_log import append
from conversion_platform.lake import Lake, Session, open_storage
from conversion_platform.settings import load_settings
from datetime import date
root, first, rounds = sys.argv[1], int(sys.argv[2]), int(sys.argv[4])
lake = Lake(open_storage(root), threads=1)
new = 0
with lake.connect() as con:
    print("at work", flush=True)
    sys.stdin.readline()
    for start in range(first, first + 2 * rounds, 2):
        query = sys.argv[3].replace("range(0)", f"range({start}, {start + 10})")
        day = date(2026, 3, 1)
        new += append(Session(load_settings(), lake, con), "reply", query, DayRange.of(day)).new
print(new)
"""


def race(root: str, rounds: int) -> int:
    """Two processes append overlapping events at the same time; returns what they say is new."""
    both = [start(RACE, root, first, replies("0"), str(rounds)) for first in ("0", "1")]
    for process in both:
        assert process.stdout is not None
        process.stdout.readline()
    for process in both:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    return sum(int(finish(process)) for process in both)


def test_two_processes_at_the_same_time_leave_no_event_twice(tmp_path: Path) -> None:
    lake = Lake(LocalStorage(tmp_path))
    new = race(str(tmp_path), rounds=20)
    ids = [row[0] for row in logged(lake)]
    assert len(ids) == len(set(ids)) == new == 49
    assert missing_files(lake) == []


def test_two_processes_on_s3_leave_no_event_twice(s3_environment: S3Server) -> None:
    root = f"s3://{s3_environment.new_bucket()}/lake"
    new = race(root, rounds=5)
    ids = [row[0] for row in logged(Lake(open_storage(root, s3_environment.files())))]
    assert len(ids) == len(set(ids)) == new == 19


APPEND_FOR_EVER = """
import sys, itertools
from datetime import date
from conversion_platform.days import DayRange
from conversion_platform.event_log import append
from conversion_platform.lake import Lake, LocalStorage
lake = Lake(LocalStorage(sys.argv[1]), threads=1)
days = DayRange(date(2026, 3, 1), date(2026, 3, 5))
with lake.connect() as con:
    print("at work", flush=True)
    for start in itertools.count(0, 3000):
        query = sys.argv[2].replace("range(0)", f"range({start + 3000})")
        append(Session(load_settings(), lake, con), "reply", query, days)
"""


@pytest.mark.parametrize(
    "seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 5))]
)
def test_a_kill_leaves_whole_files_and_the_next_append_completes_them(
    tmp_path: Path, seed: int
) -> None:
    kill_at_work(
        APPEND_FOR_EVER,
        str(tmp_path),
        replies("0", "DATE '2026-03-01' + (i % 5)::INTEGER"),
        seconds=1.5,
        seed=seed,
    )
    lake = Lake(LocalStorage(tmp_path))
    before = log_bytes(lake)
    logged(lake)
    with lake.connect() as con:
        query = replies("6000", "DATE '2026-03-01' + (i % 5)::INTEGER")
        append(Session(load_settings(), lake, con), "reply", query, DAYS)
    after = log_bytes(lake)
    assert {key: after[key] for key in before} == before
    numbers = [row[3] for row in logged(lake)]
    assert len(numbers) == len(set(numbers))
    assert {f"r{i}" for i in range(6000)} <= set(numbers)
    lake.storage.clear_staging()
    assert list(lake.storage.staging_folder().iterdir()) == []


def test_a_query_is_run_once(lake: Lake) -> None:
    with lake.connect() as con:
        con.execute("CREATE SEQUENCE calls")
        query = f"SELECT * REPLACE ('r' || nextval('calls') AS reply_id) FROM ({replies('3')})"
        append(Session(load_settings(), lake, con), "reply", query, DAYS)
        assert con.execute("SELECT nextval('calls')").fetchall() == [(4,)]
