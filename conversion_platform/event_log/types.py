"""The types of events: their columns, and the columns that identify an event."""

from __future__ import annotations

from dataclasses import dataclass

from conversion_platform.errors import EventLogError
from conversion_platform.lake import Column

STATES_OF_A_MESSAGE = "planned, deferred, suppressed, sending, sent, delivered, failed or expired"

COMMON = (
    Column("event_id", "VARCHAR", "md5 of the event's type and identity: unique."),
    Column("occurred_at", "TIMESTAMPTZ", "When it happened."),
    Column("recorded_at", "TIMESTAMPTZ", "When it was appended; NULL if a replay appended it."),
)

USER = Column("user_id", "VARCHAR", "The user.")
JOB = Column("job_id", "VARCHAR", "The job.")
ASSIGNMENT_ID = Column("assignment_id", "VARCHAR", "The assignment.")
MESSAGE_ID = Column("message_id", "VARCHAR", "The message; NULL if there is none.")
MODEL_VERSION = Column("model_version", "VARCHAR", "The model version that scored it.")
COHORT = Column("cohort", "VARCHAR", "The cohort of the user.")
ARM = Column("arm", "VARCHAR", "treatment or holdout.")
REASON = Column("reason", "VARCHAR", "The reason, if there is one.")
RULE = Column("rule_id", "VARCHAR", "The rule that decided (docs/messaging.md).")


@dataclass(frozen=True)
class EventType:
    """One type of event.

    Attributes:
        name: The folder `event_type=<name>`, and the view `log_<name>`.
        description: One sentence for the catalog and the docs.
        day: The local day that is the partition `dt`.
        own_columns: The columns after the common ones. None contains a phone number, a name,
            coordinates or the body of a message.
        identity: Columns that identify an event.
        detail: The most informative column, for the view `event_log`.
    """

    name: str
    description: str
    day: str
    own_columns: tuple[Column, ...]
    identity: tuple[str, ...]
    detail: str

    @property
    def columns(self) -> tuple[Column, ...]:
        return COMMON + self.own_columns

    @property
    def view(self) -> str:
        return f"log_{self.name}"

    def empty_select(self) -> str:
        """Return SQL for no rows, with the columns of the type's files and folders."""
        folders = (Column("event_type", "VARCHAR", ""), Column("dt", "DATE", ""))
        columns = [
            f'CAST(NULL AS {column.type}) AS "{column.name}"' for column in self.columns + folders
        ]
        return f"SELECT {', '.join(columns)} WHERE false"


EVENT_TYPES = (
    EventType(
        "snapshot",
        "Users or jobs were captured as the source showed them, or the snapshot was replaced.",
        "the day captured",
        (
            Column("table_name", "VARCHAR", "users_history or jobs_history."),
            Column("rows", "BIGINT", "Rows that are new or changed since the snapshot before."),
            Column("gone", "BIGINT", "Rows that the source does not show any more."),
            Column("fingerprint", "VARCHAR", "sha256 of the partition of that table."),
        ),
        ("dt", "table_name", "fingerprint"),
        "fingerprint",
    ),
    EventType(
        "prediction_batch",
        "One day's predictions were written by one model version.",
        "the day predicted for",
        (
            MODEL_VERSION,
            Column("features_day", "DATE", "As-of day of the features."),
            Column("users", "BIGINT", "Users with predictions."),
            Column("rows", "BIGINT", "Pairs of user and job that were stored."),
            Column("fingerprint", "VARCHAR", "sha256 of the partition of daily_predictions."),
        ),
        ("dt", "model_version", "fingerprint"),
        "fingerprint",
    ),
    EventType(
        "assignment",
        "A user was assigned the job of the day, or held out.",
        "the day of the assignment",
        (
            ASSIGNMENT_ID,
            USER,
            JOB,
            COHORT,
            ARM,
            Column("probability", "FLOAT", "Calibrated probability of a conversion (0 to 1)."),
            Column("score", "FLOAT", "The model's raw probability."),
            Column("rank", "INTEGER", "The job's rank among the user's predictions."),
            Column("send_at", "TIMESTAMPTZ", "When the message is to be sent."),
            MODEL_VERSION,
        ),
        ("assignment_id", "job_id", "cohort", "arm", "model_version"),
        "arm",
    ),
    EventType(
        "message_state",
        "A message entered a state.",
        "the day of the campaign",
        (
            MESSAGE_ID,
            Column("sequence", "INTEGER", "1 for the message's first state, and so on."),
            USER,
            JOB,
            COHORT,
            Column("state", "VARCHAR", f"The state entered: {STATES_OF_A_MESSAGE}."),
            REASON,
            RULE,
        ),
        ("message_id", "sequence", "state", "occurred_at"),
        "state",
    ),
    EventType(
        "reply",
        "A person replied to a message. The kind of the reply, never its body.",
        "the day of the reply",
        (
            Column("reply_id", "VARCHAR", "The provider's id of the reply, hashed."),
            MESSAGE_ID,
            USER,
            Column("kind", "VARCHAR", "stop, start, help, unsure or other."),
            RULE,
            Column("suppressed", "BOOLEAN", "Whether it suppressed the phone number."),
        ),
        ("reply_id",),
        "kind",
    ),
    EventType(
        "outcome",
        "An outcome of an assignment, in the treatment and in the holdout.",
        "the day of the assignment",
        (
            ASSIGNMENT_ID,
            MESSAGE_ID,
            USER,
            JOB,
            COHORT,
            ARM,
            MODEL_VERSION,
            Column(
                "kind",
                "VARCHAR",
                "click, conversion (both: of the job of the day), conversion_any or opt_out.",
            ),
        ),
        ("assignment_id", "job_id", "kind"),
        "kind",
    ),
    EventType(
        "model_promotion",
        "A model version became the champion.",
        "the day from which it is the champion",
        (
            MODEL_VERSION,
            Column("previous_version", "VARCHAR", "The version that it replaced; NULL if none."),
            Column("number", "INTEGER", "1 for the first promotion, and so on."),
            REASON,
            Column("promoted_by", "VARCHAR", "automatic, or the person who decided."),
        ),
        ("number", "model_version"),
        "reason",
    ),
)
BY_NAME = {event_type.name: event_type for event_type in EVENT_TYPES}


def event_type_named(name: str) -> EventType:
    """Return the type named `name`.

    Raises:
        EventLogError: no type has this name.
    """
    if name not in BY_NAME:
        raise EventLogError(
            f"The event log has no type `{name}`.", f"Types: {', '.join(sorted(BY_NAME))}."
        )
    return BY_NAME[name]
