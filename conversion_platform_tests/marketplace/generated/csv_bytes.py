"""Rows as the bytes of a CSV file: encodings, line ends, quotes, and lines that are no rows."""

from __future__ import annotations

import gzip
import random
from collections.abc import Sequence
from dataclasses import dataclass

from conversion_platform_tests.marketplace.reference import How


@dataclass(frozen=True)
class Style:
    """How a CSV file is written.

    Attributes:
        encoding: Its encoding; `utf-8-sig` and `utf-16` begin with a byte-order mark.
        delimiter: Delimiter of its fields.
        ends: Line ends, of which one is drawn for each line.
        quoted: Share of fields in quotes that need none.
        ended: Whether its last line has an end.
        broken: Share of lines that are no rows.
        packed: Whether it is a gzip stream.
        before: Lines before the header.
    """

    encoding: str
    delimiter: str
    ends: Sequence[str]
    quoted: float
    ended: bool
    broken: float
    packed: bool
    before: int


def style_of(rng: random.Random, how: How, packed: bool) -> Style:
    """Return a style of a file.

    Args:
        rng: The source of chance.
        how: The settings of its source.
        packed: Whether it is a gzip stream.
    """
    encoding = how.encoding
    if encoding == "utf-16" or rng.random() < 0.15:
        encoding = rng.choice(("utf-8-sig", "utf-16")) if encoding != "utf-16" else "utf-16"
    ends = rng.choice((("\n",), ("\n",), ("\r\n",), ("\r",), ("\n", "\r\n", "\r")))
    quoted = rng.choice((0.0, 0.0, 0.2, 1.0))
    broken = rng.choice((0.0, 0.0, 0.05, 0.15))
    mark = how.delimiter or rng.choice((",", ",", ";", "\t", "|"))
    ended = rng.random() < 0.8
    return Style(encoding, mark, ends, quoted, ended, broken, packed, how.header_row - 1)


def csv_bytes(
    rng: random.Random, style: Style, header: Sequence[str], rows: Sequence[Sequence[str]]
) -> bytes:
    """Return the bytes of a file."""
    first = _line(rng, style, header)
    lines = [_encoded(style, first)]
    if rng.random() < 0.05:
        lines.insert(0, b"")
    titles = ("", "Report of March", "sep=;", 'pipes of 5", new', "a,b;c\td|e", ",,,")
    lines = [*(_encoded(style, rng.choice(titles)) for _ in range(style.before)), *lines]
    for row in rows:
        if rng.random() < style.broken:
            lines += _broken(rng, style, row, first)
        lines.append(_encoded(style, _line(rng, style, row)))
    last = len(lines) - 1
    data = b"".join(
        line + (_encoded(style, rng.choice(style.ends)) if place < last or style.ended else b"")
        for place, line in enumerate(lines)
    )
    mark = {"utf-8-sig": b"\xef\xbb\xbf", "utf-16": b"\xff\xfe"}.get(style.encoding, b"")
    data = mark + data
    if not style.packed:
        return data
    cut = rng.randrange(len(data) + 1) if rng.random() < 0.3 else 0  # gzip streams one by one
    return b"".join(gzip.compress(part, mtime=0) for part in (data[:cut], data[cut:]) if part)


def _encoded(style: Style, text: str) -> bytes:
    plain = {"utf-8-sig": "utf-8", "utf-16": "utf-16-le"}.get(style.encoding, style.encoding)
    return text.encode(plain, "replace")


def _line(rng: random.Random, style: Style, fields: Sequence[str]) -> str:
    return style.delimiter.join(_field(rng, style, text) for text in fields)


def _field(rng: random.Random, style: Style, text: str) -> str:
    needs = style.delimiter in text or "\n" in text or "\r" in text or text.startswith('"')
    if needs or rng.random() < style.quoted:
        text = text.replace("\n", rng.choice(style.ends))
        return '"' + text.replace('"', '""') + '"'
    return text


def _broken(rng: random.Random, style: Style, row: Sequence[str], first: str) -> list[bytes]:
    """Return lines that are no rows, or that nobody counts."""
    line = _line(rng, style, row)
    mark = style.delimiter
    kinds = [
        _encoded(style, ""),
        _encoded(style, "   "),
        _encoded(style, line + mark),
        _encoded(style, line + mark + "x" + mark),
        _encoded(style, line.rpartition(mark)[0]),
        _encoded(style, f'"never closed{mark}{line}'),
        _encoded(style, f'"closed"behind{mark}{line}'),
        _encoded(style, first),
        _encoded(style, f"\ufeff{first}"),
    ]
    if style.encoding in ("utf-8", "utf-8-sig", "ascii"):
        kinds.append(_encoded(style, line) + b"caf\xe9")
    if style.encoding == "cp1252":
        kinds.append(b"\x81" + _encoded(style, line))
    return [rng.choice(kinds)]
