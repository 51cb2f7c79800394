"""Proposes settings that would read the cells and lines of a source that cannot be read.

A proposal is made where one setting reads every such cell of a column; the person decides, as only
they know whether 03/04/2026 is in March or April.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from conversion_platform.lake import quoted, rendered
from conversion_platform.marketplace.cell_patterns import means_missing
from conversion_platform.marketplace.csv_heads import likely_encoding
from conversion_platform.marketplace.notation import Notation
from conversion_platform.marketplace.relation import Broken
from conversion_platform.marketplace.source_steps import Source
from conversion_platform.marketplace.steps import FOLDER
from conversion_platform.marketplace.values import Cell

_HALF_DAYS = (" %I:%M %p", " %I:%M:%S %p", " %I:%M%p", " %I:%M:%S%p")
_CLOCKS = ("", " %H:%M", " %H:%M:%S", *_HALF_DAYS)
_DATES = (
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%d.%m.%Y",
    "%m-%d-%Y",
    "%d-%m-%Y",
    "%d-%b-%Y",
    "%b %d, %Y",
    "%Y%m%d",
    "%m/%d/%y",
    "%d/%m/%y",
    "%d.%m.%y",
    "%m-%d-%y",
    "%d-%m-%y",
    "%d-%b-%y",
)
_MOST_FORMATS = 3
# The most usual first; what one does not name stays as it is.
_NUMBERS = (
    *({"decimal": ","}, {"decimal": "."}, {"thousands": ","}, {"thousands": "."}),
    *({"decimal": ",", "thousands": "."}, {"decimal": ".", "thousands": ","}),
)
_MARKS = {"decimal": "decimal mark", "thousands": "mark of thousands"}
_TIMES = ("time", "far_time")
_ENCODINGS = {
    "latin-1": "Latin-1",
    "cp1252": "Windows-1252 (they have its quotes, dashes or euro signs)",
}
_SERIALS = (30000, 60000)
_YEARS = "1900 AND 2199"


def proposals(source: Source) -> tuple[str, ...]:
    """Return settings to add, one sentence each.

    Args:
        source: A source with all of its steps.
    """
    return tuple(_of_source(source))


def _of_source(source: Source) -> Iterator[str]:
    yield from _of_encodings(source)
    texts = {
        cell.name: _texts(source, cell)
        for cell in source.cells
        if cell.column and cell.field.kind != "id" and (cell.is_text or cell.field.kind in _TIMES)
    }
    missing = sorted({text for one in texts.values() for text in _all(one) if means_missing(text)})
    if missing:
        listed = ", ".join(map(_toml, [*source.section.null_values, *missing]))
        named = ", ".join(name for name, one in texts.items() if {*missing} & {*_all(one)})
        setting = f"{source.contract.setting}.null_values"
        said = ", ".join(map(_toml, missing))
        yield f"{named}: {said} may mean a missing value: {setting} = [{listed}]."
    for cell in source.cells:
        unread = {
            reason: [text for text in found if text not in missing]
            for reason, found in texts.get(cell.name, {}).items()
        }
        if cell.field.kind in _TIMES:
            yield from _of_times(source, cell, unread)
        elif cell.field.kind in ("number", "integer"):
            yield from _of_numbers(source, cell, unread.get("not_a_number", []))


def _of_encodings(source: Source) -> Iterator[str]:
    """Yield what reads the lines that are not in the encoding of their source or input."""
    found: dict[tuple[str, str], Broken] = {}
    bad: dict[tuple[str, str], bytes] = {}
    for line in source.relation.broken:
        if line.not_in:
            place = (line.setting or source.contract.setting, line.not_in)
            found.setdefault(place, line)
            bad[place] = bytes({*bad.get(place, b""), *line.bad})
    for (setting, encoding), line in found.items():
        if encoding == "utf-8":
            likely = likely_encoding(bad[setting, encoding])
            yield (
                f"Lines of {line.source} are not UTF-8 and look like {_ENCODINGS[likely]}: "
                f"{setting}.encoding = {_toml(likely)}."
            )
        elif encoding == source.section.encoding or line.setting:
            yield f"Lines of {line.source} are not {encoding}: correct {setting}.encoding."
        else:
            yield (
                f"Lines of {line.source} are not {encoding}, as its byte-order mark says, which "
                f"counts for more than {setting}.encoding: export the file again."
            )


def _all(texts: Mapping[str, Sequence[str]]) -> list[str]:
    return [text for found in texts.values() for text in found]


def _texts(source: Source, cell: Cell) -> dict[str, list[str]]:
    """Return the texts of a column that cannot be read, by reason."""
    query = rendered(FOLDER, "unread_texts", source=source.contract.name, column=quoted(cell.name))
    found: dict[str, list[str]] = {}
    for reason, text in source.pipeline.con.execute(query).fetchall():
        found.setdefault(reason, []).append(text)
    return found


def _of_times(source: Source, cell: Cell, texts: Mapping[str, Sequence[str]]) -> Iterator[str]:
    setting = source.contract.setting
    if "time_without_zone" in texts:
        zone = source.session.settings.platform.time_zone
        yield (
            f"{cell.name} has times without a zone: {setting}.time_zone = {_toml(zone)}, if they "
            "are that zone's."
        )
    serial = [text for text in texts.get("not_a_time", []) if _is_serial(text)]
    written = [text for text in texts.get("not_a_time", []) if text not in {*serial}]
    if serial and not any(map(_is_number, written)):
        yield (
            f"{cell.name} looks like serial numbers of a spreadsheet (46023 is 2026-01-01), which "
            "no setting reads: export dates as text, such as 2026-01-31."
        )
    formats = _formats(source, written) if cell.is_text else []
    if not formats:
        return
    other = [_swapped(one) for one in formats]
    if other != formats and _read_all(source, written, other):
        yield _either(cell, setting, formats, other)
    else:
        looks = f"{cell.name} looks like {_in_words(formats[0])}"
        yield f"{looks}: {setting}.date_format = {_listed(formats)}."


def _is_serial(text: str) -> bool:
    """Return whether a text may be a day from 1982 to 2064, with a time, as spreadsheets count."""
    return _is_number(text) and _SERIALS[0] <= float(text) <= _SERIALS[1]


def _is_number(text: str) -> bool:
    return re.fullmatch(r"\d+(\.\d*)?", text, re.ASCII) is not None


def _either(cell: Cell, setting: str, formats: Sequence[str], other: Sequence[str]) -> str:
    """Return the question which of two formats is meant, the one with the month first."""
    place = next(i for i, (one, two) in enumerate(zip(formats, other, strict=True)) if one != two)
    month, day = sorted((formats, other), key=lambda one: _is_day_first(one[place]))
    words = f"{_in_words(month[place])} and {_in_words(day[place])}"
    return (
        f"{cell.name}: {words} both fit every text. If the "
        f"month comes first: {setting}.date_format = {_listed(month)}. If the day does: "
        f"{setting}.date_format = {_listed(day)}. Which is it?"
    )


def _is_day_first(written: str) -> bool:
    return written.index("%d") < written.index("%m")


def _listed(formats: Sequence[str]) -> str:
    return _toml(formats[0]) if len(formats) == 1 else f"[{', '.join(map(_toml, formats))}]"


def _formats(source: Source, texts: Sequence[str]) -> list[str]:
    """Return the fewest formats that read all of the texts; none if there are no such."""
    left = list(texts)
    chosen: list[str] = []
    while left and len(chosen) < _MOST_FORMATS:
        reads = {one: _unread_by(source, left, [one]) for one in _candidates()}
        best = min(reads, key=lambda one: len(reads[one]))
        if len(reads[best]) == len(left):
            return []
        chosen.append(best)
        left = reads[best]
    return [] if left else chosen


def _candidates() -> list[str]:
    year_first = [f"%Y-%m-%d{clock}" for clock in _HALF_DAYS]  # others are read without a format
    return [*(f"{day}{clock}" for day in _DATES for clock in _CLOCKS), *year_first]


def _unread_by(source: Source, texts: Sequence[str], formats: Sequence[str]) -> list[str]:
    listed = ", ".join(map(quoted, formats))
    rows = source.pipeline.con.execute(
        f"SELECT t FROM (SELECT unnest(?) AS t) WHERE "
        f"coalesce(year(steps.reading(t, [{listed}])) NOT BETWEEN {_YEARS}, true)",
        [list(texts)],
    ).fetchall()
    return [text for (text,) in rows]


def _read_all(source: Source, texts: Sequence[str], formats: Sequence[str]) -> bool:
    return not _unread_by(source, texts, formats)


def _swapped(written: str) -> str:
    """Return a format with day and month exchanged, unless the year or a name tells them apart."""
    if written.startswith("%Y") or "%m" not in written:
        return written
    return written.replace("%m", "\0").replace("%d", "%m").replace("\0", "%d")


def _in_words(written: str) -> str:
    words = {
        "%m": "MM",
        "%d": "DD",
        "%Y": "YYYY",
        "%y": "YY",
        "%b": "Mon",
        "%H": "hh",
        "%I": "hh",
        "%M": "mm",
    }
    for code, word in {**words, "%S": "ss", "%p": "AM"}.items():
        written = written.replace(code, word)
    return written


def _of_numbers(source: Source, cell: Cell, texts: Sequence[str]) -> Iterator[str]:
    if not texts or not cell.is_text:
        return
    setting = source.contract.setting
    for marks in _NUMBERS:
        changed = {key: mark for key, mark in marks.items() if mark != getattr(source.section, key)}
        notation = Notation.of(source.section.model_copy(update=changed))
        if changed and _reads_numbers(source, texts, notation) and _keeps(source, notation):
            looks = " and ".join(f"`{mark}` as {_MARKS[key]}" for key, mark in changed.items())
            lines = [f"{setting}.{key} = {_toml(mark)}" for key, mark in changed.items()]
            yield f"{cell.name} looks like numbers with {looks}: {', '.join(lines)}."
            return


def _reads_numbers(source: Source, texts: Sequence[str], notation: Notation) -> bool:
    row = source.pipeline.con.execute(
        f"SELECT count({_number('t', notation)}) FROM (SELECT unnest(?) AS t)", [list(texts)]
    ).fetchone()
    return bool(row and row[0] == len(texts))


def _keeps(source: Source, notation: Notation) -> bool:
    """Return whether every number of the source that can be read still can in a notation."""
    lost = [
        f"({_number(cell.cell, cell.notation)} IS NOT NULL "
        f"AND {_number(cell.cell, notation)} IS NULL)"
        for cell in source.cells
        if cell.is_text and cell.field.kind in ("number", "integer")
    ]
    texts = source.pipeline.named("texts")
    query = f"SELECT 1 FROM {texts} WHERE {' OR '.join(lost)} LIMIT 1"
    return source.pipeline.con.execute(query).fetchone() is None


def _number(text: str, notation: Notation) -> str:
    return f"steps.number({text}, {notation.decimal}, {notation.grouping}, NULL, NULL)"


def _toml(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # a JSON string is a TOML string
