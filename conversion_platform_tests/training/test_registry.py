"""Versions are written once, damage is noticed, the pointer only grows."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conversion_platform.days import ONE_DAY, DayRange
from conversion_platform.errors import RegistryError
from conversion_platform.lake import Lake, Session, canonical_json
from conversion_platform.settings import Settings
from conversion_platform.training import (
    champion,
    champions,
    fit_candidate,
    load_card,
    load_model,
    promote,
    promotions,
    require_champion,
    versions,
)
from conversion_platform.training.registry import version_key
from conversion_platform.training.registry.documents import sealed
from conversion_platform_tests.training.test_examples import changed

if TYPE_CHECKING:
    import duckdb

DAY = date(2026, 2, 1)


@pytest.fixture
def two(
    con: duckdb.DuckDBPyConnection, lake: Lake, settings: Settings, day: date
) -> tuple[str, str]:
    """Two versions of one day."""
    few = changed(settings, "training", trees=5)
    other = changed(few, "training", seed=8)
    first, second = (fit_candidate(Session(each, lake, con), day) for each in (few, other))
    return first.version, second.version


def test_without_a_promotion_there_is_no_champion(lake: Lake) -> None:
    assert champion(lake) is None
    assert promotions(lake) == []


def test_a_version_is_named_by_its_day_and_ten_digits_of_its_content(
    lake: Lake, two: tuple[str, str]
) -> None:
    assert sorted(two) == versions(lake)
    assert all(version.startswith("2026-01-25-") and len(version) == 21 for version in two)


def test_the_newest_pointer_names_the_champion_and_the_older_ones_stay(
    lake: Lake, two: tuple[str, str]
) -> None:
    promote(lake, two[0], DAY, "first")
    promote(lake, two[1], DAY, "better")
    promote(lake, two[0], DAY, "back")
    assert champion(lake) == two[0]
    assert [(item.number, item.version) for item in promotions(lake)] == [
        (1, two[0]),
        (2, two[1]),
        (3, two[0]),
    ]


def test_a_day_is_scored_by_the_champion_of_its_time(lake: Lake, two: tuple[str, str]) -> None:
    promote(lake, two[1], DAY, "first")
    before = DAY - ONE_DAY
    assert champion(lake, before) is None
    with pytest.raises(RegistryError, match=f"for {before}: the first one counts from {DAY} on"):
        require_champion(lake, before)
    promote(lake, two[0], before, "made later, for an earlier day")
    assert (champion(lake, before), champion(lake, DAY), champion(lake)) == (two[0], two[1], two[1])
    assert champions(lake, DayRange(before, DAY + ONE_DAY)) == [
        (two[0], DayRange.of(before)),
        (two[1], DayRange(DAY, DAY + ONE_DAY)),
    ]


def test_promoting_the_champion_again_adds_no_pointer(lake: Lake, two: tuple[str, str]) -> None:
    first = promote(lake, two[0], DAY, "first")
    assert promote(lake, two[0], date(2026, 2, 2), "again") == first
    assert len(promotions(lake)) == 1


def test_a_version_that_does_not_exist_is_neither_promoted_nor_loaded(
    lake: Lake, two: tuple[str, str]
) -> None:
    with pytest.raises(RegistryError, match="no model version 2020-01-01-abc"):
        promote(lake, "2020-01-01-abc", DAY, "")
    with pytest.raises(RegistryError, match=two[0]):
        load_model(lake, "2020-01-01-abc")
    assert champion(lake) is None


@pytest.mark.parametrize("name", ["model.ubj", "calibration.json", "card.json"])
@pytest.mark.parametrize("damage", [b"", b"{", b"[1]"])
def test_a_damaged_file_is_named_instead_of_used(
    lake: Lake, two: tuple[str, str], name: str, damage: bytes
) -> None:
    lake.storage.replace(version_key(two[0], name), damage)
    with pytest.raises(RegistryError, match=name):
        load_model(lake, two[0])


def test_what_is_no_card_is_told_by_what_is_wrong_with_it(lake: Lake, two: tuple[str, str]) -> None:
    key = version_key(two[0], "card.json")
    card = json.loads(lake.storage.read(key))
    del card["sha256"]
    card["splits"]["test"]["days"] = 5
    lake.storage.replace(key, sealed(card))
    with pytest.raises(RegistryError, match=r"card\.json is damaged: it is not a card \(Input"):
        load_card(lake, two[0])


def test_the_card_of_another_version_is_not_taken(lake: Lake, two: tuple[str, str]) -> None:
    other = lake.storage.read(version_key(two[1], "card.json"))
    lake.storage.replace(version_key(two[0], "card.json"), other)
    with pytest.raises(RegistryError, match="card of"):
        load_card(lake, two[0])


def test_a_damaged_pointer_is_named_and_a_new_promotion_goes_above_it(
    lake: Lake, two: tuple[str, str]
) -> None:
    promote(lake, two[0], DAY, "first")
    lake.storage.replace("models/champion/000001.json", b"{")
    with pytest.raises(RegistryError, match="000001"):
        champion(lake)
    assert promote(lake, two[0], DAY, "again").number == 2
    assert champion(lake) == two[0]


def test_a_card_survives_json(lake: Lake, two: tuple[str, str]) -> None:
    card = load_card(lake, two[0])
    written = lake.storage.read(version_key(two[0], "card.json"))
    assert sealed(card.to_json()) == written
    assert type(card).from_json(canonical_json(card.to_json())) == card
    splits = json.loads(written)["splits"]
    assert splits["test"]["days"] == [str(card.test_days.first), str(card.test_days.last)]
    assert card.version == two[0]
    assert card.label["converted"] == ["application"] and card.label["window_days"] == 3


def test_a_version_whose_card_was_never_written_does_not_exist(
    lake: Lake, two: tuple[str, str]
) -> None:
    Path(lake.storage.location(version_key(two[0], "card.json"))).unlink()
    assert versions(lake) == [two[1]]
    with pytest.raises(RegistryError, match="no model version"):
        load_model(lake, two[0])
