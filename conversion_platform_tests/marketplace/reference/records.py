"""A CSV file as records, one character at a time."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from conversion_platform_tests.marketplace.reference.settings import How
from conversion_platform_tests.marketplace.reference.verdict import RefusedError

MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


class BrokenError(Exception):
    """A line is no record."""


@dataclass(frozen=True)
class Records:
    """A CSV file.

    Attributes:
        header: Names in its header.
        records: The fields of each record after it, None where the line is broken.
    """

    header: list[str]
    records: list[list[str] | None]


def csv_records(path: Path, how: How) -> Records:
    """Return the records of a file.

    Raises:
        RefusedError: it has no header.
    """
    lines = _lines(path, how.encoding)[how.header_row - 1 :]
    start = next((place for place, line in enumerate(lines) if line), None)
    if start is None:
        raise RefusedError("empty file")
    delimiter = how.delimiter or _most_frequent(_header_text(lines[start:]))
    header, place = _record(lines, start, delimiter)
    if not any(name.strip() for name in header):
        raise RefusedError("no header")
    return Records(header, list(_rows(lines, place, delimiter, len(header))))


def _lines(path: Path, encoding: str) -> list[str]:
    """Return the lines of a file, of whatever ends; bytes that are no text are lone surrogates."""
    data = path.read_bytes()
    if path.name.lower().endswith(".gz"):
        data = gzip.decompress(data)
    for mark, name in MARKS.items():
        if data.startswith(mark):
            encoding = name
    text = data.decode(encoding, "surrogateescape")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return lines if lines[-1] else lines[:-1]


def _header_text(lines: list[str]) -> str:
    """Return the lines of a header: it ends where all of its quotes are closed."""
    text = lines[0]
    for line in lines[1:]:
        if text.count('"') % 2 == 0:
            break
        text += "\n" + line
    return text


def _most_frequent(header: str) -> str:
    outside = "".join(header.split('"')[::2])
    return max(",;\t|", key=outside.count)


def _rows(lines: list[str], place: int, delimiter: str, width: int) -> Iterator[list[str] | None]:
    while place < len(lines):
        if not lines[place]:  # a blank line is no record
            place += 1
            continue
        try:
            fields, after = _record(lines, place, delimiter)
            if len(fields) == width + 1 and not fields[-1]:  # a delimiter at the end of the line
                fields = fields[:-1]
            if len(fields) != width or _has_bad_bytes(lines[place:after]):
                raise BrokenError
        except BrokenError:
            yield None
            place += 1
        else:
            yield fields
            place = after


def _has_bad_bytes(lines: list[str]) -> bool:
    return any("\udc80" <= mark <= "\udcff" for line in lines for mark in line)


def _record(lines: list[str], place: int, delimiter: str) -> tuple[list[str], int]:
    """Return the fields of the record that begins on a line, and the line after it.

    Raises:
        BrokenError: a quote does not close, or something other than a delimiter stands behind it.
    """
    fields, rest = [], lines[place]
    while True:
        if not rest.startswith('"'):
            field, mark, rest = rest.partition(delimiter)
        else:
            field, rest, place = _quoted(lines, place, rest[1:])
            if rest and not rest.startswith(delimiter):
                raise BrokenError
            mark, rest = rest[:1], rest[1:]
        fields.append(field)
        if not mark:
            return fields, place + 1


def _quoted(lines: list[str], place: int, rest: str) -> tuple[str, str, int]:
    """Return a value up to its closing quote, what stands behind that, and its line."""
    value = ""
    while True:
        text, quote, rest = rest.partition('"')
        value += text
        if not quote:
            place += 1
            if place == len(lines):
                raise BrokenError
            value, rest = value + "\n", lines[place]
        elif rest.startswith('"'):
            value, rest = value + '"', rest[1:]
        else:
            return value, rest, place
