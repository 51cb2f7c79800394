"""The file that `init` writes loads as it stands, and says everything."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from conversion_platform.marketplace import CONTRACTS, Contract, columns_to_map, section_of
from conversion_platform.settings import Settings, load_settings, render_init
from conversion_platform.settings.reference import describe

TEMPLATE = render_init(columns_to_map())
KEY = re.compile(r"^# (?=[a-z_]+ = |\[[a-z_.]+\]$)", re.M)


def loaded(folder: Path, text: str) -> Settings:
    file = folder / "conversion_platform.toml"
    file.write_text(text, encoding="utf-8")
    return load_settings(file)


def test_the_file_loads_as_it_stands_and_equals_the_defaults(tmp_path: Path) -> None:
    assert loaded(tmp_path, TEMPLATE).model_dump() == load_settings().model_dump()


def test_taking_every_comment_sign_away_from_a_default_changes_nothing(tmp_path: Path) -> None:
    unset = re.compile(r'^# [a-z_]+ = (""( +# .*)?|\[\]|\{\})$\n', re.M)
    inputs = re.compile(r"^## A named raw table.*?(?=^## The three tables)", re.M | re.S)
    text = inputs.sub("", unset.sub("", TEMPLATE))
    assert loaded(tmp_path, KEY.sub("", text)).model_dump() == load_settings().model_dump()


def test_every_setting_stands_in_the_file_with_its_description() -> None:
    flat = re.sub(r"\s+(## )?", " ", TEMPLATE)
    for setting in describe():
        name = re.escape(f"[{setting.name}]" if setting.key == "columns" else f"{setting.key} = ")
        assert re.search(rf"^(# )?{name}", TEMPLATE, re.M), setting.name
        assert setting.description in flat, setting.name


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda one: one.name)
def test_every_contract_column_can_be_mapped_in_place_required_ones_first(
    tmp_path: Path, contract: Contract
) -> None:
    head = f"# [{contract.setting}.columns]\n"
    lines = TEMPLATE.partition(head)[2].partition("\n\n")[0].splitlines()
    names = [line.removeprefix("# ").partition(" = ")[0] for line in lines]
    assert sorted(names) == sorted(field.name for field in contract.fields)
    required = [name for name, line in zip(names, lines, strict=True) if "# required: " in line]
    assert required == names[: len(required)] == list(contract.required)
    mapped = [line.removeprefix("# ").replace('""', '"Mine"') for line in lines]
    text = TEMPLATE.replace(head + "\n".join(lines), head[2:] + "\n".join(mapped))
    found = section_of(loaded(tmp_path, text), contract.name)
    assert found.columns == dict.fromkeys(names, "Mine")


def test_only_what_a_newcomer_must_set_is_not_commented_out() -> None:
    lines = [line for line in TEMPLATE.splitlines() if re.match(r"[a-z_]+ = ", line)]
    assert lines == [
        'time_zone = "America/New_York"',
        "start_date = 2026-01-01",
        'path = "source/users.parquet"',
        'path = "source/jobs.parquet"',
        'path = "source/events"',
    ]


def test_the_file_explains_the_environment_and_secrets() -> None:
    text = TEMPLATE
    assert "CONVERSION_PLATFORM__PLATFORM__THREADS=4" in text
    assert "Secrets never stand here" in text


def test_the_examples_in_the_header_are_settings() -> None:
    found = re.findall(r"^#     (CONVERSION_PLATFORM__\w+)=('.*?'|\S+)", TEMPLATE, re.M)
    assert len(found) == 3
    with pytest.MonkeyPatch.context() as patch:
        for variable, value in found:
            patch.setenv(variable, value.strip("'"))
        settings = load_settings()
    assert settings.platform.threads == 4
    assert settings.cohorts["nurses"].size == 5000


def test_no_line_is_wider_than_a_terminal() -> None:
    assert max(map(len, TEMPLATE.splitlines())) <= 100 + len("# template = ")
