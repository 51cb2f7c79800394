"""Makes a CSV file safe to split in parallel: every quote is closed, all line ends are the same.

A parallel reader splits a file by line ends and quotes. One quote that is never closed made DuckDB
2.0 lose thousands of rows up to its next buffer, with one reject that named another line; one line
with another line end than the first made it refuse the file. So a file with quotes, other line
ends or blank lines is read line by line here and copied, and each record is counted.
"""

from __future__ import annotations

import csv
import gzip
import io
import itertools
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, NamedTuple

from conversion_platform.days import counted

_CHUNK = 1 << 20
_TOGETHER = 2000
_MOST_LINES = 1000  # a value of more lines than this is taken as an unclosed quote


class Unsafe(NamedTuple):
    """A line that is not given to the reader: what is wrong with it, and its text."""

    detail: str
    text: str


@dataclass(frozen=True)
class Lines:
    """A CSV file that is ready to be split.

    Attributes:
        location: The file to read: the original, or its copy.
        records: Its records, without the header and without blank lines.
        unsafe: Number of a record (1 = the first after the header) whose quotes would
            mislead a reader, and the record. The copy has a record with too many fields in its
            place.
    """

    location: str
    records: int
    unsafe: dict[int, Unsafe] = field(default_factory=dict)


def safe_lines(path: Path, delimiter: str, columns: int, copy: Path) -> Lines:
    """Return the file, or a copy of it that can be split without losing a record.

    Args:
        path: The file; `.gz` is unpacked.
        delimiter: Delimiter of its fields.
        columns: Number of columns in its header.
        copy: Path of the copy, if one is needed.

    Raises:
        OSError: the file cannot be read.
        EOFError: its gzip stream does not end.
    """
    lines = _count_if_plain(path)
    if lines is not None:
        return Lines(str(path), max(lines - 1, 0))
    records = _Records(delimiter, columns)
    with (
        opened(path) as stream,
        # Latin-1 keeps every byte as it is, valid UTF-8 or not; None makes all line ends one.
        io.TextIOWrapper(stream, encoding="latin-1", newline=None) as text,
        copy.open("w", encoding="latin-1", newline="\n") as out,
    ):
        out.write(_ended(next((line for line in text if line != "\n"), "")))
        for record in records.of(text):
            out.write(record)
    return Lines(str(copy), records.count, records.unsafe)


def opened(path: Path) -> gzip.GzipFile | BinaryIO:
    """Open a file to read its bytes, decompressed."""
    return gzip.GzipFile(path) if is_packed(path) else path.open("rb")


def is_packed(path: Path) -> bool:
    """Return whether a file's name says that it is a gzip stream."""
    return path.suffix.lower() == ".gz"


def _count_if_plain(path: Path) -> int | None:
    """Return the number of lines of a plain file, else None.

    A plain file has no quotes, carriage returns or blank lines.
    """
    lines, last = 0, b"\n"
    with opened(path) as stream:
        while chunk := stream.read(_CHUNK):
            if b'"' in chunk or b"\r" in chunk or b"\n\n" in last + chunk:
                return None
            lines += chunk.count(b"\n")
            last = chunk[-1:]
    return lines + (last != b"\n")


def _ended(line: str) -> str:
    return line if line.endswith("\n") else f"{line}\n"


class _Feed:
    """The lines of a file, and those that belong to the record that is being read."""

    def __init__(self, text: Iterator[str]) -> None:
        self.taken: list[str] = []
        self.used = 0
        self._text = text
        self._given_back: deque[str] = deque()
        self.ended = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if len(self.taken) == _MOST_LINES:
            raise csv.Error
        line = self._given_back.popleft() if self._given_back else next(self._text, None)
        if line is None:
            self.ended = True
            raise StopIteration
        self.taken.append(line)
        return line

    @property
    def quote_is_open(self) -> bool:
        """Whether the current record took all remaining lines, or more than a record may have."""
        return self.ended or len(self.taken) == _MOST_LINES

    def begin_record(self) -> None:
        """Start a record: count the lines of the one before."""
        self.ended = False
        self.used += len(self.taken)
        self.taken.clear()

    def many(self) -> list[str]:
        """Return the next batch of lines."""
        lines = list(itertools.islice(self._text, max(_TOGETHER - len(self._given_back), 0)))
        lines = [*self._given_back, *lines]
        self._given_back.clear()
        self.taken.clear()
        self.used = 0
        return lines

    def give_back(self, lines: list[str]) -> None:
        """Put lines back, to be read again."""
        self._given_back.extendleft(reversed(lines))


class _Records:
    """Joins the lines of a file to records."""

    def __init__(self, delimiter: str, columns: int) -> None:
        self.count = 0
        self.unsafe: dict[int, Unsafe] = {}
        self._delimiter = delimiter
        self._columns = columns

    def of(self, text: Iterator[str]) -> Iterator[str]:
        """Yield the records as lines to write, without blank lines."""
        feed = _Feed(text)
        while lines := feed.many():
            if self._are_plain(lines):
                self.count += len(lines)
                yield _ended("".join(lines))
            else:
                feed.give_back(lines)
                yield from self._one_by_one(feed, len(lines))

    def _are_plain(self, lines: list[str]) -> bool:
        """Return whether each line is a whole record without a quote in its values."""
        try:
            rows = list(self._reader(lines))
        except csv.Error:
            return False
        return (
            len(rows) == len(lines)
            and all(len(row) == self._columns for row in rows)
            and not any('"' in "".join(row) for row in rows)
        )

    def _one_by_one(self, feed: _Feed, lines: int) -> Iterator[str]:
        """Yield the records that begin within the next lines."""
        reader = self._reader(feed)
        while feed.used < lines:
            try:
                fields = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield self._refused(feed, _problem(feed, error))
                reader = self._reader(feed)
            else:
                if fields:  # a blank line has none
                    yield self._record(feed, fields)
            feed.begin_record()

    def _record(self, feed: _Feed, fields: list[str]) -> str:
        surplus = len(fields) - self._columns
        if surplus and not (surplus == 1 and not fields[-1]):  # one more empty field is accepted
            return self._refused(
                feed, f"It has {counted(len(fields), 'field')}, not {self._columns}."
            )
        self.count += 1
        if any('"' in value for value in fields):
            return self._written(fields)
        return _ended("".join(feed.taken))

    def _refused(self, feed: _Feed, problem: str) -> str:
        """Mark only the first line as broken: those after it may be records."""
        self.count += 1
        line = feed.taken[0].rstrip("\n").encode("latin-1").decode("utf-8", "replace")
        self.unsafe[self.count] = Unsafe(problem, line)
        feed.give_back(feed.taken[1:])
        del feed.taken[1:]
        return self._delimiter * self._columns + "x\n"

    def _reader(self, lines: Iterable[str]) -> Iterator[list[str]]:
        return csv.reader(lines, delimiter=self._delimiter, strict=True)

    def _written(self, fields: list[str]) -> str:
        """Return a record as a CSV line; quotes in its values, as in `5" pipe`, are escaped."""
        out = io.StringIO(newline="")
        csv.writer(out, delimiter=self._delimiter, lineterminator="\n").writerow(fields)
        return out.getvalue()


def _problem(feed: _Feed, error: csv.Error) -> str:
    if feed.quote_is_open:
        return "A quote does not close."
    return f"It cannot be split: {error}."
