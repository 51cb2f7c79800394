"""Makes a CSV file safe to split in parallel: every quote is closed, all line ends are the same.

A parallel reader splits a file by line ends and quotes. One quote that is never closed made DuckDB
2.0 lose thousands of rows up to its next buffer, with one reject that named another line; one line
with another line end than the first made it refuse the file; and whether it saw a byte that is not
UTF-8 depended on the columns that a query used. So a file with quotes, other line ends, or another
encoding is read line by line here and copied, and each record is counted.
"""

from __future__ import annotations

import codecs
import csv
import io
import itertools
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from conversion_platform.days import counted
from conversion_platform.marketplace.csv_heads import (
    MOST_LINES,
    Head,
    first_record,
    opened,
    text_of,
    undecoded,
)

_CHUNK = 1 << 18  # it stays in the cache of a core, and is looked at four times
_TOGETHER = 2000


class Unsafe(NamedTuple):
    """A line that is not given to the reader: what is wrong with it, and its text.

    Attributes:
        detail: What is wrong with it.
        text: The line.
        not_in: The encoding that it is not in; None if something else is wrong.
        bad: Its bytes that are not of that encoding.
    """

    detail: str
    text: str
    not_in: str | None = None
    bad: bytes = b""


@dataclass(frozen=True)
class Lines:
    """A CSV file that is ready to be split.

    Attributes:
        location: The file to read: the original, or its copy, which has no header and is UTF-8.
        copied: Whether it is a copy.
        records: Its records without the header; blank lines of an original are counted.
        trimmed: Whether it is known that no cell begins or ends with a blank.
        unsafe: Number of a record (1 = the first after the header) that would mislead a reader,
            and the record. The copy has a record with too many fields in its place.
    """

    location: str
    copied: bool
    records: int
    trimmed: bool = False
    unsafe: dict[int, Unsafe] = field(default_factory=dict)


def plain_lines(path: Path, delimiter: str) -> Lines | None:
    """Return the file if it can be split as it is, else None.

    Such a file is valid UTF-8 without quotes and carriage returns, and begins with its header.
    """
    lines, last, trimmed = 0, b"\n", True
    decoder = codecs.getincrementaldecoder("utf-8")()
    with opened(path) as stream:
        while chunk := stream.read(_CHUNK):
            if b'"' in chunk or b"\r" in chunk or (lines == 0 and chunk.startswith(b"\n")):
                return None
            ends = _line_ends(chunk)
            if chunk.isascii() and not decoder.getstate()[0]:
                trimmed = trimmed and not _has_blank_at_edge(last, chunk, ends, delimiter)
            else:
                trimmed = False  # it may have blanks that are not ASCII
                try:
                    decoder.decode(chunk)
                except UnicodeDecodeError:
                    return None
            lines += ends
            last = chunk[-1:]
    if decoder.getstate()[0]:
        return None
    records = max(lines + (last != b"\n") - 1, 0)
    trimmed = trimmed and not _has_blank_at_edge(last, b"\n", 1, delimiter)
    return Lines(str(path), False, records, trimmed)


def _line_ends(chunk: bytes) -> int:
    """Count line ends, in a quarter of the time that `bytes.count` takes for short lines."""
    return int(np.count_nonzero(np.frombuffer(chunk, np.uint8) == ord("\n")))


def _has_blank_at_edge(before: bytes, chunk: bytes, line_ends: int, delimiter: str) -> bool:
    """Return whether a cell of ASCII text begins or ends with a blank or a control character.

    To strip the cells of 20 million rows took a fifth of their load; most files need none of it.

    Args:
        before: The byte before the chunk.
        chunk: The text. Whether its last cell ends with a blank is seen in the next chunk.
        line_ends: The number of line ends in it.
        delimiter: What cells are separated by.
    """
    codes = np.frombuffer(chunk, np.uint8)
    if before > b" " and np.count_nonzero(codes <= ord(" ")) == line_ends:
        return False
    codes = np.frombuffer(before + chunk, np.uint8)
    is_edge = (codes == ord("\n")) | (codes == ord(delimiter))
    is_blank = (codes <= ord(" ")) & ~is_edge
    return bool(np.any(is_blank[:-1] & is_edge[1:]) or np.any(is_edge[:-1] & is_blank[1:]))


def safe_lines(path: Path, head: Head, copy: Path) -> Lines:
    """Copy a file so that it can be split without losing a record.

    Args:
        path: The file; `.gz` is unpacked.
        head: How it begins.
        copy: Path of the copy.

    Raises:
        OSError: the file cannot be read.
        EOFError: its gzip stream does not end.
        UnicodeDecodeError: a part of it is not in that encoding, and no line can be told from
            another.
    """
    records = _Records(head)
    with (
        opened(path) as stream,
        text_of(stream, head.encoding) as text,
        copy.open("w", encoding="utf-8", newline="\n") as out,
    ):
        for record in records.of(itertools.islice(text, head.before, None)):
            out.write(record)
    return Lines(str(copy), True, records.count, unsafe=records.unsafe)


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
        if len(self.taken) == MOST_LINES:
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
        return self.ended or len(self.taken) == MOST_LINES

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

    def __init__(self, head: Head) -> None:
        self.count = 0
        self.unsafe: dict[int, Unsafe] = {}
        self._delimiter = head.delimiter
        self._columns = len(head.names)
        self._encoding = head.encoding

    def of(self, text: Iterator[str]) -> Iterator[str]:
        """Yield the records after the header as lines to write, without blank lines."""
        first_record(text, self._delimiter)
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
            "".join(lines).encode()
        except (csv.Error, UnicodeEncodeError):
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
        if _is_escaped("".join(feed.taken)):
            return self._refused(feed, f"It is not {self._encoding.upper()}.", self._encoding)
        surplus = len(fields) - self._columns
        if surplus and not (surplus == 1 and not fields[-1]):  # one more empty field is accepted
            return self._refused(
                feed, f"It has {counted(len(fields), 'field')}, not {self._columns}."
            )
        self.count += 1
        if any('"' in value for value in fields):
            return self._written(fields)
        return _ended("".join(feed.taken))

    def _refused(self, feed: _Feed, problem: str, not_in: str | None = None) -> str:
        """Mark only the first line as broken: those after it may be records."""
        self.count += 1
        given = feed.taken[0].rstrip("\n").encode("utf-8", "surrogateescape")
        line = given.decode("utf-8", "replace")
        bad = undecoded("".join(feed.taken)) if not_in else b""
        self.unsafe[self.count] = Unsafe(problem, line, not_in, bad)
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


def _is_escaped(text: str) -> bool:
    """Return whether bytes of a text could not be decoded."""
    return any("\udc80" <= character <= "\udcff" for character in text)


def _problem(feed: _Feed, error: csv.Error) -> str:
    if feed.quote_is_open:
        return "A quote does not close."
    return f"It cannot be split: {error}."
