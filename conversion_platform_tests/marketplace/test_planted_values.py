"""What people's columns say reaches no feature, model, report or log of a run.

The simulated users have names, addresses, phone numbers, birth dates and notes, and the settings
list none of these columns. Every file of a platform that has run is searched for their values.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from functools import cache
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
    "phone": re.compile(r"\d{10}"),
    "email": re.compile(r"[\w.]+@example\.org"),
    "home_address": re.compile(r"\d+ (?:Oak Street|Hill Road|Main Avenue|\w+ Drive|\w+ \w+)"),
    "date_of_birth": re.compile(r"(?:19|20)\d\d-\d\d-\d\d"),
    "note": re.compile(r"(?:Asked|Came|Prefers|Was late) [\w ]+, \w+ \d+"),
}


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
            for name in (*CANDIDATES, "next_of_kin")
        }
    numbers = found.pop("next_of_kin") | found["phone"]
    return found | {"phone": {re.sub(r"\D", "", number)[-10:] for number in numbers}}


def seen(text: str, values: dict[str, set[str]]) -> set[str]:
    """The planted values in a text."""
    found = set()
    for name, pattern in CANDIDATES.items():
        if name == "phone":
            digits = (run for run in re.findall(r"\d{10,}", text))
            windows = (run[place : place + 10] for run in digits for place in range(len(run) - 9))
            found |= set(windows) & values[name]
        else:
            found |= set(pattern.findall(text)) & values[name]
    return found


def texts(file: Path) -> Iterator[str]:
    """What a file says, read as what it is."""
    if file.suffix != ".parquet":
        yield file.read_bytes().decode("latin-1")
        return
    with duckdb.connect() as con:
        source = f"read_parquet('{file}', hive_partitioning = false)"
        for name, kind, *_ in con.execute(f"DESCRIBE SELECT * FROM {source}").fetchall():
            if kind in ("FLOAT", "DOUBLE", "BOOLEAN") or kind.startswith("TIMESTAMP"):
                continue
            rows = con.execute(f'SELECT DISTINCT "{name}"::VARCHAR FROM {source}').fetchall()
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


def test_the_search_finds_what_is_there(lived: Path) -> None:
    contacts = lived / "lake/personal/users_contacts/data.parquet"
    values = planted(lived)
    found = set().union(*(seen(text, values) for text in texts(contacts)))
    missed = {name: len(known - found) for name, known in values.items() if known - found}
    assert missed in ({}, {"date_of_birth": len(values["date_of_birth"])}), missed


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
