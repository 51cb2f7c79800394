"""The head of a CSV file: its encoding, its delimiter, and the names of its columns.

They are taken from the first bytes, the header and the settings, never guessed from the rows, but
for a header that ends in a delimiter: the first rows tell whether it has a column more. A file of
another format that is only named like a CSV file is refused.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from conversion_platform.errors import SourceError
from conversion_platform.marketplace.files import SourceFile
from conversion_platform.marketplace.header_rows import tells_names

if TYPE_CHECKING:
    from conversion_platform.settings import InputSection

_DELIMITERS = (",", ";", "\t", "|")
_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
# First bytes of files that are often named `.csv`, and what they are.
_OTHERS = {
    b"PAR1\x15": "a Parquet file",  # a text may begin with PAR1
    b"\x1f\x8b": "a gzip file",
    b"PK\x03\x04": "a ZIP archive (a workbook of Excel is one too)",
    b"\xd0\xcf\x11\xe0": "an old workbook of Excel",
    b"\x28\xb5\x2f\xfd": "a Zstandard file",
    b"\xfd7zXZ\x00": "an xz file",
    b"SQLite format 3\x00": "an SQLite database",
}
_REMEDIES = {
    b"PAR1\x15": 'Name it `.parquet`, or set {setting}.format = "parquet".',
    b"\x1f\x8b": "Name it `.csv.gz`.",
}
# What DuckDB calls the encodings that it reads, by their names in Python.
_OF_DUCKDB = {
    **dict.fromkeys(("ascii", "utf-8", "utf-8-sig"), "utf-8"),
    **dict.fromkeys(("utf-16", "utf-16-le"), "utf-16"),
    "iso8859-1": "latin-1",
}
_BIG_ENDIAN = b"\xfe\xff"  # DuckDB reads no row of such a file
MOST_LINES = 1000  # a value of more lines than this is taken as an unclosed quote
_LOOKED_AT = 20  # first lines of a file among which a header is looked for


@dataclass(frozen=True)
class Head:
    """How a CSV file begins.

    Attributes:
        names: Names in its header.
        delimiter: Delimiter of its fields.
        encoding: Its encoding.
        before: Lines before its header.
        wider: Number of the line with most fields, if it has more than the header: what was taken
            as the header may be a title. None if there is no such line.
        duckdb_encoding: What DuckDB calls its encoding; None if DuckDB cannot read it.
        is_doubted: Whether its header may be a row: nothing says that its names are names.
    """

    names: tuple[str, ...]
    delimiter: str
    encoding: str
    before: int = 0
    wider: int | None = None
    duckdb_encoding: str | None = "utf-8"
    is_doubted: bool = False


def head_of(file: SourceFile, setting: str, section: InputSection) -> Head:
    """Return the head of a file on the local disk.

    Raises:
        SourceError: it is no CSV file, has no header, or its header is in another encoding.
        OSError, EOFError, UnicodeError, csv.Error: it cannot be read.
    """
    path, before = Path(file.location), section.header_row - 1
    with opened(path) as stream:
        start = stream.read(16)
    _refuse_others(start, file, setting)
    encoding = next((name for mark, name in _MARKS.items() if start.startswith(mark)), None)
    encoding = encoding or section.encoding
    with opened(path) as stream, text_of(stream, encoding) as text:
        first = list(itertools.islice(text, before + _LOOKED_AT))
        below = itertools.chain(first[before:], text)
        lines = header_lines(below)
        delimiter = section.delimiter or _delimiter("".join(lines))
        names = first_record(itertools.chain(lines, below), delimiter)
    if not any(name.strip() for name in names):
        raise SourceError(
            f"{setting}: {file.shown} is empty: it has no header line{_at(section)}.",
            "Export the file again, with its column names in the first line.",
        )
    _require_decoded(names, file, setting, encoding)
    rows = _rows_below(first[before:], delimiter)
    names = _with_fields(names, rows)
    wider = _wider(first, section.delimiter, len(names))
    is_doubted = not tells_names(names, rows, _mapped(section))
    known = _of_duckdb(encoding, start)
    return Head(tuple(names), delimiter, encoding, before, wider, known, is_doubted)


def _mapped(section: InputSection) -> frozenset[str]:
    """Return the names of columns in a source's settings; those of an input have none."""
    from conversion_platform.settings import SourceSection

    return frozenset(section.columns.values() if isinstance(section, SourceSection) else ())


def _of_duckdb(encoding: str, start: bytes) -> str | None:
    if start.startswith(_BIG_ENDIAN):
        return None
    return _OF_DUCKDB.get(codecs.lookup(encoding).name)


def _at(section: InputSection) -> str:
    return f" in row {section.header_row} or below" if section.header_row > 1 else ""


def _require_decoded(names: list[str], file: SourceFile, setting: str, encoding: str) -> None:
    if bad := undecoded("".join(names)):
        raise SourceError(
            f"{setting}: the header of {file.shown} is not {encoding.upper()}.",
            f'Name its encoding: {setting}.encoding = "{likely_encoding(bad)}" (or another one, '
            "such as utf-16).",
        )


def undecoded(text: str) -> bytes:
    """Return the bytes of a text that could not be decoded."""
    return bytes(ord(one) - 0xDC00 for one in text if "\udc80" <= one <= "\udcff")


def likely_encoding(bad: bytes) -> str:
    """Return the encoding of a text of the West, given its bytes that are not UTF-8.

    Latin-1 has no sign at 0x80 to 0x9f; Windows-1252 has quotes, dashes and the euro there, but not
    at each of them.
    """
    try:
        bad.decode("cp1252")
    except UnicodeDecodeError:
        return "latin-1"
    return "cp1252" if any(0x80 <= byte <= 0x9F for byte in bad) else "latin-1"


def _refuse_others(start: bytes, file: SourceFile, setting: str) -> None:
    """Refuse a file that is none of text, by its first bytes (of what is in it, if packed)."""
    found = next((mark for mark in _OTHERS if start.startswith(mark)), None)
    if found:
        raise SourceError(
            f"{setting}: {file.shown} is {_OTHERS[found]}, but its name does not say so.",
            _REMEDIES.get(found, "Export the table as CSV or Parquet.").format(setting=setting),
        )


def _delimiter(line: str) -> str:
    return max(_DELIMITERS, key=lambda mark: _outside_quotes(line, mark))


def _outside_quotes(text: str, mark: str) -> int:
    return sum(part.count(mark) for part in text.split('"')[::2])


def _rows_below(first: Sequence[str], delimiter: str) -> list[list[str]]:
    """Return the records below the header that the first lines hold whole.

    Args:
        first: The first lines, from the header on.
        delimiter: The delimiter.
    """
    _, *rows = (row for row in csv.reader(first, delimiter=delimiter) if row)
    return rows[:-1] if len(first) == _LOOKED_AT else rows  # the last one may go on


def _with_fields(names: list[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the names without an empty last one that the first rows have no field for.

    Args:
        names: The names, the last of which is empty if a delimiter ends the header alone.
        rows: The first rows.
    """
    if len(names) == 1 or names[-1].strip():
        return names
    last = len(names) - 1
    is_short = any(len(row) == last for row in rows)
    has_value = any(len(row) > last and row[last] for row in rows)
    return names[:-1] if is_short and not has_value else names


def _wider(lines: Sequence[str], delimiter: str | None, columns: int) -> int | None:
    """Return the number of the line, among the first, with most fields, if it has more."""
    fields = [1 + _outside_quotes(line, delimiter or _delimiter(line)) for line in lines]
    most = max(fields, default=0)
    return fields.index(most) + 1 if most > columns else None


def opened(path: Path) -> gzip.GzipFile | BinaryIO:
    """Open a file to read its bytes, decompressed."""
    return gzip.GzipFile(path) if is_packed(path) else path.open("rb")


def text_of(stream: gzip.GzipFile | BinaryIO, encoding: str) -> io.TextIOWrapper:
    """Return the lines of a stream with one kind of end; bad bytes become lone surrogates."""
    return io.TextIOWrapper(stream, encoding=encoding, errors="surrogateescape", newline=None)


def is_packed(path: Path) -> bool:
    """Return whether a file's name says that it is a gzip stream."""
    return path.suffix.lower() == ".gz"


def header_lines(text: Iterable[str]) -> list[str]:
    """Return the first line that is not blank, and those after it up to where its quotes close.

    Where they do not close, it is more lines than a header has.
    """
    lines: list[str] = []
    is_open = False
    for line in itertools.islice(itertools.dropwhile("\n".__eq__, text), MOST_LINES):
        lines.append(line)
        is_open ^= line.count('"') % 2 == 1
        if not is_open:
            break
    return lines


def first_record(text: Iterable[str], delimiter: str) -> list[str]:
    """Return the fields of the first record that is not blank; it may span lines, if quoted."""
    rows = csv.reader(itertools.islice(text, MOST_LINES), delimiter=delimiter)
    return next((row for row in rows if row), [])
