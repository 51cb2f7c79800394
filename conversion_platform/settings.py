"""One validated `Settings` object: `conversion_platform.toml` plus environment variables.

An environment variable `CONVERSION_PLATFORM__SECTION__KEY` overrides the file. Secrets are
never settings: a setting may only hold the *name* of the environment variable that carries
one (`dsn_env`), and `secret()` reads it at the moment of use.
"""

from __future__ import annotations

import os
import tomllib
import typing
from collections.abc import Iterable
from datetime import date, time
from pathlib import Path
from typing import Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from conversion_platform.errors import SettingsError
from conversion_platform.settings_errors import (
    check_environment,
    check_keys,
    credentials_in,
    masked,
    refused_value,
)

CONFIG_VARIABLE = "CONVERSION_PLATFORM_CONFIG"
CONFIG_NAME = "conversion_platform.toml"
ENV_PREFIX = "CONVERSION_PLATFORM__"

Share = typing.Annotated[float, Field(ge=0.0, le=1.0)]
Identifier = typing.Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class Section(BaseModel):
    """Base of every section: immutable, and strict about keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        return _masked_arguments(super().__repr_args__())


class PlatformSection(Section):
    """Where the platform lives and how it counts days."""

    name: str = Field("conversion-platform", description="Shown in reports and the dashboard.")
    time_zone: str = Field(
        "America/New_York",
        description="IANA zone whose calendar days partition every table.",
    )
    start_date: date = Field(
        date(2026, 1, 1), description="First day with source data; the first daily partition."
    )
    lake: str = Field(
        "lake", description="Folder (relative to the settings file) or s3://bucket/prefix."
    )
    clock: Literal["wall", "replay"] = Field(
        "wall",
        description="`wall` sends at real time; `replay` walks through each day's clock, "
        "sandbox provider only.",
    )
    aws_secrets: tuple[str, ...] = Field(
        (),
        description="ARNs of AWS Secrets Manager secrets that a run puts into its environment.",
    )
    threads: int = Field(2, ge=1, le=256, description="Threads for DuckDB and XGBoost.")
    memory_limit: str = Field(
        "2GB",
        pattern=r"^[0-9]+(\.[0-9]+)?(MB|GB)$",
        description="DuckDB's memory limit; larger work spills to disk.",
    )

    @field_validator("time_zone")
    @classmethod
    def _zone_exists(cls, value: str) -> str:
        return known_zone(value)


class InputSection(Section):
    """A named raw table that `sources.*.sql` can query."""

    path: str | tuple[str, ...] | None = Field(
        None, description="File, glob, Hive folder or s3:// address (or a list of them)."
    )
    format: Literal["auto", "parquet", "csv", "postgres"] = Field(
        "auto", description="`auto` goes by the file name."
    )
    table: str | None = Field(None, description="Postgres: schema-qualified table to read.")
    query: str | None = Field(None, description="Postgres: a SELECT to read instead of a table.")
    dsn_env: str = Field(
        "CONVERSION_PLATFORM_POSTGRES_DSN",
        description="Postgres: name of the environment variable that holds the DSN.",
    )
    delimiter: str | None = Field(None, description="CSV: field separator; detected if not given.")
    null_values: tuple[str, ...] = Field(
        ("", "NA", "N/A", "NULL", "null"), description="CSV: texts that mean a missing value."
    )

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if self.format == "postgres":
            if (self.table is None) == (self.query is None):
                raise ValueError("format = 'postgres' needs exactly one of `table` and `query`")
        elif self.table is not None or self.query is not None:
            raise ValueError("`table` and `query` go with format = 'postgres' only")
        return self


class SourceSection(InputSection):
    """One of the three source tables: a place with a column mapping, or SQL over inputs."""

    sql: str | None = Field(None, description="A SELECT over the tables under [inputs].")
    columns: dict[str, str] = Field(
        default_factory=dict,
        description="Contract column = source column, where the names differ.",
    )
    attributes: tuple[str, ...] | None = Field(
        None, description="Further columns that become features; all suitable ones if not given."
    )
    ignore: tuple[str, ...] = Field((), description="Further columns that never become features.")
    time_zone: str | None = Field(
        None,
        description="Zone of times written without one; without this setting such rows are "
        "rejected.",
    )
    warn_share: Share = Field(0.01, description="Share of rejected rows that makes a check warn.")
    fail_share: Share = Field(0.2, description="Share of rejected rows that makes a check fail.")

    @field_validator("time_zone")
    @classmethod
    def _zone_exists(cls, value: str | None) -> str | None:
        return value if value is None else known_zone(value)

    @model_validator(mode="after")
    def _sql_or_place(self) -> Self:
        if self.sql is not None and (self.path is not None or self.format == "postgres"):
            raise ValueError("give either `sql` or a place (`path`, or format = 'postgres')")
        if self.sql is None and self.path is None and self.format != "postgres":
            raise ValueError("needs `path`, `sql`, or format = 'postgres' with `table` or `query`")
        return self


class SourcesSection(Section):
    """The three source tables."""

    users: SourceSection = SourceSection(path="source/users.parquet")
    jobs: SourceSection = SourceSection(path="source/jobs.parquet")
    events: SourceSection = SourceSection(path="source/events")


class EventsSection(Section):
    """What the event types mean."""

    impression_types: tuple[str, ...] = Field(
        ("impression",), description="Types that say a job was shown to a user."
    )
    click_types: tuple[str, ...] = Field(("click",), description="Types that say a user looked.")
    conversion_types: tuple[str, ...] = Field(
        ("application",), description="Types that count as a conversion."
    )
    attribution_window_days: int = Field(
        3, ge=1, le=90, description="Days after an impression in which a conversion counts for it."
    )
    late_days: int = Field(
        2, ge=0, le=30, description="Earlier days that each run reads again for late events."
    )
    negatives: Literal["impressions", "sampled"] = Field(
        "impressions",
        description="`sampled` draws negatives from the jobs open at that moment, for sources "
        "without logged impressions.",
    )
    negatives_per_positive: int = Field(
        10, ge=1, le=1000, description="How many negatives `sampled` draws for each positive."
    )


class FeaturesSection(Section):
    """The point-in-time features."""

    folder: str | None = Field(None, description="Folder with your own feature .sql files.")
    shrinkage: float = Field(
        20.0, gt=0, description="Impressions' worth of prior that a rate is shrunk by."
    )
    max_categories: int = Field(
        50,
        ge=2,
        le=1000,
        description="Values of a categorical attribute kept; the rest is `other`.",
    )
    max_distance_km: float = Field(
        200.0, gt=0, description="Distances beyond this count as this far."
    )


class TrainingSection(Section):
    """How the model is fitted and evaluated."""

    train_days: int = Field(42, ge=2, description="Days of matured impressions to fit on.")
    validation_days: int = Field(
        7, ge=1, description="Days after those, for early stopping and calibration."
    )
    test_days: int = Field(7, ge=1, description="Days after those, for evaluation only.")
    max_examples: int = Field(
        2_000_000, ge=1000, description="Fitting examples kept (whole slates, by hash) above this."
    )
    trees: int = Field(300, ge=1, le=10_000, description="Most boosting rounds.")
    depth: int = Field(5, ge=1, le=15, description="Depth of a tree.")
    learning_rate: float = Field(0.08, gt=0, le=1, description="Shrinkage of each tree.")
    early_stopping_rounds: int = Field(
        25, ge=1, description="Rounds without gain on validation before stopping."
    )
    seed: int = Field(7, ge=0, description="Seed of everything random in training.")
    click_value: Share = Field(
        0.1, description="What a click without a conversion is worth when fitting (1 = as much)."
    )
    map_k: int = Field(10, ge=1, description="k of MAP@k.")
    train_weekday: int = Field(
        0, ge=0, le=6, description="Weekday of the weekly training (0 = Monday)."
    )


class PredictionsSection(Section):
    """Which pairs are scored and what is kept."""

    top_k: int = Field(20, ge=1, le=1000, description="Best jobs kept for each user and day.")
    active_days: int = Field(
        60, ge=1, description="A user with an event (or joined) in these days is eligible."
    )
    max_candidates: int = Field(
        500, ge=1, description="Candidate jobs for a user; the most popular are kept above this."
    )
    candidates: Literal["auto", "region", "distance", "all"] = Field(
        "auto", description="`auto`: by region if both have it, else by distance, else all open."
    )


class CohortSection(Section):
    """A named group of users with its own template, time and size."""

    where: str = Field(
        "true", description="SQL predicate over the user's columns and features (docs/settings.md)."
    )
    template: str = Field(
        "{{ sender }}: {{ title }} is open near you. {{ link }} Reply STOP to opt out.",
        min_length=1,
        description="Jinja template of the text.",
    )
    send_time: time = Field(time(10, 0), description="Local time of the recipient.")
    size: int = Field(1_000_000, ge=0, description="Most texts a day, best probability first.")
    min_probability: Share = Field(0.0, description="No text below this calibrated probability.")
    priority: int = Field(100, description="Lower is served first; a user is in one cohort only.")


class JobOfTheDaySection(Section):
    """Who gets which job today."""

    repeat_days: int = Field(
        14, ge=1, description="The same job goes to the same user at most once in these days."
    )
    holdout_share: Share = Field(
        0.1, description="Share of users who get no text, logged as such, to measure the uplift."
    )
    salt: str = Field("job-of-the-day", description="Changes who is in the holdout.")
    max_texts_per_week: int = Field(
        3, ge=1, le=21, description="Most texts to one user within 7 days."
    )


class SandboxSection(Section):
    """How the sandbox carrier behaves."""

    fail_share: Share = Field(0.03, description="Share of phone numbers that never get a text.")
    stop_share: Share = Field(0.005, description="Share of delivered texts answered with STOP.")
    seed: int = Field(11, ge=0, description="Seed of the carrier's behaviour.")


class MessagingSection(Section):
    """Who sends, and through what."""

    sender: str = Field("Gigs", description="The name at the start of each text.")
    provider: Literal["sandbox"] = Field("sandbox", description="Where texts go.")
    link_base: str = Field(
        "https://example.invalid/j", description="Base of the link in each text."
    )
    country: str = Field("US", pattern="^[A-Z]{2}$", description="Region of numbers without +.")
    transliterate: bool = Field(
        True,
        description="Plain forms for curly quotes, dashes and the like, which would make a text "
        "cost more parts.",
    )
    max_segments: int = Field(
        3, ge=1, le=10, description="A text of more parts than this is suppressed, not sent."
    )
    ledger: str = Field(
        "messaging/ledger.sqlite",
        description="SQLite file of the ledger, relative to the settings file.",
    )
    sandbox: SandboxSection = SandboxSection()


class DriftSection(Section):
    """The daily watch."""

    sample_rows: int = Field(
        4000, ge=100, le=200_000, description="Rows of today's features and scores compared."
    )
    max_drifted_share: Share = Field(
        0.5, description="Share of drifted columns above which the check fails."
    )
    statistic_threshold: float = Field(
        0.1, gt=0, description="Evidently's threshold for one column."
    )


class ScheduleSection(Section):
    """When the daily run starts."""

    enabled: bool = Field(True, description="Whether the schedules run by default.")
    daily_at: time = Field(time(6, 0), description="Start of the daily run, platform time zone.")
    send_every_minutes: int = Field(
        10, ge=1, le=59, description="How often due texts are sent (wall clock)."
    )


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
        """`location` as it is when it is s3:// or absolute, else below `base`."""
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
        """The environment wins over the file (which arrives as init arguments)."""
        return env_settings, init_settings


def _masked_arguments(
    arguments: Iterable[tuple[str | None, Any]],
) -> Iterable[tuple[str | None, Any]]:
    """A secret in the wrong place must not reach a log by way of a repr."""
    return [(key, masked(value) if isinstance(value, str) else value) for key, value in arguments]


def known_zone(value: str) -> str:
    """`value` if it is an IANA time zone.

    Raises:
        ValueError: if it is not (pydantic turns it into a validation error).
    """
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError("an IANA time zone such as America/Chicago") from error
    return value


def load_settings(file: str | Path | None = None) -> Settings:
    """Reads and validates the settings.

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
    check_keys(values, Settings, label)
    check_environment(Settings, ENV_PREFIX, os.environ)
    try:
        settings = Settings(**values)
    except ValidationError as error:
        raise refused_value(error, values, label, Settings, ENV_PREFIX) from None
    settings._file = path
    _check_no_secrets(settings, label)
    _check_together(settings, label)
    return settings


def secret(variable: str) -> SecretStr:
    """The secret in environment variable `variable`.

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
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} is not valid TOML: {error}.", "Mend that line.") from None
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} is not UTF-8: {error}.", "Save it as UTF-8.") from None


def _check_no_secrets(settings: Settings, label: str) -> None:
    for key in credentials_in(settings):
        raise SettingsError(
            f"{label}: `{key}` holds a user and a password (not shown).",
            "Secrets come from the environment only: put the address into an environment "
            "variable and name that variable (`dsn_env` for Postgres).",
        )


def _check_together(settings: Settings, label: str) -> None:
    """Rules that need more than one section."""
    if settings.platform.clock == "replay" and settings.messaging.provider != "sandbox":
        raise SettingsError(
            f"{label}: `platform.clock` = 'replay' needs `messaging.provider` = 'sandbox'.",
            "Set platform.clock = 'wall' to reach a real carrier.",
        )
    overlap = set(settings.events.conversion_types) & set(settings.events.impression_types)
    if overlap and settings.events.negatives == "impressions":
        raise SettingsError(
            f"{label}: {sorted(overlap)} stands in both `events.conversion_types` and "
            "`events.impression_types`.",
            "Give each event type one meaning, or set events.negatives = 'sampled'.",
        )
