"""Makes a CSV file safe to split in parallel: each record closes its quotes, lines end alike.

A parallel reader finds its way by line ends and quotes. One quote that never closes made DuckDB 2.0
lose thousands of rows up to its next buffer, with one reject that named another line; one line that
ends in another way than the first made it refuse the file. So a file with quotes, other line
ends or blank lines is read line by line here and copied, and each record is counted.
"""

from __future__ import annotations

import csv
import functools
import gzip
import io
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, NamedTuple

_CHUNK = 1 << 20
_OPEN = "A quote does not close."
_MOST_LINES = 1000  # a value of more lines than this is a quote that does not close


class Unsafe(NamedTuple):
    """A line that is kept from the reader: what is wrong with it, and its text."""

    detail: str
    text: str


@dataclass(frozen=True)
class Lines:
    """A CSV file that is ready to be split.

    Attributes:
        location: What to read: the file itself, or its copy.
        records: Its records, without the header and without blank lines.
        unsafe: Number of a record (1 = the first after the header) whose quotes would lead a
            reader astray, and what it is. In the copy a record with too many fields stands in
            its place.
    """

    location: str
    records: int
    unsafe: dict[int, Unsafe] = field(default_factory=dict)


def safe_lines(
    path: Path, delimiter: str, columns: int, copy: Path, thorough: bool = False
) -> Lines:
    """The file, or a copy of it that can be split without losing a record.

    Args:
        path: The file; `.gz` is unpacked.
        delimiter: What separates its fields.
        columns: How many its header has.
        copy: Where a copy goes if one is needed.
        thorough: Whether to look into every line that has a quote, not only into those with an
            odd number of them. That takes ten times as long.

    Raises:
        OSError: the file cannot be read.
        EOFError: its gzip stream does not end.
    """
    lines = None if thorough else _count_if_plain(path)
    if lines is not None:
        return Lines(str(path), max(lines - 1, 0))
    records = _Records(delimiter, columns, thorough)
    with (
        opened(path) as stream,
        # Latin-1 keeps every byte as it is, valid UTF-8 or not; None makes all line ends one.
        io.TextIOWrapper(stream, encoding="latin-1", newline=None) as text,
        copy.open("w", encoding="latin-1", newline="\n") as out,
    ):
        out.write(_ended(text.readline()))
        for record in records.of(text):
            out.write(record)
    return Lines(str(copy), records.count, records.unsafe)


def opened(path: Path) -> gzip.GzipFile | BinaryIO:
    """The bytes of a file, unpacked."""
    return gzip.GzipFile(path) if is_packed(path) else path.open("rb")


def is_packed(path: Path) -> bool:
    """Whether a file's name says that it is a gzip stream."""
    return path.suffix.lower() == ".gz"


def _count_if_plain(path: Path) -> int | None:
    """The number of lines of a file without quotes, carriage returns and blank lines."""
    lines, last = 0, b""
    with opened(path) as stream:
        while chunk := stream.read(_CHUNK):
            if b'"' in chunk or b"\r" in chunk or b"\n\n" in last + chunk:
                return None
            lines += chunk.count(b"\n")
            last = chunk[-1:]
    return lines + (last not in (b"", b"\n"))


def _ended(line: str) -> str:
    return line if line.endswith("\n") else f"{line}\n"


class _Records:
    """Puts the lines of a file together to records."""

    def __init__(self, delimiter: str, columns: int, thorough: bool) -> None:
        self.count = 0
        self.unsafe: dict[int, Unsafe] = {}
        self._delimiter = delimiter
        self._columns = columns
        self._thorough = thorough
        self._read = functools.partial(csv.reader, delimiter=delimiter, strict=True)

    def of(self, text: Iterator[str]) -> Iterator[str]:
        """The records as lines to write; blank lines are left out."""
        ahead: deque[str] = deque()
        while line := ahead.popleft() if ahead else next(text, ""):
            if line == "\n":
                continue
            self.count += 1
            quotes = line.count('"')
            if quotes % 2 or (self._thorough and quotes):
                yield self._quoted(line, ahead, text)
            else:
                yield _ended(line)

    def _quoted(self, line: str, ahead: deque[str], text: Iterator[str]) -> str:
        """One record that begins with `line`; the lines it does not need go to `ahead`."""
        alone = self._fields([line])
        if alone:
            return self._written(alone) if line.count('"') % 2 else _ended(line)
        if line.count('"') % 2 == 0 and self._problem(line) != _OPEN:
            return _ended(line)  # wrong in a way that leads nobody astray: the reader names it
        more = self._up_to_the_next_quote(ahead, text)
        if self._fields([line, *more]):
            return _ended("".join([line, *more]))
        ahead.extendleft(reversed(more))
        text_of_line = line.rstrip("\n").encode("latin-1").decode("utf-8", "replace")
        self.unsafe[self.count] = Unsafe(self._problem(line), text_of_line)
        return self._delimiter * self._columns + "x\n"  # an empty field more would be forgiven

    def _up_to_the_next_quote(self, ahead: deque[str], text: Iterator[str]) -> list[str]:
        """The next lines, to the first with an odd number of quotes."""
        lines: list[str] = []
        while len(lines) < _MOST_LINES:
            line = ahead.popleft() if ahead else next(text, "")
            if not line:
                break
            lines.append(line)
            if line.count('"') % 2:
                break
        return lines

    def _problem(self, line: str) -> str:
        try:
            fields = next(self._read([line]))
        except csv.Error as error:
            return _OPEN if "unexpected end of data" in str(error) else f"Stray quotes: {error}."
        return f"It has {len(fields)} fields, not {self._columns}."

    def _fields(self, lines: list[str]) -> list[str] | None:
        """The fields of the record that these lines are; None if they are not just one."""
        reader = self._read(lines)
        try:
            fields = next(reader)
        except (csv.Error, StopIteration):
            return None
        whole = reader.line_num == len(lines) and len(fields) == self._columns
        return fields if whole else None

    def _written(self, fields: list[str]) -> str:
        """A record whose quotes stand inside unquoted fields (5" pipe), quoted by the rules."""
        out = io.StringIO(newline="")
        csv.writer(out, delimiter=self._delimiter, lineterminator="\n").writerow(fields)
        return out.getvalue()
