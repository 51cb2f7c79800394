"""Proposes settings that would read the cells and lines of a source that cannot be read.

A proposal is made where one setting reads every such cell of a column; the person decides, as only
they know whether 03/04/2026 is in March or April.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from conversion_platform.lake import quoted, rendered
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
)
_MOST_FORMATS = 3
_NOT_DECODED = "It is not UTF-8."


def proposals(source: Source) -> tuple[str, ...]:
    """Return settings to add, one sentence each.

    Args:
        source: A source with all of its steps.
    """
    return tuple(_of_source(source))


def _of_source(source: Source) -> Iterator[str]:
    setting = source.contract.setting
    if any(line.detail == _NOT_DECODED for line in source.relation.broken):
        yield (
            f"Lines of {source.relation.place} are not UTF-8 and look like Latin-1: "
            f'{setting}.encoding = "latin-1" (from Windows: "cp1252").'
        )
    for cell in source.cells:
        if cell.column and cell.is_text and cell.field.kind in ("time", "end"):
            yield from _of_times(source, cell)
        elif cell.column and cell.is_text and cell.field.kind in ("number", "integer"):
            yield from _of_numbers(source, cell)


def _texts(source: Source, cell: Cell) -> dict[str, list[str]]:
    """Return the texts of a column that cannot be read, by reason."""
    query = rendered(FOLDER, "unread_texts", source=source.contract.name, column=quoted(cell.name))
    found: dict[str, list[str]] = {}
    for reason, text in source.pipeline.con.execute(query).fetchall():
        found.setdefault(reason, []).append(text)
    return found


def _of_times(source: Source, cell: Cell) -> Iterator[str]:
    setting, texts = source.contract.setting, _texts(source, cell)
    if "time_without_zone" in texts:
        zone = source.session.settings.platform.time_zone
        yield (
            f"{cell.name} has times without a zone: {setting}.time_zone = {_toml(zone)}, if they "
            "are that zone's."
        )
    formats = _formats(source, texts.get("not_a_time", []))
    if not formats:
        return
    written = _toml(formats[0]) if len(formats) == 1 else f"[{', '.join(map(_toml, formats))}]"
    other = [_swapped(one) for one in formats]
    doubt = ""
    if other != formats and _read_all(source, texts["not_a_time"], other):
        doubt = f" Or {_toml(other[0])}: each text can be read either way."
    looks = f"{cell.name} looks like {_in_words(formats[0])}"
    yield f"{looks}: {setting}.date_format = {written}.{doubt}"


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
        f"SELECT t FROM (SELECT unnest(?) AS t) WHERE steps.reading(t, [{listed}]) IS NULL",
        [list(texts)],
    ).fetchall()
    return [text for (text,) in rows]


def _read_all(source: Source, texts: Sequence[str], formats: Sequence[str]) -> bool:
    return not _unread_by(source, texts, formats)


def _swapped(written: str) -> str:
    """Return a format with day and month exchanged, unless it begins with the year."""
    if written.startswith("%Y-"):
        return written
    return written.replace("%m", "\0").replace("%d", "%m").replace("\0", "%d")


def _in_words(written: str) -> str:
    words = {"%m": "MM", "%d": "DD", "%Y": "YYYY", "%b": "Mon", "%H": "hh", "%I": "hh", "%M": "mm"}
    for code, word in {**words, "%S": "ss", "%p": "AM"}.items():
        written = written.replace(code, word)
    return written


def _of_numbers(source: Source, cell: Cell) -> Iterator[str]:
    texts = _texts(source, cell).get("not_a_number", [])
    if not texts or source.section.decimal == ",":
        return
    row = source.pipeline.con.execute(
        r"SELECT count(steps.number(t, ',', '.\s', NULL, NULL)) FROM (SELECT unnest(?) AS t)",
        [texts],
    ).fetchone()
    if row and row[0] == len(texts) and any("," in text for text in texts):
        looks = f"{cell.name} looks like numbers with a decimal comma"
        yield f'{looks}: {source.contract.setting}.decimal = ",".'


def _toml(text: str) -> str:
    return f'"{text}"'
