"""How many parts a text is billed as (GSM 03.38, 3GPP TS 23.038: 1,120 bits a part).

Neither an extension character (two septets), nor a surrogate pair, nor a grapheme is split across
parts, so dividing the length would undercount.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

GSM_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_EXTENDED = frozenset("^{}\\[]~|€\f")
_ALL_GSM = re.compile(f"[{re.escape(''.join(sorted(GSM_BASIC | GSM_EXTENDED)))}]*")
SINGLE = {"gsm7": 160, "ucs2": 70}
JOINED = {"gsm7": 153, "ucs2": 67}

PLAIN_FORMS = str.maketrans(
    {
        "‘": "'", "’": "'", "‚": "'", "‛": "'", "′": "'", "`": "'", "´": "'",  # noqa: RUF001
        "“": '"', "”": '"', "„": '"', "‟": '"', "″": '"', "«": '"', "»": '"',
        "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "―": "-", "−": "-",  # noqa: RUF001
        "…": "...", "•": "-", "·": "-", "×": "x", "™": "(TM)", "®": "(R)", "©": "(C)",  # noqa: RUF001
        "Ł": "L", "ł": "l", "Đ": "D", "đ": "d", "ı": "i", "Œ": "OE", "œ": "oe", "ẞ": "ß",  # noqa: RUF001
        "\u00a0": " ", "\u2002": " ", "\u2003": " ", "\u2009": " ", "\u202f": " ", "\t": " ",
        "\u200b": "", "\u200c": "", "\u2060": "", "\ufeff": "", "\u00ad": "",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Segments:
    """The billing of one text.

    Attributes:
        encoding: `gsm7` or `ucs2`.
        units: Septets (gsm7) or UTF-16 code units (ucs2).
        count: Parts; at least 1.
    """

    encoding: str
    units: int
    count: int


def count_segments(text: str) -> Segments:
    """Count the parts that a carrier bills for `text`."""
    if _is_gsm(text):
        sizes = [2 if character in GSM_EXTENDED else 1 for character in text]
        return _counted("gsm7", sizes)
    return _counted("ucs2", [size for part in graphemes(text) for size in _pieces(part)])


def _counted(encoding: str, sizes: list[int]) -> Segments:
    units = sum(sizes)
    if units <= SINGLE[encoding]:
        return Segments(encoding, units, 1)
    return Segments(encoding, units, _joined(sizes, JOINED[encoding]))


def _joined(sizes: list[int], room: int) -> int:
    """Parts needed when nothing in `sizes` may be split."""
    parts, free = 1, room
    for size in sizes:
        if size > free:
            parts, free = parts + 1, room
        free -= size
    return parts


def _pieces(grapheme: str) -> list[int]:
    """UTF-16 units of a grapheme; of each character, if it is longer than a part."""
    sizes = [2 if ord(character) > 0xFFFF else 1 for character in grapheme]
    return [sum(sizes)] if sum(sizes) <= JOINED["ucs2"] else sizes


def transliterate(text: str) -> str:
    """`text` with characters outside GSM-7 replaced by their plain forms, where they have one.

    Curly quotes, dashes, ellipses and odd blanks have plain forms; a letter with an accent that
    GSM-7 lacks loses it; emoji and other scripts stay as they are.
    """
    if _is_gsm(text):
        return text
    plain = text.translate(PLAIN_FORMS)
    return "".join(part if _is_gsm(part) else _unaccented(part) for part in graphemes(plain))


def _is_gsm(text: str) -> bool:
    return _ALL_GSM.fullmatch(text) is not None


def _unaccented(part: str) -> str:
    composed = unicodedata.normalize("NFC", part)
    if _is_gsm(composed):
        return composed
    bare = "".join(c for c in unicodedata.normalize("NFKD", part) if not unicodedata.combining(c))
    return bare if bare and _is_gsm(bare) else part


def graphemes(text: str) -> Iterator[str]:
    """What a reader takes for one character each: base letter with accents, emoji sequences,
    flags, Hangul syllables.
    """
    start = 0
    for end in range(1, len(text) + 1):
        if end == len(text) or not _sticks(text, start, end):
            yield text[start:end]
            start = end


def _sticks(text: str, start: int, at: int) -> bool:
    """Whether the character at `at` belongs to the grapheme that began at `start`."""
    before, here = text[at - 1], text[at]
    if here.isascii():
        return before == "\r" and here == "\n"
    if _extends(here):
        return before not in "\r\n\u200b"
    if before == "\u200d":
        return _is_pictograph(text[start]) and _is_pictograph(here) and not _is_flag_letter(here)
    if _is_flag_letter(here) and _is_flag_letter(before):
        return (at - start) % 2 == 1
    return _hangul_joins(before, here)


def _extends(character: str) -> bool:
    return (
        unicodedata.category(character) in ("Mn", "Me", "Mc")
        or character in "\u200c\u200d\u0e33\u0eb3"
        or "\U0001f3fb" <= character <= "\U0001f3ff"
        or "\U000e0020" <= character <= "\U000e007f"
    )


_PICTOGRAPH = re.compile(
    "[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u2600-\u27bf\u2900-\u297f"
    "\u2b00-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff]"
)


def _is_pictograph(character: str) -> bool:
    return _PICTOGRAPH.match(character) is not None


def _is_flag_letter(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _hangul_joins(before: str, here: str) -> bool:
    """Conjoining jamo make one syllable: leading consonants, vowels, trailing consonants."""
    first, second = _jamo(before), _jamo(here)
    return (first, second) in {
        ("L", "L"), ("L", "V"), ("L", "LV"), ("L", "LVT"),
        ("V", "V"), ("LV", "V"), ("V", "T"), ("LV", "T"), ("LVT", "T"), ("T", "T"),
    }  # fmt: skip


def _jamo(character: str) -> str | None:
    code = ord(character)
    if 0x1100 <= code <= 0x115F or 0xA960 <= code <= 0xA97C:
        return "L"
    if 0x1160 <= code <= 0x11A7 or 0xD7B0 <= code <= 0xD7C6:
        return "V"
    if 0x11A8 <= code <= 0x11FF or 0xD7CB <= code <= 0xD7FB:
        return "T"
    if 0xAC00 <= code <= 0xD7A3:
        return "LV" if (code - 0xAC00) % 28 == 0 else "LVT"
    return None
