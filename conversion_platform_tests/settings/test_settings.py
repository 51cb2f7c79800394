"""Settings: the file, the environment, and what is said when either cannot be used."""

from __future__ import annotations

import json
import re
import traceback
from datetime import date, time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversion_platform.errors import SettingsError
from conversion_platform.settings import (
    CohortSection,
    EntitySection,
    Settings,
    SourceSection,
    load_settings,
    secret,
)
from conversion_platform.settings.reference import NAME, Setting, describe
from conversion_platform.settings.refusals import without_credentials

PASSWORD = "hunter2-is-secret"
DSN = f"postgresql://analyst:{PASSWORD}@db.example.com/shop"


@pytest.fixture
def write(tmp_path: Path) -> Any:
    """Writes a settings file and loads it."""

    def load(text: str | bytes) -> Settings:
        file = tmp_path / "conversion_platform.toml"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load_settings(file)

    return load


def refusal(write: Any, text: str | bytes) -> str:
    with pytest.raises(SettingsError) as caught:
        write(text)
    return str(caught.value)


def set_variable(monkeypatch: pytest.MonkeyPatch, key: str, value: str) -> str:
    variable = "CONVERSION_PLATFORM__" + key.upper().replace(".", "__")
    monkeypatch.setenv(variable, value)
    return variable


# --- the file ---


@pytest.mark.parametrize("key", ["null_values", "decimal", "thousands", "date_format", "time_zone"])
def test_what_an_input_cannot_say_is_refused_with_the_place_where_it_counts(
    write: Any, key: str
) -> None:
    assert key in SourceSection.model_fields
    with pytest.raises(SettingsError) as caught:
        write(f'[inputs.people]\npath = "people.csv"\n{key} = "x"')
    assert f"`inputs.people.{key}` has no effect" in caught.value.problem
    assert "source whose `sql` reads the input" in caught.value.remedy


OF_ENTITIES = sorted(EntitySection.model_fields.keys() - SourceSection.model_fields.keys())


@pytest.mark.parametrize("key", OF_ENTITIES)
def test_what_events_do_not_have_is_refused_where_it_is_set_for_them(
    write: Any, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    told = f"`sources.events.{key}` has no effect: `{key}` goes with users and jobs only."
    value = json.dumps(EntitySection.model_fields[key].get_default())
    assert told in refusal(write, f'[sources.events]\npath = "events"\n{key} = {value}')
    variable = set_variable(monkeypatch, f"sources.events.{key}", value)
    message = refusal(write, "")
    assert variable in message
    assert told in message
    assert "Take it out. " in message


def test_users_and_jobs_alone_have_attributes_folders_and_duplicates() -> None:
    assert OF_ENTITIES == ["attributes", "duplicates", "folders", "max_gone_share"]


def test_an_empty_file_gives_the_defaults(write: Any) -> None:
    assert write("").model_dump() == load_settings().model_dump()


def test_every_kind_of_value_is_read_from_the_file(write: Any) -> None:
    settings = write(
        """
        [platform]
        start_date = 2026-05-01
        threads = 4
        [inputs.views]
        path = ["a/*.csv", "b.csv.gz"]
        [sources.users]
        null_values = ["-"]
        sql = "SELECT DISTINCT user_id FROM views"
        [sources.events]
        path = "events"
        columns = { user_id = "Worker ID", job_id = "Gig" }
        [cohorts.evening]
        send_time = 18:30:00
        [cohorts.text]
        send_time = "07:15"
        [messaging.sandbox]
        fail_share = 1
        """
    )
    assert settings.platform.start_date == date(2026, 5, 1)
    assert settings.inputs["views"].path == ("a/*.csv", "b.csv.gz")
    assert settings.sources.users.null_values == ("-",)
    assert settings.sources.users.sql is not None
    assert settings.sources.events.columns == {"user_id": "Worker ID", "job_id": "Gig"}
    assert settings.cohorts["evening"].send_time == time(18, 30)
    assert settings.cohorts["text"].send_time == time(7, 15)
    assert settings.messaging.sandbox.fail_share == 1.0


def test_a_cohort_of_ones_own_replaces_the_default_cohort(write: Any) -> None:
    assert list(write("").cohorts) == ["everyone"]
    assert list(write("[cohorts.nurses]\nsize = 5").cohorts) == ["nurses"]


def test_paths_start_at_the_settings_file(write: Any, tmp_path: Path) -> None:
    settings = write("[platform]\nlake = 'data/lake'")
    assert settings.lake_root == str(tmp_path / "data/lake")
    assert settings.resolve("/absolute") == "/absolute"
    assert settings.resolve("s3://bucket/x") == "s3://bucket/x"
    assert settings.file == tmp_path / "conversion_platform.toml"


def test_the_file_is_found_by_variable_then_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, named = tmp_path / "here", tmp_path / "named.toml"
    here.mkdir()
    monkeypatch.chdir(here)
    assert load_settings().file is None
    (here / "conversion_platform.toml").write_text("[platform]\nname = 'here'")
    assert load_settings().platform.name == "here"
    named.write_text("[platform]\nname = 'named'")
    monkeypatch.setenv("CONVERSION_PLATFORM_CONFIG", str(named))
    assert load_settings().platform.name == "named"


def test_a_missing_file_says_how_to_write_one(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"no settings file .*none\.toml.*\n.*init"):
        load_settings(tmp_path / "none.toml")


def test_settings_cannot_be_changed_after_loading(write: Any) -> None:
    with pytest.raises(ValueError, match="frozen"):
        write("").platform.threads = 9


# --- refusals: file, key, value, what is allowed ---


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[platfrom]", ["`platfrom`", "Did you mean `platform`?"]),
        ("[platform]\ntimezone = 'UTC'", ["`platform.timezone`", "`platform.time_zone`"]),
        ("[sources.users]\npth = 'x'", ["`sources.users.pth`", "`sources.users.path`"]),
        ("[cohorts.all]\nsend_tme = 1", ["`cohorts.all.send_tme`", "`cohorts.all.send_time`"]),
        ("[messaging.sandbox]\nsed = 1", ["`messaging.sandbox.sed`", "`messaging.sandbox.seed`"]),
        ("zzz = 1", ["`zzz`", "Known keys: cohorts, "]),
        (
            "[sources.users]\nignore = ['a']",
            ["`sources.users.ignore` is gone", "`attributes` lists it"],
        ),
    ],
)
def test_an_unknown_key_names_the_nearest_known_one(
    write: Any, tmp_path: Path, text: str, words: list[str]
) -> None:
    message = refusal(write, text)
    assert all(word in message for word in [*words, str(tmp_path / "conversion_platform.toml")])


@pytest.mark.parametrize(
    ("text", "key", "value", "allowed"),
    [
        ("[platform]\nthreads = 0", "`platform.threads`", "0", "integer, at least 1, at most 256"),
        (
            "[platform]\nthreads = 'two'",
            "`platform.threads`",
            '"two"',
            "integer, at least 1, at most 256",
        ),
        ("[platform]\ntime_zone = 'Mars'", "`platform.time_zone`", '"Mars"', "America/Chicago"),
        ("[platform]\nclock = 'sun'", "`platform.clock`", '"sun"', '"wall" or "replay"'),
        (
            "[platform]\nmemory_limit = '2'",
            "`platform.memory_limit`",
            '"2"',
            'text such as "500MB" or "2GB"',
        ),
        ("[platform]\nstart_date = 'x'", "`platform.start_date`", '"x"', "date such as"),
        (
            "[job_of_the_day]\nholdout_share = 2",
            "`job_of_the_day.holdout_share`",
            "2",
            "number, at least 0, at most 1",
        ),
        ("[events]\nclick_types = 'c'", "`events.click_types`", '"c"', "list of text"),
        (
            "[events]\nconversion_types = []",
            "`events.conversion_types`",
            "[]",
            "list of text, at least one",
        ),
        ("[cohorts.a]\nsend_time = 'noon'", "`cohorts.a.send_time`", '"noon"', "time such as"),
        ("[sources.users]\npath = 5", "`sources.users.path`", "5", "text or list of"),
        (
            "[sources.users]\npath = ['a', 5]",
            "`sources.users.path`",
            '["a", 5]',
            "list of non-empty text",
        ),
        (
            "[sources.users]\npath='a'\nnull_values = [1]",
            "`sources.users.null_values[0]`",
            "1",
            "list of text",
        ),
        ("[sources.jobs]\npath='a'\ntime_zone='X'", "`sources.jobs.time_zone`", '"X"', "IANA"),
        ("[messaging]\ncountry = 'usa'", "`messaging.country`", '"usa"', "two capital letters"),
        ("[messaging]\nprovider = 'twilio'", "`messaging.provider`", '"twilio"', '"sandbox"'),
        ("[messaging]\ncountry = 'XX'", "`messaging.country`", '"XX"', "such as US"),
        ("[messaging]\nsender = ' '", "`messaging.sender`", '" "', "not blank"),
        ("[platform]\nlake = ''", "`platform.lake`", '""', "non-empty text"),
        ("[platform]\nthreads = true", "`platform.threads`", "true", "integer"),
        ("[platform]\nstart_date = 5", "`platform.start_date`", "5", "date such as 2026-11-23"),
        ("[schedule]\ndaily_at = 6", "`schedule.daily_at`", "6", 'time such as "06:00"'),
        ("[schedule]\ndaily_at = '06:00Z'", "`schedule.daily_at`", '"06:00Z"', "time such as"),
        (
            "[training]\nlearning_rate = nan",
            "`training.learning_rate`",
            "NaN",
            "above 0, at most 1",
        ),
        ("[features]\nshrinkage = inf", "`features.shrinkage`", "Infinity", "number, above 0"),
        ("[cohorts.a]\nsize = 1" + 30 * "0", "`cohorts.a.size`", "1" + 30 * "0", "at most 1,000,"),
        ("[cohorts]\na = 5", "`cohorts.a`", "5", "section"),
        ("[inputs.a]\npath = []", "`inputs.a.path`", "[]", "File, glob, Hive folder"),
        ("[inputs.a]\ndelimiter = ';;'", "`inputs.a.delimiter`", '";;"', "one character"),
        (
            "[sources.jobs]\npath='a'\ndelimiter = '\\t'",
            "`sources.jobs.delimiter`",
            '"\\\\t"',
            'text such as ";" or "\\t"',
        ),
        (
            "[inputs.a]\ndelimiter = '\"'",
            "`inputs.a.delimiter`",
            '"\\""',
            "other than a double",
        ),
        ("platform = 5", "`platform`", "5", "section"),
        ("[cohorts]", "`cohorts`", "{}", "table of sections, at least one"),
        ("[platform.threads]\nx = 1", "`platform.threads`", "{...}", "integer, at least 1"),
    ],
)
def test_a_bad_value_names_file_key_value_and_what_is_allowed(
    write: Any, tmp_path: Path, text: str, key: str, value: str, allowed: str
) -> None:
    problem, _, remedy = refusal(write, text).partition("\n")
    assert problem == f"{tmp_path / 'conversion_platform.toml'}: {key} = {value} is not allowed."
    assert allowed in remedy


def test_a_refusal_says_what_the_key_is_for(write: Any) -> None:
    assert "Threads for DuckDB and XGBoost." in refusal(write, "[platform]\nthreads = 0")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[sources.users]\ncolumns = {}", "[sources.users] needs `path`, `sql`, or format"),
        ("[sources.jobs]\npath='a'\nsql='SELECT 1'", "[sources.jobs] give either `sql` or a place"),
        ("[inputs.a]\nformat='postgres'", "[inputs.a] format = 'postgres' needs exactly one of"),
        ("[inputs.a]\npath='x'\ntable='t'", "[inputs.a] `table` and `query` go with"),
        ("[cohorts.Night-Shift]\nsize=1", "the name `cohorts.Night-Shift` is not allowed"),
        (
            "[events]\nconversion_types=['impression']",
            "['impression'] stands in both `events.conversion_types` and",
        ),
    ],
)
def test_a_rule_about_a_whole_section_names_it(write: Any, text: str, words: str) -> None:
    assert words in refusal(write, text)


def test_a_tab_is_a_delimiter(write: Any) -> None:
    assert write('[inputs.a]\npath = "x"\ndelimiter = "\\t"').inputs["a"].delimiter == "\t"


WRONG = ["5", "-1", "1.5", "nan", "-inf", "true", "'x'", "''", "[]", "[1]", "{ a = 1 }", "10:00:00"]
WRONG += ["2026-01-01", "9" * 30]
A_VALIDATORS_WORDS = re.compile(
    r"Input|should|valid\b|validation|tuple|dictionary|finite|string|instance|"
    r"greater|less than|Decimal|unable|datetime",
    re.I,
)


@pytest.mark.parametrize("setting", describe(), ids=lambda one: one.name)
def test_no_wrong_value_of_any_key_is_told_in_a_validators_words(
    write: Any, setting: Setting
) -> None:
    section = ".".join(setting.section).replace(NAME, "a")
    refused = []
    for value in WRONG:
        try:
            write(f"[{section}]\n{setting.key} = {value}")
        except SettingsError as error:
            refused.append(error)
    assert refused
    for error in refused:
        assert setting.key in error.problem or f"[{section}]" in error.problem
        assert not A_VALIDATORS_WORDS.search(error.remedy.removesuffix(setting.description)), error


def test_a_file_that_is_not_toml_names_the_line(write: Any) -> None:
    message = refusal(write, "[platform]\nthreads = = 4")
    assert "is not valid TOML" in message
    assert "line 2" in message


def test_a_file_that_starts_with_a_byte_order_mark_is_read(write: Any) -> None:
    assert write("\ufeff[platform]\nthreads = 3").platform.threads == 3


def test_a_file_that_is_not_utf_8_says_so(write: Any) -> None:
    assert "is not UTF-8" in refusal(write, "[platform]\nname = 'Büro'".encode("latin-1"))


# --- the environment ---


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("platform.threads", "3", 3),
        ("platform.start_date", "2026-07-01", date(2026, 7, 1)),
        ("schedule.daily_at", "05:30", time(5, 30)),
        ("schedule.enabled", "false", False),
        ("job_of_the_day.holdout_share", "0.25", 0.25),
        ("events.click_types", '["click", "open"]', ("click", "open")),
        ("sources.users.path", "my users.csv", "my users.csv"),
        ("sources.users.path", '["a.csv", "b.csv"]', ("a.csv", "b.csv")),
        ("messaging.sandbox.seed", "12", 12),
    ],
)
def test_a_variable_sets_any_key(
    monkeypatch: pytest.MonkeyPatch, key: str, text: str, value: object
) -> None:
    set_variable(monkeypatch, key, text)
    found: Any = load_settings()
    for part in key.split("."):
        found = getattr(found, part)
    assert found == value


def test_a_variable_wins_over_the_file_and_leaves_the_rest_of_it(
    write: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_variable(monkeypatch, "cohorts.nurses.size", "7")
    settings = write("[cohorts.nurses]\nsize = 5\npriority = 3\n[cohorts.rest]\n")
    assert (settings.cohorts["nurses"].size, settings.cohorts["nurses"].priority) == (7, 3)
    assert list(settings.cohorts) == ["nurses", "rest"]


def test_variables_make_named_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    set_variable(monkeypatch, "cohorts.nurses.where", "state = 'NY'")
    set_variable(monkeypatch, "sources.jobs.path", "jobs.csv")
    set_variable(monkeypatch, "sources.jobs.columns.job_id", "Gig")
    settings = load_settings()
    assert settings.cohorts == {"nurses": CohortSection(where="state = 'NY'")}
    assert settings.sources.jobs.columns == {"job_id": "Gig"}


@pytest.mark.parametrize(
    ("key", "near"),
    [
        ("platform.threds", "Did you mean `platform.threads`?"),
        ("platfrom.threads", "Did you mean `platform`?"),
        ("cohorts.nurses.sise", "Did you mean `cohorts.nurses.size`?"),
        ("sources.users.colums", "Did you mean `sources.users.columns`?"),
        ("platform.threads.x", "integer, at least 1"),
    ],
)
def test_an_unknown_variable_names_the_nearest_known_one(
    monkeypatch: pytest.MonkeyPatch, key: str, near: str
) -> None:
    variable = set_variable(monkeypatch, key, "5")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert variable in caught.value.problem
    assert near in caught.value.remedy


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("events.click_types", "click", '["one", "two"]'),
        ("events.click_types", '{"a": 1}', "list of text"),
        ("events", "click", '{"key": "value"}'),
        ("sources.users.columns", "Id", '{"key": "value"}'),
        ("platform.threads", "many", "integer"),
        ("platform.clock", "sun", '"wall" or "replay"'),
    ],
)
def test_a_bad_variable_is_named_with_what_is_allowed(
    monkeypatch: pytest.MonkeyPatch, key: str, value: str, allowed: str
) -> None:
    variable = set_variable(monkeypatch, key, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert variable in caught.value.problem
    assert json.dumps(value) in caught.value.problem or "{...}" in caught.value.problem
    assert allowed in caught.value.remedy


def test_a_bad_name_in_a_variable_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    set_variable(monkeypatch, "cohorts.9lives.size", "5")
    with pytest.raises(SettingsError, match=r"`cohorts.9lives`"):
        load_settings()


def test_an_unknown_key_inside_a_json_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    variable = set_variable(monkeypatch, "events", '{"clck_types": ["a"]}')
    with pytest.raises(SettingsError, match=rf"{variable}: .*clck_types.*\n.*click_types"):
        load_settings()


def test_other_variables_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVERSION_PLATFORM_POSTGRES_DSN", DSN)
    monkeypatch.setenv("CONVERSION_PLATFORMS", "x")
    load_settings()


# --- secrets ---


@pytest.mark.parametrize(
    "text",
    [
        f"[sources.users]\npath = '{DSN}'",
        f"[inputs.a]\npath = ['x.csv', '{DSN}']",
        f"[platform]\nlake = 's3://key:{PASSWORD}@bucket'",
        f"[cohorts.a]\ntemplate = 'see https://u:{PASSWORD}@host'",
        f"[sources.users]\npath = 'x'\ncolumns = {{ user_id = '{DSN}' }}",
        f"[platform]\nclock = '{DSN}'",
        f"[platform]\nmemory_limit = 'password={PASSWORD}'",
        f"[inputs.a]\npath = 'x'\ntable = '{DSN}'",
        f"[platform]\nthreads = '{DSN}'",
        f"[sources.users]\npath = 'x'\nnull_values = [5, '{DSN}']",
        f"[platform]\nthreads = '{DSN}' x",
    ],
)
def test_a_password_in_the_file_is_refused_and_never_shown(write: Any, text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        write(text)
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert PASSWORD not in shown


def test_a_password_in_a_variable_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    for key in ("platform.lake", "events.click_types", "platform.clock"):
        with monkeypatch.context() as patch, pytest.raises(SettingsError) as caught:
            set_variable(patch, key, DSN)
            load_settings()
        assert PASSWORD not in "".join(traceback.format_exception(caught.value))


def test_a_settings_object_never_shows_a_password() -> None:
    cohort = CohortSection(template=f"token={PASSWORD}", where=f"x = '{DSN}'")
    settings = Settings(cohorts={"a": cohort})
    assert PASSWORD not in repr(settings) + str(settings) + repr(cohort) + str(cohort)


def test_a_secret_is_read_from_the_environment_and_stays_hidden(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MY_DSN", DSN)
    found = secret("MY_DSN")
    assert found.get_secret_value() == DSN
    assert PASSWORD not in f"{found} {found!r}"


def test_a_missing_secret_names_its_variable() -> None:
    with pytest.raises(SettingsError, match="MY_MISSING_DSN is not set"):
        secret("MY_MISSING_DSN")


PASSWORDS = st.from_regex(r"Zq[A-Za-z0-9$!%*@/.-]{6,20}", fullmatch=True)


@given(password=PASSWORDS, user=st.from_regex("[a-z]{1,9}", fullmatch=True))
def test_masking_hides_any_password_of_an_address(password: str, user: str) -> None:
    shown = without_credentials(
        f"open postgresql://{user}:{password}@host:5432/db?sslmode=require failed"
    )
    assert shown == "open postgresql://***@host:5432/db?sslmode=require failed"


def test_masking_leaves_other_text_alone() -> None:
    text = "s3://bucket/a@b and https://example.com:8080/x@y, mail a:b@c"
    assert without_credentials(text) == text


# --- the description of every key ---


def _keys(section: Any, where: tuple[str, ...]) -> set[str]:
    found = set()
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        if hasattr(type(value), "model_fields"):
            found |= _keys(value, (*where, name))
        elif name in ("inputs", "cohorts"):
            found |= {f"{name}.NAME.{key}" for key in field.annotation.__args__[1].model_fields}
        else:
            found.add(".".join((*where, name)))
    return found


def test_every_key_is_described() -> None:
    settings = describe()
    assert {setting.name for setting in settings} == _keys(load_settings(), ())
    assert [setting.name for setting in settings if not setting.description.endswith(".")] == []


WRITABLE = [  # a source needs its neighbours too
    setting for setting in describe() if setting.default and setting.section[0] != "sources"
]


@pytest.mark.parametrize("setting", WRITABLE, ids=lambda setting: setting.name)
def test_every_default_written_into_a_file_is_accepted_and_changes_nothing(
    write: Any, setting: Setting
) -> None:
    section = ".".join("everyone" if part == NAME else part for part in setting.section)
    base = f"[{section}]\n{setting.key} = {setting.default}"
    if setting.section[0] == "inputs":
        defaults = write("[inputs.everyone]").inputs["everyone"]
        assert write(base).inputs["everyone"] == defaults
    else:
        assert write(base).model_dump() == load_settings().model_dump()


@given(names=st.lists(st.text(st.characters(codec="ascii"), max_size=8), max_size=4))
def test_lists_in_variables_are_json(names: list[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        set_variable(patch, "events.click_types", json.dumps(names))
        assert load_settings().events.click_types == tuple(names)
