"""The resource through which assets reach settings, lake, ledger and clock.

What belongs here: how the running environment is bound. What does not: any logic over rows.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, nullcontext
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
from pydantic import Field, PrivateAttr

from conversion_platform.days import ONE_DAY, at_local_time, day_of
from conversion_platform.defs.binding import settings_in_force
from conversion_platform.defs.freshness import DAILY_RUN_TIME
from conversion_platform.defs.lake_asset import PARTITION, RANGE_END
from conversion_platform.errors import SettingsError
from conversion_platform.lake import Session, ensure_format, ensure_lake_id, open_lake
from conversion_platform.liveness import Lease, Leases, leases_of
from conversion_platform.settings import CONFIG_VARIABLE, Settings, load_settings

if TYPE_CHECKING:
    from conversion_platform.messaging import Ledger, Sandbox


SECONDS_FOR_A_SENDER = 3600.0


class Platform(dg.ConfigurableResource[Any]):
    """Settings, lake, ledger and clock of one installation."""

    settings_file: str = Field(
        default="",
        description="Settings file; empty means CONVERSION_PLATFORM_CONFIG, else "
        "conversion_platform.toml in the working directory, else defaults.",
    )
    _leases: Leases | None = PrivateAttr(default=None)
    _log: dg.DagsterLogManager | None = PrivateAttr(default=None)

    @property
    def settings(self) -> Settings:
        """The validated settings, read anew so that a long-lived process sees edits."""
        return load_settings(self.settings_file or None)

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[Platform]:
        """Hold the run's lease as long as its steps work."""
        if context.run is None or context.instance is None:
            yield self
            return
        home, run = Path(context.instance.root_directory), context.run
        with leases_of(home, run.run_id, task_of(run), keep=True) as leases:
            self._leases, self._log = leases, context.log
            try:
                yield self
            finally:
                self._leases = None

    @contextmanager
    def session(self, writes_lake: bool = True) -> Iterator[Session]:
        """Open a DuckDB session on the lake, with the settings it was opened for.

        A run that opens one is the lake's only writer from then to its end.

        Args:
            writes_lake: False for work on the tables of messages alone, whose guard is the
                ledger's lock: it does not wait for the lake's writer.

        Raises:
            LakeError: the lake holds days of another time zone, is of another format, is not
                the ledger's, or is not there.
        """
        from conversion_platform.messaging import require_own_lake

        settings = self.settings
        with secrets_in_environment(settings):
            lake = open_lake(settings)
            require_own_lake(settings, lake.storage)
            if self._leases is not None:
                if writes_lake:
                    self._leases.hold_lake(lake.storage, self._waiting)
                lake.storage.fence = self._leases.fence
            lake.storage.clear_staging()  # what killed runs left behind
            ensure_format(lake.storage)  # first: what says nothing of its format is an old lake
            lake.ensure_time_zone(settings.platform.time_zone)
            ensure_lake_id(lake.storage)
            with lake.connect() as con:
                yield Session(settings, lake, con)

    @contextmanager
    def messaging(self, exclusive: bool = False) -> Iterator[tuple[Ledger, Sandbox]]:
        """Open the ledger and the provider that the settings name.

        Args:
            exclusive: Whether no other process may send, receive, or touch the tables of messages
                meanwhile; one that does is waited for.
        """
        from conversion_platform.messaging import (
            belong_to,
            open_ledger,
            open_provider,
            require_own_lake,
        )

        settings = self.settings
        lake = open_lake(settings)
        require_own_lake(settings, lake.storage)
        ensure_format(lake.storage)  # before the lake gets the id by which the ledger knows it
        with open_ledger(settings) as ledger, closing(open_provider(settings)) as provider:
            if self._leases is not None:
                ledger.fence = self._leases.fence
            belong_to(ledger, lake.storage)
            with ledger.exclusive(SECONDS_FOR_A_SENDER) if exclusive else nullcontext():
                yield ledger, provider

    def _waiting(self, writer: Lease) -> None:
        if self._log is not None:
            self._log.info(f"Waiting for {writer}, which writes this lake.")

    def now(self) -> datetime:
        """Return the wall clock, read here so that no domain code does."""
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
        """Return the calendar day under way; None with the replay clock, which has its own days."""
        settings = self.settings
        if settings.platform.clock == "replay":
            return None
        return day_of(self.now(), settings.platform.time_zone)


def task_of(run: dg.DagsterRun) -> str:
    """Return what a run does, for messages about it."""
    day = run.tags.get(PARTITION) or run.tags.get(RANGE_END)
    return f"run {run.run_id[:8]} of `{run.job_name}`" + (f" for {day}" if day else "")


@contextmanager
def secrets_in_environment(settings: Settings) -> Iterator[None]:
    """Put the Secrets Manager secrets that the settings name into the environment.

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
