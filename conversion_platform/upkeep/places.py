"""Where an installation keeps what no command can make again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from conversion_platform.messaging import ledger_path, sandbox_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conversion_platform.settings import Settings


@dataclass(frozen=True)
class Places:
    """The parts of an installation.

    Attributes:
        lake: Root of the lake, a folder or `s3://bucket/prefix`.
        dagster_home: The folder of Dagster's instance.
        ledger: The ledger's SQLite file.
        sandbox: The sandbox provider's SQLite file.
        settings_file: The settings file; None where defaults and environment are in force.
    """

    lake: str
    dagster_home: Path
    ledger: Path
    sandbox: Path
    settings_file: Path | None

    @property
    def lake_folder(self) -> Path | None:
        """The lake's folder; None for a lake on S3."""
        return None if self.lake.startswith("s3://") else Path(self.lake).resolve()

    def folders(self) -> Iterator[tuple[str, Path]]:
        """Yield each folder of this machine that belongs to the platform alone, with its name."""
        if self.lake_folder:
            yield "the lake", self.lake_folder
        yield "DAGSTER_HOME", self.dagster_home.resolve()


def places_of(settings: Settings, dagster_home: Path) -> Places:
    """Return the places that the settings name.

    Args:
        settings: Those in force.
        dagster_home: The folder of Dagster's instance, which the environment may name.
    """
    return Places(
        settings.lake_root,
        dagster_home,
        ledger_path(settings),
        sandbox_path(settings),
        settings.file,
    )
