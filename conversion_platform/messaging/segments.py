"""How many parts a message is billed as (GSM 03.38, 3GPP TS 23.038: 1,120 bits a part).

Neither an extension character (two septets), nor a surrogate pair, nor a grapheme is split across
parts, so dividing the length would undercount.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from wcwidth import iter_graphemes

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
    """The billing of one message.

    Attributes:
        encoding: `gsm7` or `ucs2`.
        units: Septets (gsm7) or UTF-16 code units (ucs2).
        count: Parts; at least 1.
    """

    encoding: str
    units: int
    count: int


def count_segments(text: str) -> Segments:
    """Count the parts that a provider bills for `text`."""
    if _is_gsm(text):
        sizes = [2 if character in GSM_EXTENDED else 1 for character in text]
        return _counted("gsm7", sizes)
    return _counted("ucs2", [size for part in iter_graphemes(text) for size in _pieces(part)])


def _counted(encoding: str, sizes: list[int]) -> Segments:
    units = sum(sizes)
    if units <= SINGLE[encoding]:
        return Segments(encoding, units, 1)
    return Segments(encoding, units, _joined(sizes, JOINED[encoding]))


def _joined(sizes: list[int], size_of_part: int) -> int:
    """Return the parts needed when nothing in `sizes` may be split."""
    parts, free = 1, size_of_part
    for size in sizes:
        if size > free:
            parts, free = parts + 1, size_of_part
        free -= size
    return parts


def _pieces(grapheme: str) -> list[int]:
    """Return the UTF-16 units of a grapheme; of each character, if it is longer than a part."""
    sizes = [2 if ord(character) > 0xFFFF else 1 for character in grapheme]
    return [sum(sizes)] if sum(sizes) <= JOINED["ucs2"] else sizes


def transliterate(text: str) -> str:
    """Return `text` with characters outside GSM-7 replaced by their plain forms, if they have one.

    Curly quotes, dashes, ellipses and odd blanks have plain forms; a letter with an accent that
    GSM-7 lacks loses it; emoji and other scripts stay as they are.
    """
    if _is_gsm(text):
        return text
    plain = text.translate(PLAIN_FORMS)
    return "".join(part if _is_gsm(part) else _unaccented(part) for part in iter_graphemes(plain))


def _is_gsm(text: str) -> bool:
    return _ALL_GSM.fullmatch(text) is not None


def _unaccented(part: str) -> str:
    composed = unicodedata.normalize("NFC", part)
    if _is_gsm(composed):
        return composed
    bare = "".join(c for c in unicodedata.normalize("NFKD", part) if not unicodedata.combining(c))
    return bare if bare and _is_gsm(bare) else part
