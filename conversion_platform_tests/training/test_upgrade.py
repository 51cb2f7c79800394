"""A registry of formats 1 to 3 is read after the upgrade: the same names, figures and champions."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date
from typing import Any

import pytest

from conversion_platform.days import ONE_DAY
from conversion_platform.errors import RegistryError
from conversion_platform.lake import Lake, Session, canonical_json
from conversion_platform.settings import Settings
from conversion_platform.training import (
    Evaluation,
    candidate,
    champion,
    damaged_files,
    evaluate,
    fit_candidate,
    load_card,
    load_model,
    newest_evaluation,
    promote,
    promotions,
    read_file,
    upgrade_registry,
    version_key,
)
from conversion_platform.training.registry.documents import digest_of
from conversion_platform_tests.training.test_examples import changed
from conversion_platform_tests.training.test_roles import DAY, EARLIER, flip

FILES = ("model.ubj", "calibration.json")


def as_format_3(lake: Lake, version: str, evaluation: Evaluation) -> str:
    """Write a version as formats 1 to 3 did; returns its name, which its figures are part of."""
    card = load_card(lake, version).to_json()
    figures: dict[str, Any] = json.loads(json.dumps(asdict(evaluation)))
    for one in figures["calibration"]:
        one["rows"] = 7  # format 1 counted them
    unnamed = {**card, "version": "", "evaluation": {**figures, "version": ""}}
    name = f"{card['day']}-{digest_of(unnamed)[:10]}"
    old = {**unnamed, "version": name, "evaluation": {**figures, "version": name}}
    for file in FILES:
        lake.storage.create(version_key(name, file), lake.storage.read(version_key(version, file)))
    lake.storage.replace(version_key(name, "card.json"), canonical_json(old))
    lake.storage.replace(version_key(name, "shap_summary.png"), b"a plot")
    for key in lake.storage.list(f"models/{version}"):
        lake.storage.remove(key)
    return name


def point(lake: Lake, number: int, version: str, day: date) -> None:
    value = {"version": version, "day": day.isoformat(), "reason": "why"}
    lake.write_json(f"models/champion/{number:06d}.json", value)


Old = tuple[str, str, Evaluation]


@pytest.fixture
def old(session: Session, lake: Lake, settings: Settings, day: date) -> Old:
    """Two versions, the second one the champion; returns their names and the figures of it."""
    names = []
    for trees in (3, 4):
        chosen = Session(changed(settings, "training", trees=trees), lake, session.con)
        version = fit_candidate(chosen, day).version
        found = evaluate(chosen, version)
        names.append(as_format_3(lake, version, found))
    point(lake, 1, names[0], EARLIER)
    point(lake, 2, names[1], DAY)
    lake.write_json(f"models/candidates/{day}.json", {"version": names[1]})
    return names[0], names[1], found


def figures(evaluation: Evaluation) -> dict[str, Any]:
    return {name: value for name, value in asdict(evaluation).items() if name != "version"}


def test_an_old_registry_is_not_read_before_the_upgrade(lake: Lake, old: Old) -> None:
    with pytest.raises(RegistryError, match="000001"):
        champion(lake)
    with pytest.raises(RegistryError, match=r"card\.json"):
        load_card(lake, old[0])


def test_names_figures_and_champions_are_the_same_after_the_upgrade(
    lake: Lake, old: Old, day: date
) -> None:
    first, second, found = old
    assert list(upgrade_registry(lake)) == []
    told = [(one.version, one.day, one.previous, one.by) for one in promotions(lake)]
    assert told == [(first, EARLIER, None, "automatic"), (second, DAY, first, "automatic")]
    assert candidate(lake, day) == second
    record = newest_evaluation(lake, second)
    assert record is not None and (record.examples_day, record.judged_on) == (day, day)
    assert figures(record.evaluation) == figures(found)
    assert load_model(lake, second).card.version == second
    assert read_file(lake, second, "shap_summary.png") == b"a plot"
    assert damaged_files(lake, second) == []
    assert not [key for key in lake.storage.list("models/candidates") if key.count("/") == 2]


def test_upgrading_again_changes_nothing(lake: Lake, old: Old) -> None:
    list(upgrade_registry(lake))
    before = {key: lake.storage.read(key) for key in lake.storage.list("models")}
    assert list(upgrade_registry(lake)) == []
    assert {key: lake.storage.read(key) for key in lake.storage.list("models")} == before


@pytest.mark.parametrize("place", [30, 500, 3000])
def test_a_card_that_was_changed_is_named_and_not_given_a_digest(
    lake: Lake, old: Old, place: int
) -> None:
    flip(lake, version_key(old[0], "card.json"), place)
    (said,) = upgrade_registry(lake)
    assert f"{old[0]}/card.json is damaged" in said
    with pytest.raises(RegistryError, match=r"card\.json"):
        load_card(lake, old[0])
    assert champion(lake) == old[1]


def test_a_damaged_pointer_that_a_later_one_followed_stays_replaced(lake: Lake, old: Old) -> None:
    lake.storage.replace("models/champion/000001.json", b"{")
    (said,) = upgrade_registry(lake)
    assert "000001.json is damaged" in said
    assert champion(lake) == old[1]
    promote(lake, old[0], DAY + ONE_DAY, "It can be promoted.")


def test_an_upgrade_that_was_stopped_anywhere_is_done_by_running_it_again(
    lake: Lake, old: Old, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = {key: lake.storage.read(key) for key in lake.storage.list("models")}
    list(upgrade_registry(lake))
    whole = {key: lake.storage.read(key) for key in lake.storage.list("models")}
    for steps in range(40):
        for key in lake.storage.list("models"):
            lake.storage.remove(key)
        for key, data in start.items():
            lake.storage.replace(key, data)
        stopped = _stopped_after(lake, steps, monkeypatch)
        list(upgrade_registry(lake))
        assert {key: lake.storage.read(key) for key in lake.storage.list("models")} == whole
        if not stopped:
            break
    assert steps > 8


def _stopped_after(lake: Lake, steps: int, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Upgrade until that many writes were made; returns whether there were more."""
    left = [steps]

    def counting(write: Any) -> Any:
        def counted(*arguments: Any) -> Any:
            left[0] -= 1
            if left[0] < 0:
                raise KeyboardInterrupt
            return write(*arguments)

        return counted

    with monkeypatch.context() as patched:
        for name in ("create", "replace", "remove"):
            patched.setattr(lake.storage, name, counting(getattr(lake.storage, name)))
        try:
            list(upgrade_registry(lake))
        except KeyboardInterrupt:
            return True
    return False
