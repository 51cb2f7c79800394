"""The resource through which assets reach settings, lake, ledger and clock.

What belongs here: how the running environment is bound. What does not: any logic over rows.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import dagster as dg
from pydantic import Field

from conversion_platform.days import ONE_DAY, at_local_time, day_of
from conversion_platform.defs.binding import settings_in_force
from conversion_platform.errors import SettingsError
from conversion_platform.lake import Session, ensure_format, open_lake
from conversion_platform.settings import CONFIG_VARIABLE, Settings, load_settings

if TYPE_CHECKING:
    from conversion_platform.messaging import Ledger, Sandbox


DAILY_RUN_TIME = timedelta(hours=2)
"""How long after its time of day a daily run may take before its day counts as missing."""


class Platform(dg.ConfigurableResource[Any]):
    """Settings, lake, ledger and clock of one installation."""

    settings_file: str = Field(
        default="",
        description="Settings file; empty means CONVERSION_PLATFORM_CONFIG, else "
        "conversion_platform.toml in the working directory, else defaults.",
    )

    @property
    def settings(self) -> Settings:
        """The validated settings, read anew so that a long-lived process sees edits."""
        return load_settings(self.settings_file or None)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A DuckDB session on the lake, with the settings it was opened for.

        Raises:
            LakeError: the lake holds days of another time zone, or is of another format.
        """
        settings = self.settings
        with secrets_in_environment(settings):
            lake = open_lake(settings)
            lake.storage.clear_staging()  # what killed runs left behind
            ensure_format(lake.storage)  # first: what says nothing of its format is an old lake
            lake.ensure_time_zone(settings.platform.time_zone)
            with lake.connect() as con:
                yield Session(settings, lake, con)

    @contextmanager
    def messaging(self) -> Iterator[tuple[Ledger, Sandbox]]:
        """The open ledger and the provider that the settings name."""
        from conversion_platform.messaging import open_ledger, open_provider

        settings = self.settings
        with open_ledger(settings) as ledger, closing(open_provider(settings)) as provider:
            yield ledger, provider

    def now(self) -> datetime:
        """The wall clock, read here so that no domain code does."""
        return datetime.now(UTC)

    def day_expected(self) -> date | None:
        """Return the newest day that should have run by now; None with the replay clock."""
        settings = self.settings
        today = self.today()
        if today is None:
            return None
        zone = settings.platform.time_zone
        due = at_local_time(today, settings.schedule.daily_at, zone) + DAILY_RUN_TIME
        return today if self.now() >= due else today - ONE_DAY

    def today(self) -> date | None:
        """The calendar day under way; None with the replay clock, which has its own days."""
        settings = self.settings
        if settings.platform.clock == "replay":
            return None
        return day_of(self.now(), settings.platform.time_zone)


@contextmanager
def secrets_in_environment(settings: Settings) -> Iterator[None]:
    """Puts the Secrets Manager secrets that the settings name into the environment.

    Raises:
        SettingsError: they cannot be read.
    """
    if not settings.platform.aws_secrets:
        yield
        return
    from botocore.exceptions import BotoCoreError, ClientError
    from dagster_aws.secretsmanager import SecretsManagerSecretsResource

    with ExitStack() as stack:
        try:
            resource = SecretsManagerSecretsResource(secrets=list(settings.platform.aws_secrets))
            stack.enter_context(resource.secrets_in_environment())
        except (BotoCoreError, ClientError) as error:
            raise SettingsError(
                f"The secrets of platform.aws_secrets cannot be read: {error}.",
                "Correct their ARNs, set the region (AWS_DEFAULT_REGION), and let these "
                "credentials do secretsmanager:DescribeSecret and secretsmanager:GetSecretValue.",
            ) from error
        yield


def require_readable_home(home: str) -> None:
    """Make sure that Dagster's own processes find dagster.yaml: they look for it by a glob.

    `conversion-platform run` reads that file itself, so it works in any folder.

    Raises:
        SettingsError: they do not, and would start any number of runs at once.
    """
    if glob.escape(home) != home:
        raise SettingsError(
            f"Dagster's pages and daemon cannot use DAGSTER_HOME = {home}: they miss dagster.yaml "
            "in a folder whose path has *, ? or [ in it.",
            "Move that folder, and set DAGSTER_HOME to it; everything else can stay.",
        )


def settings_file_in_force() -> str:
    """Return the settings file that a subprocess or a page should be given."""
    file = settings_in_force().file
    return str(file) if file else os.environ.get(CONFIG_VARIABLE, "")


@dg.definitions
def resources() -> dg.Definitions:
    """Return the resources of the settings in force."""
    return dg.Definitions(resources={"platform": Platform(settings_file=settings_file_in_force())})
