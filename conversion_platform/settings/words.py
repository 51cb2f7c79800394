"""What a setting may hold, in words for a person: made of its declaration alone."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from datetime import date, time
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.fields import FieldInfo

_WORDS: dict[Any, str] = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    date: "a day such as 2026-11-23",
    time: 'a time such as "06:00"',
}
_BOUNDS = {"ge": "at least {}", "gt": "above {}", "le": "at most {}", "lt": "below {}"}


def allowed(field: FieldInfo) -> str:
    """What a key may hold: `a whole number of at least 1 and at most 256`."""
    limits = " and ".join(bounds(field))
    of = " of" if limits.startswith("at ") else ""
    words = " or ".join(_kind(one, field) for one in options(field.annotation))
    return f"{words}{of} {limits}" if limits else words


def bounds(field: FieldInfo) -> Iterator[str]:
    """The limits of a number, each in words."""
    for name, text in _BOUNDS.items():
        bound = rule(field, name)
        if bound is not None:
            yield text.format(f"{bound:g}" if abs(bound) < 1e6 else f"{bound:,}")


def rule(field: FieldInfo, name: str) -> Any:
    """A rule of a field, such as `ge` or `min_length`; None where it has none."""
    found = (getattr(one, name, None) for one in field.metadata)
    return next((value for value in found if value is not None), None)


def options(annotation: Any) -> tuple[Any, ...]:
    """The types that an annotation allows, without None."""
    if typing.get_origin(annotation) not in (typing.Union, types.UnionType):
        return (annotation,)
    return tuple(one for one in typing.get_args(annotation) if one is not type(None))


def _kind(annotation: Any, field: FieldInfo) -> str:
    origin = typing.get_origin(annotation)
    if origin is Literal:
        return " or ".join(f'"{one}"' for one in typing.get_args(annotation))
    if origin is tuple:
        least = ", with at least one value" if rule(field, "min_length") else ""
        return f'a list of texts such as ["one", "two"]{least}'
    if origin is dict:
        of = "texts" if typing.get_args(annotation)[1] is str else "sections"
        return f"a table of {of}{', at least one' if rule(field, 'min_length') else ''}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "a table of settings"
    return _WORDS.get(annotation) or _text(field)


def _text(field: FieldInfo) -> str:
    if field.examples:
        return "text such as " + " or ".join(f'"{one}"' for one in field.examples)
    return "text in quotes" + (", not empty" if rule(field, "min_length") else "")


def shown(value: Any) -> str:
    """A value of a settings file, as a message quotes it."""
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if isinstance(value, date | time) else repr(value)
