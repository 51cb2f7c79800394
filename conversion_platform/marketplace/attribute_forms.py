"""Forms of numbers and times that SQL reads at little cost, for attributes.

The SQL that reads any number or any time is long: to plan it for hundreds of columns takes minutes
and gigabytes. Nearly all columns have one of these forms, in which the result is the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from conversion_platform.marketplace.values import FIRST_TIME, LAST_TIME

if TYPE_CHECKING:
    from conversion_platform.settings import SourceSection

FormName = Literal["plain", "instant", "dated"]


@dataclass(frozen=True)
class Form:
    """One form of texts.

    Attributes:
        kind: The kind of attribute that its texts are.
        matches: SQL of whether a text has the form, given SQL of the text.
        value: SQL of the value of such a text.
    """

    kind: Literal["numeric", "timestamp"]
    matches: Callable[[str], str]
    value: Callable[[str], str]


def is_code(text: str) -> str:
    """Return SQL of whether a text is a code: it has a leading zero (02134) or plus (+1213)."""
    return f"regexp_matches({text}, '^([+]|-?0[0-9])')"


def likely_time(time: str) -> str:
    """Return SQL of a time that a table may have: none before 1900, none in the far future.

    A column of ends may say 9999-12-31 where there is none.
    """
    return f"list_filter([{time}], lambda one: one >= {FIRST_TIME} AND one < {LAST_TIME})[1]"


def forms(section: SourceSection, zone: str) -> dict[FormName, Form]:
    """Return the forms, as the settings of a source read them.

    Args:
        section: The settings.
        zone: SQL of the zone of times without one.
    """
    point = "true" if section.decimal == "." else "false"
    # A format of the settings that begins with the year counts more than the usual one.
    dated = "false" if any(one.startswith("%Y") for one in section.date_formats) else "true"
    first = f"CAST({FIRST_TIME} AS TIMESTAMP)"
    return {
        "plain": Form(
            "numeric",
            lambda text: (
                f"{text} < ':' AND steps.is_plain({text}) "
                f"AND ({point} OR NOT contains({text}, '.')) AND isfinite({_number(text)}) "
                f"AND NOT {is_code(text)}"
            ),
            lambda text: f"steps.finite({_number(text)})",
        ),
        "instant": Form(
            "timestamp",
            lambda text: f"steps.is_instant({text}) AND {_instant(text)} >= {FIRST_TIME}",
            lambda text: likely_time(_instant(text)),
        ),
        "dated": Form(
            "timestamp",
            lambda text: f"{dated} AND {text} < ':' AND steps.year_first({text}) >= {first}",
            lambda text: likely_time(f"timezone({zone}, steps.year_first({text}))"),
        ),
    }


def _number(text: str) -> str:
    return f"TRY_CAST({text} AS DOUBLE)"


def _instant(text: str) -> str:
    return f"TRY_CAST({text} AS TIMESTAMPTZ)"
