"""Versions on the command line: list, show, compare, promote, back again; and predictions."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from conversion_platform.cli.main import main
from conversion_platform.days import ONE_DAY
from conversion_platform.lake import Session
from conversion_platform.training import (
    champion,
    current_promotion,
    evaluations,
    fit_candidate,
    judge,
    promotions,
)
from conversion_platform_tests.tiny_platform import LIVED, NEXT, lake_in, rows, settings_in


def ask(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["--config", str(folder / "conversion_platform.toml"), *words])


def done(folder: Path, *words: str) -> str:
    result = ask(folder, *words)
    assert result.exit_code == 0, result.output
    return result.stdout


def another(folder: Path, judged: bool = True) -> str:
    """A second version of the same day."""
    lake, settings = lake_in(folder), settings_in(folder)
    training = settings.training.model_copy(update={"seed": 8, "trees": 12})
    with lake.connect() as con:
        session = Session(settings.model_copy(update={"training": training}), lake, con)
        version = fit_candidate(session, LIVED).version
        if judged:
            judge(session, version, LIVED)
    return version


def test_the_list_has_every_version_with_roles_and_figures(platform: Path) -> None:
    new = another(platform, judged=False)
    lines = done(platform, "models", "list").splitlines()
    (of_new,) = (line for line in lines if new in line)
    (of_old,) = (line for line in lines if str(champion(lake_in(platform))) in line)
    assert "champion, candidate" in of_old and of_old.rstrip().endswith(str(LIVED))
    assert "champion" not in of_new and "not judged yet" in of_new


def test_without_a_version_the_list_says_how_to_train_one(tmp_path: Path) -> None:
    (tmp_path / "conversion_platform.toml").write_text("")
    assert "conversion-platform train --day D" in done(tmp_path, "models", "list")


def test_show_tells_figures_reason_and_origin_of_a_version(lived: Path) -> None:
    lake = lake_in(lived)
    version = str(champion(lake))
    shown = done(lived, "models", "show", version)
    (record,) = evaluations(lake, version)
    for words in (
        f"champion from {LIVED}",
        "by automatic: There is no champion yet.",
        f"{record.evaluation.map_model.value:.4f}",
        f"with the test examples of {LIVED}",
        "read training_examples",
        "mean |SHAP|",
    ):
        assert words in shown, words


def test_show_names_each_damaged_file_of_a_version(platform: Path) -> None:
    lake = lake_in(platform)
    version = str(champion(lake))
    for name in ("shap_summary.png", "model.ubj"):
        data = bytearray(lake.storage.read(f"models/{version}/{name}"))
        data[100] ^= 1
        lake.storage.replace(f"models/{version}/{name}", bytes(data))
    result = ask(platform, "models", "show", version)
    assert result.exit_code == 1
    assert (
        "model.ubj is damaged" in result.stderr and "shap_summary.png is damaged" in result.stderr
    )


def test_compare_puts_figures_on_the_same_rows_side_by_side(platform: Path) -> None:
    old, new = str(champion(lake_in(platform))), another(platform)
    shown = done(platform, "models", "compare", old, new)
    assert f"judged on the same rows: the test examples of {LIVED}" in shown
    for words in ("training.seed", "training.trees", "map_model", "features added: none"):
        assert words in shown, words
    assert "training.depth" not in shown


def test_compare_says_that_a_version_was_not_judged(platform: Path) -> None:
    old, new = str(champion(lake_in(platform))), another(platform, judged=False)
    assert f"{new}: not judged yet." in done(platform, "models", "compare", old, new)


def test_compare_says_that_rows_differ(platform: Path) -> None:
    lake, settings = lake_in(platform), settings_in(platform)
    old, new = str(champion(lake)), another(platform, judged=False)
    with lake.connect() as con:
        from conversion_platform_tests.training.test_evaluations import without_last

        session = Session(settings, lake, con)
        without_last(session, LIVED)
        judge(session, new, NEXT, LIVED)
    assert "judged on different rows" in done(platform, "models", "compare", old, new)


def test_a_promotion_counts_from_the_next_day_and_can_be_taken_back(platform: Path) -> None:
    lake = lake_in(platform)
    old, new = str(champion(lake)), another(platform)
    told = done(platform, "models", "promote", new, "--reason", "It knows more.", "--by", "Ann")
    assert told == f"{new} is the champion from {NEXT} on, after {old}.\n"
    assert (champion(lake, LIVED), champion(lake)) == (old, new)
    assert done(platform, "models", "show", new).count("by Ann") == 1
    told = done(platform, "models", "rollback", "--reason", "Clicks fell.", "--day", str(NEXT))
    assert told == f"{old} is the champion from {NEXT} on, after {new}.\n"
    assert champion(lake) == old
    current = current_promotion(lake)
    assert current is not None and current.reason == "Clicks fell." and current.by != "automatic"


def test_the_log_names_the_version_that_was_replaced(platform: Path) -> None:
    from conversion_platform.days import DayRange
    from conversion_platform.event_log import record
    from conversion_platform_tests.sessions import in_session

    lake = lake_in(platform)
    old, new = str(champion(lake)), another(platform)
    done(platform, "models", "promote", new, "--reason", "It knows more.", "--by", "Ann")
    days = DayRange(LIVED - 30 * ONE_DAY, NEXT)
    in_session(settings_in(platform), record, "model_promotion", days)
    query = "SELECT model_version, previous_version, promoted_by FROM log_model_promotion"
    assert set(rows(platform, query)) == {(old, None, "automatic"), (new, old, "Ann")}


@pytest.mark.parametrize("words", [["promote", "2020-01-01-none"], ["rollback"]])
def test_what_cannot_be_promoted_changes_nothing(platform: Path, words: list[str]) -> None:
    result = ask(platform, "models", *words, "--reason", "why")
    assert result.exit_code == 1 and "Error:" in result.stderr
    assert len(promotions(lake_in(platform))) == 1


def test_an_older_day_than_the_champions_is_refused_with_the_day_to_name(platform: Path) -> None:
    old, new = str(champion(lake_in(platform))), another(platform)
    done(platform, "models", "promote", new, "--reason", "It knows more.")
    result = ask(platform, "models", "promote", old, "--reason", "why", "--day", str(LIVED))
    assert result.exit_code == 0  # it is the champion of that day already
    third = another(platform)
    assert third == new
    result = ask(platform, "models", "promote", new, "--reason", "why", "--day", str(LIVED))
    assert result.exit_code == 1 and f"from {NEXT} on" in result.stderr


def test_a_prediction_is_explained_and_computed_again(lived: Path) -> None:
    query = f"SELECT user_id, job_id, score FROM daily_predictions WHERE dt = '{LIVED}' LIMIT 1"
    ((user, job, score),) = rows(lived, query)
    shown = done(lived, "explain", f"{user}/{job}/{LIVED}")
    for words in ("equal to the bit", repr(score), str(champion(lake_in(lived))), "distance_km"):
        assert words in shown, words


def test_a_prediction_that_is_written_otherwise_is_refused(lived: Path) -> None:
    result = ask(lived, "explain", "u1-j1")
    assert result.exit_code == 2 and "USER/JOB/DAY" in result.stderr
    assert ask(lived, "explain", "u1/j1/tomorrow").exit_code == 2
