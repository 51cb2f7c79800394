"""What a reply means: stop, start, help, unsure or other.

Keywords decide when they are the whole reply. Any reasonable wording of an opt-out counts; what
may be one is `unsure`: the number is suppressed and a person reads the reply. Everything else is
`other`, which changes nothing.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from conversion_platform.messaging.rules import rules

SUPPRESSING = ("stop", "unsure")
PLAIN = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "`": "'", "´": "'"})  # noqa: RUF001
STOP_SIGNS = frozenset("🛑🚫⛔✋🖕")
NEAR_MISSES = ("stop", "stopall", "unsubscribe", "remove", "cancel")


@dataclass(frozen=True)
class Meaning:
    """What a reply was taken for, and the rule that decided so."""

    kind: str
    rule_id: str

    @property
    def suppresses(self) -> bool:
        """Whether no further message may go to the number."""
        return self.kind in SUPPRESSING


def classify(body: str) -> Meaning:
    """Return the meaning of a reply, in whatever case, punctuation and spacing."""
    text = plain(body)
    return (
        _by_keyword(text)
        or _unreadable(body, text)
        or _by_wording(text)
        or _near_miss(text)
        or Meaning("other", "no-opt-out-found")
    )


def plain(body: str) -> str:
    """Lower case, no accents, and one blank for each run of blanks and punctuation."""
    folded = unicodedata.normalize("NFKD", body.translate(PLAIN)).casefold()
    letters = "".join(c for c in folded if not unicodedata.combining(c) and c not in "\u200b\u200d")
    return re.sub(r"^[' ]+|[' ]+$", "", re.sub(r"[^\w']+|_+", " ", letters)).strip()


def _by_keyword(text: str) -> Meaning | None:
    """Return a keyword alone, or one repeated ("STOP STOP")."""
    for keywords in rules().keywords:
        if text in keywords.words:
            return Meaning(keywords.kind, keywords.rule_id)
        if keywords.kind == "stop" and text and set(text.split()) <= keywords.words:
            return Meaning(keywords.kind, keywords.rule_id)
    return None


def _unreadable(body: str, text: str) -> Meaning | None:
    """Nothing to read, a stop sign, or a script that the wordings do not cover."""
    letters = [c for c in text if c.isalpha()]
    foreign = sum(not c.isascii() for c in letters)
    if not body.strip() or STOP_SIGNS & set(body) or 2 * foreign > len(letters):
        return Meaning("unsure", "unreadable")
    return None


def _by_wording(text: str) -> Meaning | None:
    for wording in rules().wordings:
        if any(pattern.search(text) for pattern in wording.patterns):
            return Meaning(wording.kind, wording.rule_id)
    return None


def _near_miss(text: str) -> Meaning | None:
    """Return a short reply with a misspelt stop word ("stpo", "unsubscibe")."""
    words = text.split()
    if len(words) <= 3 and any(_one_slip(word, key) for word in words for key in NEAR_MISSES):
        return Meaning("unsure", "wording-near-miss")
    return None


def _one_slip(word: str, key: str) -> bool:
    """Whether one letter added, dropped, changed or swapped with its neighbour makes `key`."""
    if abs(len(word) - len(key)) > 1 or len(word) < 3:
        return False
    start = next((i for i, (a, b) in enumerate(zip(word, key, strict=False)) if a != b), len(key))
    rest, wanted = word[start:], key[start:]
    return (
        rest[1:] == wanted
        or rest == wanted[1:]
        or rest[1:] == wanted[1:]
        or (rest[:2] == wanted[:2][::-1] and rest[2:] == wanted[2:])
    )
