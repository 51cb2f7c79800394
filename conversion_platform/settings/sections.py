"""The sections of the settings: every key with its type, default, limits and meaning.

Which sections there are, and the default of `cohorts`, stand in `Settings` (loading.py). A key that
is added here appears by itself in the file that `init` writes; docs/settings.md is
generated from it (`make docs`).
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable
from datetime import date, time
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from conversion_platform.settings.refusals import without_credentials

# Pydantic would take a bare 5 for five seconds past midnight, and ignore a zone.
WRITTEN = {
    date: re.compile(r"\d{4}-\d\d-\d\d"),
    time: re.compile(r"\d{1,2}:\d\d(:\d\d(\.\d+)?)?$"),
}
LARGEST_SEED = 2**31 - 1


def _known_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError("an IANA time zone such as America/Chicago") from error
    return value


Share = Annotated[float, Field(ge=0, le=1)]
Zone = Annotated[str, AfterValidator(_known_zone)]
NonEmpty = Annotated[str, Field(min_length=1)]
Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class Section(BaseModel):
    """Base of every section: immutable, and strict about keys."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, allow_inf_nan=False
    )

    @field_validator("*", mode="before")
    @classmethod
    def _is_what_it_says(cls, value: Any, info: ValidationInfo) -> Any:
        kind = cls.model_fields[info.field_name or ""].annotation
        if kind in (int, float) and isinstance(value, bool):
            raise PydanticCustomError("wrong_kind", "true is no number")
        if kind in WRITTEN and not WRITTEN[kind].match(str(value)):
            raise PydanticCustomError("wrong_kind", "not written as a date or time")
        return value

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        """Hide passwords: a secret in the wrong place must not reach a log."""
        for key, value in super().__repr_args__():
            yield key, without_credentials(value) if isinstance(value, str) else value


class PlatformSection(Section):
    """Where the platform lives and how it counts days."""

    name: str = Field("conversion-platform", description="Shown in reports and the dashboard.")
    time_zone: Zone = Field(
        "America/New_York",
        description="IANA zone whose calendar days partition every table; a lake keeps to its own.",
    )
    start_date: date = Field(
        date(2026, 1, 1), description="First day with source data; the first daily partition."
    )
    lake: str = Field(
        "lake",
        min_length=1,
        description="Folder (relative to the settings file) or s3://bucket/prefix.",
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
        examples=["500MB", "2GB"],
        description="DuckDB's memory limit; larger work spills to disk.",
    )
    keep_snapshots_days: int = Field(
        730,
        ge=120,
        le=36_500,
        description="Days that snapshots of users and jobs are kept; earlier days then see the "
        "first one that is left.",
    )


class InputSection(Section):
    """A named raw table that `sources.*.sql` can query; its columns are as they are in it."""

    path: NonEmpty | Annotated[tuple[NonEmpty, ...], Field(min_length=1)] | None = Field(
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
    delimiter: str | None = Field(
        None,
        pattern=r'^[^"\r\n\x00]$',
        examples=[";", "\t"],
        description="CSV: field separator, one character other than a double quote or line break; "
        "detected if not given.",
    )
    encoding: str = Field(
        "utf-8",
        examples=["latin-1", "cp1252", "utf-16"],
        description="CSV: encoding of the text. A byte-order mark counts for more.",
    )
    header_row: int = Field(
        1,
        ge=1,
        examples=[4],
        description="CSV: line of the file that names the columns; those above it are not read.",
    )

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str) -> str:
        try:
            "".encode(value)  # base64 is a codec, but none of text
            return codecs.lookup(value).name
        except LookupError as error:
            raise ValueError("an encoding that Python knows, such as latin-1") from error

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if self.format == "postgres":
            if (self.table is None) == (self.query is None):
                raise ValueError("format = 'postgres' needs exactly one of `table` and `query`")
        elif self.table is not None or self.query is not None:
            raise ValueError("`table` and `query` go with format = 'postgres' only")
        return self


class SourceSection(InputSection):
    """A source table: a place with a column mapping, or SQL over inputs."""

    sql: str | None = Field(None, description="A SELECT over the tables under [inputs].")
    columns: dict[str, str] = Field(
        default_factory=dict,
        description="Contract column = source column, where the names differ.",
    )
    null_values: tuple[str, ...] = Field(
        ("NA", "N/A", "n/a", "NULL", "null", r"\N", "NaN", "nan", "None", "#N/A", "<NA>"),
        description="Texts that mean a missing value, as an empty one does.",
    )
    decimal: Literal[".", ","] = Field(".", description="Decimal mark of numbers in texts.")
    thousands: Literal[",", ".", "'", " "] | None = Field(
        None,
        description="What groups the digits of numbers in texts by three, beside spaces and "
        "apostrophes; if not given the comma, or the point where `decimal` is the comma.",
    )
    date_format: NonEmpty | Annotated[tuple[NonEmpty, ...], Field(min_length=1)] | None = Field(
        None,
        examples=["%m/%d/%Y %I:%M %p"],
        description="`strptime` format of times in texts (or a list of them). What none of them "
        "reads may still begin with the year.",
    )
    time_zone: Zone | None = Field(
        None,
        description="Zone of times written without one; without this setting such a cell is "
        "missing, and an event rejected.",
    )
    warn_share: Share = Field(0.01, description="Share of rejected rows that makes a check warn.")
    fail_share: Share = Field(0.2, description="Share of rejected rows that makes a check fail.")

    @property
    def date_formats(self) -> tuple[str, ...]:
        """The formats of `date_format`."""
        if self.date_format is None:
            return ()
        return (self.date_format,) if isinstance(self.date_format, str) else self.date_format

    @model_validator(mode="after")
    def _sql_or_place(self) -> Self:
        if self.sql is not None and (self.path is not None or self.format == "postgres"):
            raise ValueError("give either `sql` or a place (`path`, or format = 'postgres')")
        if self.sql is None and self.path is None and self.format != "postgres":
            raise ValueError("needs `path`, `sql`, or format = 'postgres' with `table` or `query`")
        return self


class EntitySection(SourceSection):
    """Users or jobs: a place with a column mapping, or SQL over inputs."""

    attributes: tuple[str, ...] = Field(
        (),
        description="Further columns that become features, and that anyone may read; all others "
        "are kept apart as personal. `check-sources` proposes the list.",
    )
    duplicates: Literal["newest", "first", "refuse"] = Field(
        "newest",
        description="Which of several rows of one user or job counts: the `newest` by "
        "`valid_from`, `updated_at` or the `dt=` folder (where these do not tell, the source is "
        "refused), the `first` by file and row, or none.",
    )
    folders: Literal["exports", "changes"] = Field(
        "exports",
        description="What a `dt=` folder of users or jobs holds: `exports` are whole, and who is "
        "not in the newest one is shown no more; `changes` are the rows that changed.",
    )
    max_gone_share: Share = Field(
        0.5,
        description="Share of the users (or jobs) of the newest snapshot that may be gone at once; "
        "with more, and more than 20, a run stops before it replaces them. 1 for any.",
    )


class SourcesSection(Section):
    """The three source tables."""

    users: EntitySection = EntitySection(path="source/users.parquet")
    jobs: EntitySection = EntitySection(path="source/jobs.parquet")
    events: SourceSection = SourceSection(path="source/events")


class EventsSection(Section):
    """What the event types mean."""

    impression_types: tuple[str, ...] = Field(
        ("impression",), description="Types that say a job was shown to a user."
    )
    click_types: tuple[str, ...] = Field(("click",), description="Types that say a user looked.")
    conversion_types: tuple[str, ...] = Field(
        ("application",),
        min_length=1,
        description="Types that count as a conversion; at least one.",
    )
    text_channels: tuple[NonEmpty, ...] = Field(
        ("text",),
        description="Values of `channel` that mark events caused by the platform's own messages: "
        "features count them apart from all others. [] if there are none.",
    )
    attribution_window_days: int = Field(
        3, ge=1, le=90, description="Days after an impression in which a conversion counts for it."
    )
    late_days: int = Field(
        2,
        ge=0,
        le=30,
        description="Calendar days that an event may arrive after it happened; later ones are "
        "rejected.",
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

    folder: str | None = Field(None, description="Folder with custom feature .sql files.")
    shrinkage: float = Field(
        20.0, gt=0, description="Impressions' worth of prior that a rate is shrunk by."
    )
    max_categories: int = Field(
        50,
        ge=2,
        le=1000,
        description="Values of a categorical attribute kept; the rest is `other`.",
    )
    replayed_texts: bool = Field(
        False,
        description="Whether messages of the replay clock count as received. They reach nobody, "
        "unless a simulator reacts to them; then run days one by one.",
    )
    allow_protected_features: tuple[str, ...] = Field(
        (),
        description="Protected attributes of users (gender, age ...) that may be listed in "
        "`sources.users.attributes`, or mapped in its `columns`, all the same.",
    )
    max_distance_km: float = Field(
        200.0, gt=0, description="Distances beyond this count as this far."
    )


class TrainingSection(Section):
    """How the model is fitted and evaluated."""

    train_days: int = Field(42, ge=2, le=3650, description="Days of matured impressions to fit on.")
    validation_days: int = Field(
        14, ge=1, le=3650, description="Days after those, for early stopping and calibration."
    )
    test_days: int = Field(7, ge=1, le=3650, description="Days after those, for evaluation only.")
    attribution: Literal["last_touch", "any"] = Field(
        "last_touch",
        description="What a conversion counts for: the last showing of the pair before it, or "
        "`any` whose window it lies in.",
    )
    max_examples: int = Field(
        2_000_000,
        ge=1000,
        le=1_000_000_000,
        description="Fitting examples kept (whole slates, by hash) above this.",
    )
    trees: int = Field(400, ge=1, le=10_000, description="Most boosting rounds.")
    depth: int = Field(4, ge=1, le=15, description="Depth of a tree.")
    learning_rate: float = Field(0.05, gt=0, le=1, description="Shrinkage of each tree.")
    early_stopping_rounds: int = Field(
        25, ge=1, le=10_000, description="Rounds without gain on validation before stopping."
    )
    seed: int = Field(
        7, ge=0, le=LARGEST_SEED, description="Seed of everything random in training."
    )
    click_value: Share = Field(
        0.3, description="What a click without a conversion is worth when fitting (1 = as much)."
    )
    map_k: int = Field(10, ge=1, le=1000, description="k of MAP@k.")
    train_weekday: int = Field(
        0, ge=0, le=6, description="Weekday of the weekly training (0 = Monday)."
    )


class PredictionsSection(Section):
    """Which pairs are scored and what is kept."""

    top_k: int = Field(20, ge=1, le=1000, description="Best jobs kept for each user and day.")
    active_days: int = Field(
        60, ge=1, le=3650, description="A user with an event (or joined) in these days is eligible."
    )
    max_candidates: int = Field(
        500,
        ge=1,
        le=100_000,
        description="Candidate jobs for a user; the most popular are kept above this.",
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
        description="Jinja template of the message's body.",
    )
    send_time: time = Field(time(10, 0), description="Local time of the recipient.")
    size: int = Field(
        1_000_000,
        ge=0,
        le=1_000_000_000,
        description="Most messages a day, best probability first.",
    )
    min_probability: Share = Field(0.0, description="No message below this calibrated probability.")
    priority: int = Field(
        100,
        ge=-1_000_000,
        le=1_000_000,
        description="Lower is served first; a user is in one cohort only.",
    )


class JobOfTheDaySection(Section):
    """Who gets which job today."""

    repeat_days: int = Field(
        14,
        ge=1,
        le=3650,
        description="The same job goes to the same user at most once in these days.",
    )
    holdout_share: Share = Field(
        0.1, description="Share of users who get no message, logged as such, to measure the uplift."
    )
    salt: str = Field("job-of-the-day", description="Changes who is in the holdout.")
    max_texts_per_week: int = Field(
        3, ge=1, le=21, description="Most messages to one user within 7 days."
    )


class SandboxSection(Section):
    """How the sandbox provider behaves."""

    fail_share: Share = Field(0.03, description="Share of phone numbers that never get a message.")
    stop_share: Share = Field(0.005, description="Share of delivered messages with the reply STOP.")
    seed: int = Field(11, ge=0, le=LARGEST_SEED, description="Seed of the provider's behaviour.")


class MessagingSection(Section):
    """Who sends, and through what.

    Hours and opt-out wordings are no settings: messaging/data/rules.toml.
    """

    sender: str = Field(
        "Gigs", pattern=r"\S", description="The name at the start of each message; not blank."
    )
    provider: Literal["sandbox"] = Field("sandbox", description="Where messages go.")
    link_base: str = Field(
        "https://example.invalid/j",
        pattern=r"^\S+$",
        description="Base of the link in each message; without blanks.",
    )
    country: str = Field("US", description="Region of numbers without +, such as US.")
    transliterate: bool = Field(
        True,
        description="Plain forms for curly quotes, dashes and the like, which would make a "
        "message cost more parts.",
    )
    max_segments: int = Field(
        3, ge=1, le=10, description="A message of more parts than this is suppressed, not sent."
    )
    ledger: str = Field(
        "messaging/ledger.sqlite",
        min_length=1,
        description="SQLite file of the ledger, relative to the settings file.",
    )
    sandbox: SandboxSection = SandboxSection()

    @field_validator("country")
    @classmethod
    def _has_numbers(cls, value: str) -> str:
        from phonenumbers import SUPPORTED_REGIONS

        if value not in SUPPORTED_REGIONS:
            raise ValueError("a region of phone numbers by its two capital letters, such as US")
        return value


class DriftSection(Section):
    """The daily comparison with the data that the model was trained on."""

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
        4,
        ge=1,
        le=59,
        description="How often due messages are sent and replies taken in (wall clock); an opt-out "
        "in free words is confirmed within 5 minutes or not at all.",
    )
    keep_runs_days: int = Field(
        90,
        ge=1,
        le=36_500,
        description="Days that `conversion-platform prune` keeps Dagster's runs; those with the "
        "newest state of a partition stay longer.",
    )
