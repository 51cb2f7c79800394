"""Phone numbers and mail addresses are known in every notation, to hide them and to classify."""

from __future__ import annotations

from datetime import date

import pytest

from conversion_platform.marketplace.columns import classified
from conversion_platform.marketplace.contract import CONTRACTS
from conversion_platform.marketplace.masking import masked

PHONES = (
    *("212\u2013555\u20130100", "212\u2012555\u20120100", "212\u2212555\u22120100"),
    *("212\xa0555\xa00100", "212\u202f555\u202f0100", "(212)\u2009555\u20110100", "212/555/0100"),
    *(
        "212.555.0100",
        "\uff0b\uff11 \uff12\uff11\uff12 \uff15\uff15\uff15 \uff10\uff11\uff10\uff10",
    ),
    *("\u0662\u0661\u0662 \u0665\u0665\u0665 \u0660\u0661\u0660\u0660", "212\u200b555\u200b0100"),
    *("+1\xad212\xad555\xad0100", "[212] 555_0100", "212 \u2014 555 \u2014 0100"),
)
MAILS = (
    *("anna(at)planted.example", "anna @ planted.example", "anna [at] planted [dot] example"),
    *("anna at planted dot example", "anna\uff20planted.example", "anna\xa0@\xa0planted.example"),
    *("anna{AT}planted(dot)example", "anna@planted.example", "a.b <at> planted.example"),
)


def _masked(column: str, text: str) -> str:
    """What is shown of a cell of `TABLE.COLUMN`."""
    table, _, name = column.partition(".")
    return masked(next(one for one in CONTRACTS if one.name == table), name, text) or ""


@pytest.mark.parametrize("column", ["jobs.title", "users.state", "users.user_id", "events.job_id"])
@pytest.mark.parametrize("text", PHONES)
def test_a_phone_number_in_any_notation_is_not_shown(column: str, text: str) -> None:
    shown = _masked(column, f"x {text}")
    assert shown in ("x ...00", "(not shown)", "x (...00", "x [...00")


@pytest.mark.parametrize("column", ["jobs.title", "users.state", "users.user_id", "events.job_id"])
@pytest.mark.parametrize("text", MAILS)
def test_a_mail_address_in_any_notation_is_not_shown(column: str, text: str) -> None:
    shown = _masked(column, f"x, {text}")
    assert "planted" not in shown
    assert "anna" not in shown


@pytest.mark.parametrize(
    "text", ["Cook \u2013 night shift", "Line cook @ Denny\u2019s", "Koch\xa0(m/w/d)", "2 at 15.50"]
)
def test_a_text_without_either_is_shown_as_it_is_written(text: str) -> None:
    assert _masked("jobs.title", text) == text


def test_a_birth_date_with_other_dashes_is_not_shown() -> None:
    assert _masked("users.state", "12\u201305\u201390") == "dd-dd-dd"


@pytest.mark.parametrize("text", PHONES[:9])
def test_a_column_of_phone_numbers_in_any_notation_is_personal(text: str) -> None:
    told = classified("users", "best", [text] * 9, date(2026, 1, 1), "US")
    assert (told.kind, told.why) == ("personal", "its values look like phone numbers")


@pytest.mark.parametrize("text", MAILS)
def test_a_column_of_mail_addresses_in_any_notation_is_personal(text: str) -> None:
    told = classified("users", "best", [text] * 9, date(2026, 1, 1), "US")
    assert (told.kind, told.why) == ("personal", "its values look like mail addresses")


def test_a_column_of_birth_dates_with_other_dashes_is_personal() -> None:
    values = [f"19{year}\u201101\u201115" for year in range(60, 99, 4)]
    assert classified("users", "b", values, date(2026, 1, 1), "US").kind == "personal"
