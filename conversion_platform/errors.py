"""The error tree. Every message says what is wrong, where, and what to do next.

    PlatformError
    ├── SettingsError      a setting is missing, unknown or out of range
    ├── SourceError        a source cannot be read, or breaks its contract as a whole
    ├── LakeError          a lake table cannot be read or written
    │   ├── MissingFileError   a file of the lake is not there
    │   ├── DamagedFileError   a file of the lake cannot be read whole
    │   ├── UnreachableError   S3 does not answer
    │   ├── DiskFullError      no space is left where the platform writes
    │   └── MemoryLimitError   the work needs more than platform.memory_limit
    ├── LeaseLostError     this process was judged dead while it stood still, and may not publish
    ├── NotReadyError      an earlier stage has not been materialised for the day asked for
    ├── TrainingError      a model cannot be fitted or evaluated on the data at hand
    ├── RegistryError      a model version or the champion pointer is missing or damaged
    ├── MessagingError     a message cannot be planned, rendered or sent
    ├── EventLogError      the append-only log cannot be read or appended to
    ├── ServerError        Dagster's pages or its daemon cannot be started, or ended by themselves
    ├── BackupError        a backup cannot be made, or not be restored
    └── QueryError         a query at the SQL prompt is not allowed or cannot be run

Callers that only want to show the message catch PlatformError; nothing in the project
catches `Exception` to carry on.

Checks that look for all mistakes at once return `Finding`s in place of raising the first error.
"""

from __future__ import annotations

from dataclasses import dataclass


class PlatformError(Exception):
    """Base of every error the platform raises on purpose.

    Args:
        problem: What is wrong and where (file, row, column, setting).
        remedy: What the reader should do next.
    """

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem, remedy)
        self.problem = problem
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.problem}\n  What to do: {self.remedy}"


class SettingsError(PlatformError):
    """A setting is missing, unknown or out of range."""


class SourceError(PlatformError):
    """A source cannot be read, or breaks its contract as a whole."""


class LakeError(PlatformError):
    """A lake table cannot be read or written."""


class MissingFileError(LakeError):
    """A file of the lake is not there."""


class DamagedFileError(LakeError):
    """A file of the lake cannot be read whole."""


class DiskFullError(LakeError):
    """No space is left where the platform writes."""


class MemoryLimitError(LakeError):
    """The work needs more memory than `platform.memory_limit`."""


class UnreachableError(LakeError):
    """The store behind a lake or a source does not answer; it may do so later."""


class LeaseLostError(PlatformError):
    """This process was judged dead while it stood still, and may not publish any more."""


class NotReadyError(PlatformError):
    """An earlier stage has not been materialised for the day asked for."""


class TrainingError(PlatformError):
    """A model cannot be fitted or evaluated on the data at hand."""


class RegistryError(PlatformError):
    """A model version or the champion pointer is missing or damaged."""


class MessagingError(PlatformError):
    """A message cannot be planned, rendered or sent."""


class EventLogError(PlatformError):
    """The append-only log cannot be read or appended to."""


class ServerError(PlatformError):
    """Dagster's pages or its daemon cannot be started, or ended by themselves."""


class BackupError(PlatformError):
    """A backup cannot be made, or not be restored."""


class QueryError(PlatformError):
    """A query at the SQL prompt is not allowed or cannot be run."""


@dataclass(frozen=True)
class Finding:
    """What a check found wrong with a setting or a source.

    Attributes:
        setting: The setting that it is about, such as `cohorts.night.where`.
        error: What is wrong and what to do; raised as it is by who stops at the first.
        warning: Whether a run works all the same, though hardly as it was meant to.
    """

    setting: str
    error: PlatformError
    warning: bool = False

    @classmethod
    def warn(cls, setting: str, problem: str, remedy: str) -> Finding:
        """Return a warning."""
        return cls(setting, PlatformError(problem, remedy), warning=True)

    def named(self) -> PlatformError:
        """Return the error; its message names the setting."""
        if self.setting in str(self.error):
            return self.error
        return type(self.error)(f"{self.setting}: {self.error.problem}", self.error.remedy)
