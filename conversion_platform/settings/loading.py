"""One validated `Settings` object: `conversion_platform.toml` plus environment variables.

An environment variable `CONVERSION_PLATFORM__SECTION__KEY` overrides the file. Secrets are
never settings: a setting may only hold the *name* of the environment variable that carries
one (`dsn_env`), and `secret()` reads it at the moment of use.
"""

from __future__ import annotations

import json
import os
import tomllib
from pathlib import Path
from typing import Any

import pydantic_settings
from pydantic import Field, PrivateAttr, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from conversion_platform.errors import SettingsError
from conversion_platform.settings.refusals import credentials_in, refused, shown, unknown_key
from conversion_platform.settings.schema import schema_of
from conversion_platform.settings.sections import (
    CohortSection,
    DriftSection,
    EventsSection,
    FeaturesSection,
    Identifier,
    InputSection,
    JobOfTheDaySection,
    MessagingSection,
    PlatformSection,
    PredictionsSection,
    ScheduleSection,
    SourcesSection,
    TrainingSection,
)

CONFIG_VARIABLE = "CONVERSION_PLATFORM_CONFIG"
CONFIG_NAME = "conversion_platform.toml"
ENV_PREFIX = "CONVERSION_PLATFORM__"


class Settings(BaseSettings):
    """Everything a person can set. Built by `load_settings`.

    Attributes:
        base: Folder that relative paths start from (the settings file's).
        file: The settings file, or None when defaults and environment alone are used.
    """

    model_config = SettingsConfigDict(
        extra="forbid",
        frozen=True,
        env_prefix=ENV_PREFIX,
        env_nested_delimiter="__",
        hide_input_in_errors=True,
    )

    platform: PlatformSection = PlatformSection()
    inputs: dict[Identifier, InputSection] = Field(
        default_factory=dict, description="Raw tables by name, for `sources.*.sql`."
    )
    sources: SourcesSection = SourcesSection()
    events: EventsSection = EventsSection()
    features: FeaturesSection = FeaturesSection()
    training: TrainingSection = TrainingSection()
    predictions: PredictionsSection = PredictionsSection()
    job_of_the_day: JobOfTheDaySection = JobOfTheDaySection()
    cohorts: dict[Identifier, CohortSection] = Field(
        default_factory=lambda: {"everyone": CohortSection()},
        min_length=1,
        description="Cohorts by name.",
    )
    messaging: MessagingSection = MessagingSection()
    drift: DriftSection = DriftSection()
    schedule: ScheduleSection = ScheduleSection()

    _file: Path | None = PrivateAttr(default=None)

    @property
    def file(self) -> Path | None:
        return self._file

    @property
    def base(self) -> Path:
        return self._file.parent if self._file else Path.cwd()

    def resolve(self, location: str) -> str:
        """Return `location` as it is when it is s3:// or absolute, else below `base`."""
        if location.startswith("s3://") or Path(location).is_absolute():
            return location
        return str(self.base / location)

    @property
    def lake_root(self) -> str:
        return self.resolve(self.platform.lake)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment win over the file (which arrives as init arguments)."""
        return env_settings, init_settings


def load_settings(file: str | Path | None = None) -> Settings:
    """Read and validate the settings.

    Args:
        file: The settings file. Without it, the file that `CONVERSION_PLATFORM_CONFIG` names,
            else `conversion_platform.toml` in the working directory if there is one, else
            defaults.

    Raises:
        SettingsError: the file is missing or not TOML, a key is unknown, or a value is not
            allowed. The message names file, key, value and what is allowed.
    """
    path = _settings_path(file)
    values = _read_toml(path) if path else {}
    label = str(path) if path else "the environment"
    _check_sections(values, label)
    try:
        settings = Settings(**values)
    except pydantic_settings.SettingsError as error:
        raise _not_json(error.__cause__) from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        raise refused(first, schema_of(Settings), label, ENV_PREFIX) from None
    settings._file = path
    _check_no_secrets(settings, label)
    _check_together(settings, label)
    return settings


def secret(variable: str) -> SecretStr:
    """Return the secret in environment variable `variable`.

    Raises:
        SettingsError: if the variable is not set.
    """
    value = os.environ.get(variable)
    if not value:
        raise SettingsError(
            f"The environment variable {variable} is not set.",
            f"Export {variable} before starting; secrets are never read from the settings file.",
        )
    return SecretStr(value)


def _settings_path(file: str | Path | None) -> Path | None:
    named = file or os.environ.get(CONFIG_VARIABLE)
    if named:
        path = Path(named).absolute()
        if not path.is_file():
            raise SettingsError(
                f"There is no settings file {path}.",
                "Run `conversion-platform init` to write one, or correct "
                f"--config / {CONFIG_VARIABLE}.",
            )
        return path
    path = Path(CONFIG_NAME).absolute()
    return path if path.is_file() else None


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} is not valid TOML: {error}.", "Correct that line.") from None
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} is not UTF-8: {error}.", "Save it as UTF-8.") from None


def _check_sections(values: dict[str, Any], label: str) -> None:
    """Refuse sections that do not exist; pydantic would pass over such a variable."""
    given = dict.fromkeys(values, label)
    for variable in os.environ:
        if variable.upper().startswith(ENV_PREFIX):
            section = variable[len(ENV_PREFIX) :].lower().partition("__")[0]
            given.setdefault(section, f"the environment variable {variable}")
    for section, place in given.items():
        if section not in Settings.model_fields:
            raise unknown_key(place, section, Settings.model_fields)


def _not_json(cause: BaseException | None) -> SettingsError:
    """Return the error for a variable whose list or table is not JSON: pydantic names none."""
    text = cause.doc if isinstance(cause, json.JSONDecodeError) else ""
    variables = (name for name, value in os.environ.items() if value == text)
    variable = next((name for name in variables if name.upper().startswith(ENV_PREFIX)), "")
    return SettingsError(
        f"The environment variable {variable} = {shown(text)} cannot be read.",
        'Allowed: JSON such as ["one", "two"] for a list and {"key": "value"} for a table.',
    )


def _check_no_secrets(settings: Settings, label: str) -> None:
    for key in credentials_in(settings.model_dump()):
        raise SettingsError(
            f"{label}: `{key}` holds a user and a password (not shown).",
            "Secrets come from the environment only: put the address into an environment "
            "variable and name that variable (`dsn_env` for Postgres).",
        )


def _check_together(settings: Settings, label: str) -> None:
    """Check the rules that need more than one section."""
    if settings.platform.clock == "replay" and settings.messaging.provider != "sandbox":
        raise SettingsError(
            f"{label}: `platform.clock` = 'replay' needs `messaging.provider` = 'sandbox'.",
            "Set platform.clock = 'wall' to reach a real provider.",
        )
    overlap = set(settings.events.conversion_types) & set(settings.events.impression_types)
    if overlap and settings.events.negatives == "impressions":
        raise SettingsError(
            f"{label}: {sorted(overlap)} stands in both `events.conversion_types` and "
            "`events.impression_types`.",
            "Give each event type one meaning, or set events.negatives = 'sampled'.",
        )
