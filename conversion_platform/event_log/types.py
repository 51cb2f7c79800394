"""What each type of event promises: its columns, and what makes two events the same one."""

from __future__ import annotations

from dataclasses import dataclass

from conversion_platform.errors import EventLogError
from conversion_platform.lake import Column

MESSAGE_STATES = "planned, deferred, suppressed, sending, sent, delivered, failed or expired"

COMMON = (
    Column("event_id", "VARCHAR", "md5 of the event's type and identity: the same event once."),
    Column("occurred_at", "TIMESTAMPTZ", "When it happened."),
    Column("recorded_at", "TIMESTAMPTZ", "When it was appended; NULL where a replay appended it."),
)

USER = Column("user_id", "VARCHAR", "The user.")
JOB = Column("job_id", "VARCHAR", "The job.")
ASSIGNMENT_ID = Column("assignment_id", "VARCHAR", "The assignment.")
MESSAGE_ID = Column("message_id", "VARCHAR", "The text; NULL where there is none.")
MODEL_VERSION = Column("model_version", "VARCHAR", "The model version behind it.")
COHORT = Column("cohort", "VARCHAR", "The cohort the user was served in.")
ARM = Column("arm", "VARCHAR", "treatment or holdout.")
REASON = Column("reason", "VARCHAR", "Why, where there is a reason.")
RULE = Column("rule_id", "VARCHAR", "The rule that decided so (docs/messaging.md).")


@dataclass(frozen=True)
class EventType:
    """One type of event.

    Attributes:
        name: The folder `event_type=<name>`, and the view `log_<name>`.
        description: One sentence for the catalog and the docs.
        day: Which local day the partition `dt` is.
        own_columns: The columns after the common ones. No column holds a phone number, a name,
            coordinates or the words of a text.
        identity: Columns that make two events the same one.
        detail: The column that says most, for the view `event_log`.
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
        """SQL that yields the columns of the type's files and folders, and no row."""
        folders = (Column("event_type", "VARCHAR", ""), Column("dt", "DATE", ""))
        columns = [
            f'CAST(NULL AS {column.type}) AS "{column.name}"' for column in self.columns + folders
        ]
        return f"SELECT {', '.join(columns)} WHERE false"


EVENT_TYPES = (
    EventType(
        "prediction_batch",
        "One day's predictions were written by one model version.",
        "the day predicted for",
        (
            MODEL_VERSION,
            Column("features_day", "DATE", "The features were those as of this day's start."),
            Column("users", "BIGINT", "Users with predictions."),
            Column("rows", "BIGINT", "Pairs of user and job that were kept."),
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
            Column("send_at", "TIMESTAMPTZ", "When the text is to be sent."),
            MODEL_VERSION,
        ),
        ("assignment_id", "job_id", "cohort", "arm", "model_version"),
        "arm",
    ),
    EventType(
        "message_state",
        "A text entered a state.",
        "the day of the campaign",
        (
            MESSAGE_ID,
            Column("sequence", "INTEGER", "1 for the text's first state, and so on."),
            USER,
            JOB,
            COHORT,
            Column("state", "VARCHAR", f"The state entered: {MESSAGE_STATES}."),
            REASON,
            RULE,
        ),
        ("message_id", "sequence", "state", "occurred_at"),
        "state",
    ),
    EventType(
        "reply",
        "A person answered a text. The kind of the answer, never its words.",
        "the day of the answer",
        (
            Column("reply_id", "VARCHAR", "The carrier's id of the answer, hashed."),
            MESSAGE_ID,
            USER,
            Column("kind", "VARCHAR", "stop, start, help, unsure or other."),
            RULE,
            Column("suppressed", "BOOLEAN", "Whether it ended the texts to that phone."),
        ),
        ("reply_id",),
        "kind",
    ),
    EventType(
        "outcome",
        "An assignment led to something, for the treatment and the holdout alike.",
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
            Column("previous_version", "VARCHAR", "The champion before; NULL for the first."),
            Column("number", "INTEGER", "1 for the first promotion, and so on."),
            REASON,
        ),
        ("number", "model_version"),
        "reason",
    ),
)
BY_NAME = {event_type.name: event_type for event_type in EVENT_TYPES}


def event_type_named(name: str) -> EventType:
    """The type called `name`.

    Raises:
        EventLogError: there is none.
    """
    if name not in BY_NAME:
        raise EventLogError(
            f"The event log has no type `{name}`.", f"Types: {', '.join(sorted(BY_NAME))}."
        )
    return BY_NAME[name]
