"""Phone numbers and mail addresses in a text, however their signs are written."""

from __future__ import annotations

import re
import unicodedata

_LONG_NUMBER = re.compile(r"\+?\d(?:[\s()\[\]./\\·•_~-]*\d){6,}")
_AT = r"\s*[(\[{<]\s*(?:at|@)\s*[)\]}>]\s*"
_DOT = r"(?:\.|\s*[(\[{<]\s*(?:dot|\.)\s*[)\]}>]\s*|\s+dot\s+)"
_NAME = r"(?<![\w.+-])[\w.+-]+"
MAIL = re.compile(
    r"[^\s@,;]+@[^\s@,;]+"
    rf"|{_NAME}{_AT}[\w-]+(?:{_DOT}[\w-]+)*"
    rf"|{_NAME}(?:\s*@\s*|\s+at\s+)[\w-]+(?:{_DOT}[\w-]+)*{_DOT}[a-z]{{2,}}",
    re.I,
)


def plain(text: str) -> str:
    """Return a text with ASCII digits, blanks, dashes and signs in place of those that look so.

    What no reader sees, such as a zero-width blank or a soft hyphen, is left out.
    """
    if text.isascii():
        return text
    return "".join(map(_plain_sign, unicodedata.normalize("NFKC", text)))


def _plain_sign(sign: str) -> str:
    if sign.isascii():
        return sign
    category = unicodedata.category(sign)
    if category == "Pd" or sign == "\u2212":  # a minus sign is none of the dashes
        return "-"
    if category == "Nd":
        return str(unicodedata.digit(sign))
    return {"Zs": " ", "Zl": " ", "Zp": " ", "Cf": ""}.get(category, sign)


def without_contacts(text: str) -> str:
    """Return a text without phone numbers and mail addresses.

    Args:
        text: What it says, as `plain` writes it.
    """
    hidden = _LONG_NUMBER.sub(lambda found: f"...{found.group()[-2:]}", text)
    return MAIL.sub("(address)", hidden)
