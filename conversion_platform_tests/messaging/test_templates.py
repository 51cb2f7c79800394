"""Templates are checked before anything is planned, and render nothing they should not."""

from __future__ import annotations

from pathlib import Path

import pytest

from conversion_platform.errors import MessagingError, SettingsError
from conversion_platform.messaging.templates import VARIABLES, MissingValueError, Templates
from conversion_platform.settings import Settings
from conversion_platform_tests.messaging.world import settings_in


def with_template(folder: Path, template: str, more: str = "") -> Settings:
    return settings_in(folder, f"{more}[cohorts.nurses]\ntemplate = '''{template}'''\n")


def test_the_default_template_renders(settings: Settings) -> None:
    text = Templates(settings).render(
        "everyone", {"title": "Barista", "link": "https://x.invalid/j"}
    )
    assert text == ("Gigs: Barista is open near you. https://x.invalid/j Reply STOP to opt out.")


def test_an_unknown_variable_names_cohort_and_variable(tmp_path: Path) -> None:
    settings = with_template(tmp_path, "{{ titel }} STOP")
    with pytest.raises(SettingsError, match=r"`nurses`.*`titel`") as caught:
        Templates(settings)
    assert "Did you mean `title`?" in caught.value.remedy


def test_every_documented_variable_can_be_used(tmp_path: Path) -> None:
    template = " ".join(f"{{{{ {name} }}}}" for name in VARIABLES)
    Templates(with_template(tmp_path, template + " STOP"))


@pytest.mark.parametrize(
    "template",
    [
        "{{ title STOP",
        "{% for %} STOP",
        "{{ title | no_such_filter }} STOP",
        "{{ ''.__class__.__mro__ }} STOP",
        "{{ 1 / 0 }} STOP",
        "{% for n in range(10000000) %}x{% endfor %} STOP",
        "{% include '/etc/passwd' %} STOP",
    ],
)
def test_a_broken_or_forbidden_template_is_refused_by_cohort(tmp_path: Path, template: str) -> None:
    with pytest.raises(SettingsError, match="nurses"):
        Templates(with_template(tmp_path, template))


def test_a_text_must_say_how_to_stop(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="how to stop"):
        Templates(with_template(tmp_path, "{{ title }}: unstoppable"))


def test_a_missing_value_is_an_error_unless_it_is_guarded(tmp_path: Path) -> None:
    bare = Templates(with_template(tmp_path / "a", "{{ pay }} an hour. STOP"))
    with pytest.raises(MissingValueError, match="pay"):
        bare.render("nurses", {"pay": None})
    guarded = Templates(
        with_template(tmp_path / "b", "{% if pay %}{{ pay }} an hour. {% endif %}STOP")
    )
    assert guarded.render("nurses", {"pay": None}) == "STOP"
    assert guarded.render("nurses", {"pay": 18.0}) == "18 an hour. STOP"
    assert guarded.render("nurses", {"pay": 18.5}) == "18.50 an hour. STOP"


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("Cook", "Cook. Now! STOP."),
        ("Cook, no degree clause!", "Cook, no degree clause! Now! STOP."),
        ("Ready?", "Ready? Now! STOP."),
        ("Cook at Bread Inc.", "Cook at Bread Inc. Now! STOP."),
        ("And so on...", "And so on.... Now! STOP."),
        ("See x.y/?.z", "See x.y/?.z. Now! STOP."),
    ],
)
def test_a_title_that_ends_in_a_mark_gets_no_full_stop_behind_it(
    tmp_path: Path, title: str, text: str
) -> None:
    templates = Templates(with_template(tmp_path, "{{ title }}. Now! STOP."))
    assert templates.render("nurses", {"title": title}) == text


def test_data_is_data(tmp_path: Path) -> None:
    templates = Templates(with_template(tmp_path, "{{ title }} & STOP"))
    evil = "{{ 7 * 7 }}\n\x07 <b> \u202e"
    assert templates.render("nurses", {"title": evil}) == "{{ 7 * 7 }} <b> & STOP"


def test_an_assignment_of_a_removed_cohort_says_what_to_do(settings: Settings) -> None:
    with pytest.raises(MessagingError, match="no cohort `gone`"):
        Templates(settings).render("gone", {})


def test_transliteration_is_a_setting(tmp_path: Path) -> None:
    kept = with_template(
        tmp_path / "a", "“{{ title }}” STOP", "[messaging]\ntransliterate = false\n"
    )
    assert Templates(kept).render("nurses", {"title": "x"}) == "“x” STOP"
    plain = with_template(tmp_path / "b", "“{{ title }}” STOP")
    assert Templates(plain).render("nurses", {"title": "x"}) == '"x" STOP'
