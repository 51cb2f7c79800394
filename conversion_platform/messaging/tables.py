"""What messaging leaves in the lake. No phone number and no message is in any of these tables."""

from __future__ import annotations

from conversion_platform.lake import Column, Table

STATES = (
    "planned",
    "deferred",
    "suppressed",
    "sending",
    "sent",
    "delivered",
    "failed",
    "expired",
)

SENT_MESSAGES = Table(
    name="sent_messages",
    description="Where every planned message of the campaign day stands, as the ledger has it.",
    columns=(
        Column(
            "message_id", "VARCHAR", "md5 of user, campaign and day: the same plan, the same id"
        ),
        Column("assignment_id", "VARCHAR", "Row of job_of_the_day that asked for the message"),
        Column("user_id", "VARCHAR", "Recipient"),
        Column("job_id", "VARCHAR", "Job that the message is about"),
        Column("campaign", "VARCHAR", "Application that sends, such as job_of_the_day"),
        Column("cohort", "VARCHAR", "Cohort whose template was used"),
        Column("state", "VARCHAR", "One of: " + ", ".join(STATES)),
        Column("reason", "VARCHAR", "Why it is suppressed, deferred, expired or failed; else NULL"),
        Column("rule_id", "VARCHAR", "Rule that decided so (docs/messaging.md); else NULL"),
        Column("send_at", "TIMESTAMPTZ", "When it was to be sent, before any deferral"),
        Column("sent_at", "TIMESTAMPTZ", "When the provider accepted it"),
        Column("delivered_at", "TIMESTAMPTZ", "When the provider reported it as delivered"),
        Column("final_at", "TIMESTAMPTZ", "When it reached a state that it never leaves"),
        Column("opted_out_at", "TIMESTAMPTZ", "First reply to this message that opted out"),
        Column("segments", "INTEGER", "Parts that the provider bills; NULL when never rendered"),
        Column("provider", "VARCHAR", "Provider that it was given to; NULL before that"),
    ),
    key=("message_id",),
)

MESSAGE_STATES = Table(
    name="message_states",
    description="Every change of state of every message, in the order in which it happened.",
    columns=(
        Column("message_id", "VARCHAR", "Row of sent_messages"),
        Column("sequence", "INTEGER", "1 for the first state of the message, and so on"),
        Column("user_id", "VARCHAR", "Recipient"),
        Column("job_id", "VARCHAR", "Job that the message is about"),
        Column("cohort", "VARCHAR", "Cohort whose template was used"),
        Column("state", "VARCHAR", "State entered"),
        Column("reason", "VARCHAR", "Why, where there is a reason"),
        Column("rule_id", "VARCHAR", "Rule that decided so"),
        Column("at", "TIMESTAMPTZ", "When the state was entered"),
    ),
    key=("message_id", "sequence"),
)

REPLIES = Table(
    name="replies",
    description="Replies by kind, on their local day; without their words.",
    columns=(
        Column("reply_id", "VARCHAR", "The provider's id of the reply, hashed"),
        Column(
            "message_id", "VARCHAR", "Latest message sent to that phone before it; NULL if none"
        ),
        Column("user_id", "VARCHAR", "Recipient of that message; NULL if none"),
        Column("kind", "VARCHAR", "stop, start, help, unsure or other"),
        Column("rule_id", "VARCHAR", "Keyword list or wording that decided the kind"),
        Column("suppressed", "BOOLEAN", "Whether it ended the messages to that phone"),
        Column("needs_person", "BOOLEAN", "Whether a person should read it"),
        Column("at", "TIMESTAMPTZ", "When it was received"),
    ),
    key=("reply_id",),
)

OUTCOMES = Table(
    name="outcomes",
    description="What became of every assignment, sent or held out, within the window.",
    columns=(
        Column("assignment_id", "VARCHAR", "Row of job_of_the_day"),
        Column("message_id", "VARCHAR", "Message of that assignment; NULL for the holdout"),
        Column("user_id", "VARCHAR", "Person"),
        Column("job_id", "VARCHAR", "Job of the day"),
        Column("cohort", "VARCHAR", "Cohort"),
        Column("arm", "VARCHAR", "treatment or holdout"),
        Column(
            "model_version",
            "VARCHAR",
            "Model that ranked the job; NULL where the day was assigned anew without the message",
        ),
        Column("state", "VARCHAR", "State of the message; NULL for the holdout"),
        Column("send_at", "TIMESTAMPTZ", "When the message was, or would have been, to be sent"),
        Column("sent_at", "TIMESTAMPTZ", "When the provider accepted it"),
        Column("delivered_at", "TIMESTAMPTZ", "When the provider reported it as delivered"),
        Column("clicked_at", "TIMESTAMPTZ", "First click on the job of the day in the window"),
        Column("converted_at", "TIMESTAMPTZ", "First conversion on it in the window"),
        Column("converted_any_at", "TIMESTAMPTZ", "First conversion on any job in the window"),
        Column("opted_out_at", "TIMESTAMPTZ", "First reply to the message that opted out"),
        Column("matured", "BOOLEAN", "Whether the whole window was past at the day asked for"),
    ),
    key=("assignment_id",),
)

TABLES = (SENT_MESSAGES, MESSAGE_STATES, REPLIES, OUTCOMES)
