"""Segment counts against known vectors, and properties that hold for any text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversion_platform.messaging.segments import (
    GSM_BASIC,
    GSM_EXTENDED,
    JOINED,
    SINGLE,
    count_segments,
    transliterate,
)

FAMILY = "👩‍👩‍👧‍👦"


@pytest.mark.parametrize(
    ("text", "encoding", "units", "count"),
    [
        ("", "gsm7", 0, 1),
        ("a" * 160, "gsm7", 160, 1),
        ("a" * 161, "gsm7", 161, 2),
        ("a" * 306, "gsm7", 306, 2),
        ("a" * 307, "gsm7", 307, 3),
        ("€" * 80, "gsm7", 160, 1),
        ("€" * 81, "gsm7", 162, 2),
        # 76 fit in a part (152 septets); the 77th is not split, so 153 of them need 3 parts
        # although 306 septets divided by 153 makes 2.
        ("€" * 153, "gsm7", 306, 3),
        ("a" * 152 + "€" + "a" * 151, "gsm7", 305, 2),
        ("a" * 152 + "€" + "a" * 152, "gsm7", 306, 3),
        ("a" * 152 + "\u2019", "ucs2", 153, 3),
        ("ж" * 70, "ucs2", 70, 1),
        ("ж" * 71, "ucs2", 71, 2),
        ("ж" * 134, "ucs2", 134, 2),
        ("ж" * 135, "ucs2", 135, 3),
        ("😀" * 35, "ucs2", 70, 1),
        ("😀" * 36, "ucs2", 72, 2),
        # 33 pairs fit in 67 units; one unit stays free in each part.
        ("😀" * 67, "ucs2", 134, 3),
        (FAMILY * 6, "ucs2", 66, 1),
        (FAMILY * 7, "ucs2", 77, 2),
        ("ж" * 60 + FAMILY, "ucs2", 71, 2),
        ("ж" * 60 + FAMILY + "ж" * 56, "ucs2", 127, 2),
        ("ж" * 60 + FAMILY + "ж" * 57, "ucs2", 128, 3),
    ],
)
def test_known_vectors(text: str, encoding: str, units: int, count: int) -> None:
    counted = count_segments(text)
    assert (counted.encoding, counted.units, counted.count) == (encoding, units, count)


any_text = st.text(max_size=400) | st.text("aé€^ж😀👩\u200d\u0301🇺🇸\r\n", max_size=400)


@given(any_text)
def test_parts_lie_between_the_plain_quotient_and_twice_that(text: str) -> None:
    counted = count_segments(text)
    if counted.units <= SINGLE[counted.encoding]:
        assert counted.count == 1
    else:
        least = -(-counted.units // JOINED[counted.encoding])
        assert least <= counted.count <= 2 * least


@given(any_text)
def test_units_are_septets_or_utf_16(text: str) -> None:
    counted = count_segments(text)
    gsm = set(text) <= GSM_BASIC | GSM_EXTENDED
    assert counted.encoding == ("gsm7" if gsm else "ucs2")
    if gsm:
        assert counted.units == len(text) + sum(c in GSM_EXTENDED for c in text)
    else:
        assert counted.units == len(text.encode("utf-16-le", "surrogatepass")) // 2


@given(any_text, any_text)
def test_a_longer_text_never_has_fewer_parts(text: str, more: str) -> None:
    if count_segments(text).encoding == count_segments(text + more).encoding:
        assert count_segments(text + more).count >= count_segments(text).count


@pytest.mark.parametrize(
    "one", ["ж\u0301", FAMILY, "🇺🇸", "👍🏽", "1\ufe0f\u20e3", "\u1112\u1161\u11ab", "नि", "กำ"]
)
def test_what_a_reader_sees_as_one_is_not_split_over_parts(one: str) -> None:
    units = len(one.encode("utf-16-le")) // 2
    fits, too_long = "ж" * (JOINED["ucs2"] - units), "ж" * (JOINED["ucs2"] - units + 1)
    assert count_segments(fits + one + "ж" * JOINED["ucs2"]).count == 2
    assert count_segments(too_long + one + "ж" * (JOINED["ucs2"] - units)).count == 2
    assert count_segments(too_long + one + "ж" * (JOINED["ucs2"] - units + 1)).count == 3


def test_flags_pair_up() -> None:
    assert count_segments("ж" * 64 + "🇺🇸🇩🇪" + "ж" * 60).count == 3  # neither flag is split
    assert count_segments("ж" * 62 + "🇺🇸🇩🇪" + "ж" * 63).count == 2  # between them it may be


def test_a_grapheme_longer_than_a_part_is_split_between_characters() -> None:
    tower = "ж" + "\u0301" * 200
    assert count_segments(tower).count == 3


def test_transliteration_makes_the_costly_text_cheap() -> None:
    text = "a" * 140 + " “it\u2019s” … ok"
    assert count_segments(text).encoding == "ucs2"
    plain = transliterate(text)
    assert plain == "a" * 140 + ' "it\'s" ... ok'
    assert count_segments(plain).count == 1


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Café \u2013 Zürich", "Café - Zürich"),
        ("Łódź", "Lodz"),
        ("e\u0301", "é"),
        ("naïve", "naive"),
        ("日本 👍", "日本 👍"),
        ("a\u00a0b\u200bc", "a bc"),
    ],
)
def test_letters_keep_what_gsm_has_and_other_scripts_stay(text: str, plain: str) -> None:
    assert transliterate(text) == plain


@given(any_text)
def test_transliteration_is_done_after_one_pass(text: str) -> None:
    once = transliterate(text)
    assert transliterate(once) == once


@given(st.text(sorted(GSM_BASIC | GSM_EXTENDED)))
def test_transliteration_leaves_gsm_texts_alone(text: str) -> None:
    assert transliterate(text) == text
