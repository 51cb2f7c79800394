"""What people's columns say reaches no feature, model, report or log of a run.

The simulated users have names, addresses, phone numbers, birth dates and notes, and the settings
list none of these columns. Every file of a platform that has run is searched for their values.
"""

from __future__ import annotations

import re
import stat
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from conversion_platform.cli.main import main
from conversion_platform.settings import CONFIG_NAME
from conversion_platform_tests.command import call
from conversion_platform_tests.tiny_platform import NEXT

MAY_HOLD = ("source/", "truth/", "lake/personal/", "messaging/ledger.", "messaging/sandbox.")
"""The source itself, personal tables, the ledger, and the sandbox provider's own store."""
PRIVATE = ("first_name", "last_name", "email", "date_of_birth", "next_of_kin", "home_address")
NAMES = (*PRIVATE, "note", "gender", "age", "phone", "postal_code", "consent_text")
CANDIDATES = {
    "email": re.compile(r"[\w.]+@example\.org"),
    "home_address": re.compile(r"\d+ (?:Oak Street|Hill Road|Main Avenue|\w+ Drive|\w+ \w+)"),
    "note": re.compile(r"(?:Asked|Came|Prefers|Was late) [\w ]+, \w+ \d+"),
}
PLANTED = (*CANDIDATES, "first_name", "last_name", "phone", "next_of_kin", "date_of_birth")


BORN = (
    "%Y-%m-%d",
    "%Y%m%d",
    "%Y/%m/%d",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%d.%m.%Y",
    "%d %B %Y",
    "%B %d, %Y",
)
"""Notations of a birth date, and the patterns that find them."""
BIRTHS = re.compile(
    r"(?<!\d)(?:(?:19|20)\d\d([-/]?)\d\d\1\d\d|\d\d[./]\d\d[./](?:19|20)\d\d|-?\d{7,19})(?!\d)"
    r"|\d\d (?:[A-Z][a-z]+) (?:19|20)\d\d|[A-Z][a-z]+ \d\d, (?:19|20)\d\d"
)
UNITS = (1, 1_000, 1_000_000, 1_000_000_000)
"""Of a second, in which a time is stored as a number."""
# A name is no part of a word, and none of base64 or of a program's `x.Ada`, as pages have them.
WORDS = re.compile(r"(?<![\w+/=.$])[A-Za-z]{3,12}(?![\w+/=(:])")
PAIRS = re.compile(r"(?=\b([A-Za-z]{3,12})(?:[ ._]|, ?)([A-Za-z]{3,12})\b)")


@cache
def planted(folder: Path) -> dict[str, set[str]]:
    """The values of people's columns, each as it would be found."""
    with duckdb.connect() as con:
        found = {
            name: {
                str(value)
                for (value,) in con.execute(
                    f"SELECT DISTINCT {name} FROM '{folder}/source/users.parquet' "
                    f"WHERE {name} IS NOT NULL"
                ).fetchall()
            }
            for name in PLANTED
        }
    numbers = found.pop("next_of_kin") | found["phone"]
    births = {date.fromisoformat(text) for text in found["date_of_birth"]}
    return found | {
        "phone": {re.sub(r"\D", "", number)[-10:] for number in numbers},
        "date_of_birth": {text for born in births for text in notations(born)},
    }


def notations(born: date) -> Iterator[str]:
    """How a birth date may be stored: as text, or as a number of seconds or smaller units."""
    yield from (born.strftime(form) for form in BORN)
    seconds = (born - date(1970, 1, 1)).days * 86_400
    yield from (str(seconds * unit) for unit in UNITS)


def seen(text: str, values: dict[str, set[str]]) -> set[str]:
    """The planted values in a text."""
    found = set()
    for name, pattern in CANDIDATES.items():
        found |= set(pattern.findall(text)) & values[name]
    joined = re.sub(r"(?<=\d)[ ().\-/]{1,3}(?=\d)", "", text)  # (212) 555-0100, 212.555.0100
    for digits in re.findall(r"\d{10,}", text) + re.findall(r"\d{10,}", joined):
        windows = {digits[place : place + 10] for place in range(len(digits) - 9)}
        found |= windows & values["phone"]
    found |= {match.group() for match in BIRTHS.finditer(text)} & values["date_of_birth"]
    return found | names_seen(text, values)


def names_seen(text: str, values: dict[str, set[str]]) -> set[str]:
    """The first and last names that stand alone in a text, and those that stand together."""
    first, last = values["first_name"], values["last_name"]
    found = {word for word in WORDS.findall(text) if word in first | last}
    for pair in PAIRS.findall(text):
        one, other = (word.capitalize() for word in pair)
        if (one in first and other in last) or (one in last and other in first):
            found |= {one, other}
    return found


@cache
def program_of_pages() -> str:
    """The program that Evidently writes into each page."""
    package = files("evidently") / "nbextension/static/index.js"
    return package.read_text("utf-8")


def texts(file: Path) -> Iterator[str]:
    """What a file says, read as what it is."""
    if file.suffix == ".html":  # the program of the page names calendars' months: Ada, Chen
        yield file.read_text("utf-8").replace(program_of_pages(), "")
        return
    if file.suffix != ".parquet":
        yield file.read_bytes().decode("latin-1")
        return
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        source = f"read_parquet('{file}', hive_partitioning = false)"
        for name, kind, *_ in con.execute(f"DESCRIBE SELECT * FROM {source}").fetchall():
            shown = f'"{name}"'
            if kind in ("FLOAT", "DOUBLE"):  # a whole number may be a phone, or a time
                whole = f"{shown} = trunc({shown}) AND abs({shown}) < 1e18"
                shown = f"CASE WHEN {whole} THEN {shown}::BIGINT END"
            rows = con.execute(f"SELECT DISTINCT ({shown})::VARCHAR FROM {source}").fetchall()
            yield "\n".join(value for (value,) in rows if value)


def searched(folder: Path) -> list[Path]:
    files = (file for file in sorted(folder.rglob("*")) if file.is_file())
    return [file for file in files if not str(file.relative_to(folder)).startswith(MAY_HOLD)]


def leaks(folder: Path) -> dict[str, set[str]]:
    """The files that hold planted values which they may not hold."""
    values = planted(folder)
    found = {
        str(file.relative_to(folder)): set().union(*(seen(text, values) for text in texts(file)))
        for file in searched(folder)
    }
    return {name: shown for name, shown in found.items() if shown}


def test_no_file_of_a_platform_that_has_run_holds_a_value_of_people(lived: Path) -> None:
    assert leaks(lived) == {}
    kinds = {file.suffix for file in searched(lived)}
    assert kinds >= {".parquet", ".json", ".html", ".db"}, kinds


def test_the_search_finds_every_kind_of_value_where_it_is(lived: Path) -> None:
    contacts = lived / "lake/personal/users_contacts/data.parquet"
    values = planted(lived)
    found = set().union(*(seen(text, values) for text in texts(contacts)))
    dated = {text for text in values["date_of_birth"] if re.fullmatch(r"\d{4}-\d\d-\d\d", text)}
    missed = {
        name: sorted(known - found)[:3]
        for name, known in (values | {"date_of_birth": dated}).items()
        if known - found
    }
    assert missed == {}


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("Maria Garcia", {"Maria", "Garcia"}),
        ("GARCIA, MARIA", {"Maria", "Garcia"}),
        ('{"name": "Garcia"}', {"Garcia"}),
        ("maria.garcia@example.net", {"Maria", "Garcia"}),
        ("a.Garcia(x)", set()),
        ("+1 (212) 555-0142", {"2125550142"}),
        ("2125550142.0", {"2125550142"}),
        ("212.555.0142", {"2125550142"}),
        *((born, {born}) for born in notations(date(1980, 2, 3))),
        ("born on 1980-02-03 05:00:00+00", {"1980-02-03"}),
        ("1980-02-04", set()),
    ],
)
def test_the_search_finds_a_value_in_each_notation(said: str, found: set[str]) -> None:
    values = {
        "first_name": {"Maria"},
        "last_name": {"Garcia"},
        "phone": {"2125550142"},
        "date_of_birth": set(notations(date(1980, 2, 3))),
    }
    assert seen(said, defaultdict(set, values)) == found


@pytest.mark.parametrize(
    "kind", ["DATE", "TIMESTAMP", "TIMESTAMP_NS", "TIMESTAMPTZ", "VARCHAR", "DOUBLE", "BIGINT"]
)
def test_the_search_finds_a_birth_date_in_a_parquet_column(tmp_path: Path, kind: str) -> None:
    value = "epoch(DATE '1980-02-03')" if kind in ("DOUBLE", "BIGINT") else "DATE '1980-02-03'"
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        con.execute(f"COPY (SELECT ({value})::{kind} AS x) TO '{tmp_path}/data.parquet'")
    values = defaultdict(set, date_of_birth=set(notations(date(1980, 2, 3))))
    assert len(set().union(*(seen(one, values) for one in texts(tmp_path / "data.parquet")))) == 1


def test_no_feature_model_or_card_knows_a_column_of_people(lived: Path) -> None:
    words = re.compile(rf"\b(?:user_)?(?:{'|'.join(NAMES)})\b")
    for file in searched(lived):
        name = str(file.relative_to(lived))
        if file.suffix == ".parquet" and not name.startswith("lake/attributes"):
            with duckdb.connect() as con:
                source = f"read_parquet('{file}', hive_partitioning = false)"
                columns = con.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
            assert not any(words.fullmatch(column) for column, *_ in columns), name
        elif "models/" in name:
            assert not re.search(rf"\buser_(?:{'|'.join(NAMES)})\b", next(texts(file))), name


def test_files_with_what_people_say_are_for_their_owner_alone(lived: Path) -> None:
    apart = [*(lived / "lake/personal").rglob("*.parquet"), *(lived / "messaging").glob("*")]
    assert len(apart) > 5
    assert {file.name for file in apart if stat.S_IMODE(file.stat().st_mode) != 0o600} == set()


@pytest.mark.parametrize("words", [["check-sources"], ["check-sources", "--sql"], ["status"]])
def test_no_screen_shows_a_value_of_people(lived: Path, words: list[str]) -> None:
    shown = CliRunner().invoke(main, ["--config", str(lived / CONFIG_NAME), *words])
    assert shown.exit_code == 0, shown.output
    assert seen(shown.output, planted(lived)) == set()


@pytest.mark.slow
def test_a_run_prints_and_leaves_no_value_of_people(platform: Path) -> None:
    code, output, errors = call(platform, "run", "--from", str(NEXT))
    assert code == 0, errors
    assert seen(output + errors, planted(platform)) == set()
    assert leaks(platform) == {}
