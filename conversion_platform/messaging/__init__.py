"""Messages: who may get one and when, what it says, and a ledger that never sends it twice.

Consent, suppression and quiet hours are decided by one pure function (`decide`); a unique row
in the ledger exists before anything leaves; the provider stands behind `providers.base.Provider`.
"""

from conversion_platform.messaging.belonging import (
    accept_new_lake,
    belong_to,
    owns_lake,
    require_own_lake,
)
from conversion_platform.messaging.consent import Consent, Recipient, decide
from conversion_platform.messaging.ledger import Ledger, file_exists, ledger_path, open_ledger
from conversion_platform.messaging.outcomes import as_of_day, measure_outcomes, outcome_days
from conversion_platform.messaging.planning import PlanSummary, plan_messages
from conversion_platform.messaging.providers import open_provider, sandbox_path
from conversion_platform.messaging.providers.sandbox import Sandbox
from conversion_platform.messaging.receiving import ReceiveSummary, receive
from conversion_platform.messaging.sender import SendSummary, replay_day, send_due
from conversion_platform.messaging.snapshot import snapshot
from conversion_platform.messaging.suppressions import suppression_warning, told_suppressions
from conversion_platform.messaging.tables import (
    MESSAGE_STATES,
    OUTCOMES,
    REPLIES,
    SENT_MESSAGES,
    TABLES,
)
from conversion_platform.messaging.trial import (
    Outcomes,
    check_outcomes,
    check_templates,
    told_outcomes,
    try_messages,
)

__all__ = [
    "MESSAGE_STATES",
    "OUTCOMES",
    "REPLIES",
    "SENT_MESSAGES",
    "TABLES",
    "Consent",
    "Ledger",
    "Outcomes",
    "PlanSummary",
    "ReceiveSummary",
    "Recipient",
    "Sandbox",
    "SendSummary",
    "accept_new_lake",
    "as_of_day",
    "belong_to",
    "check_outcomes",
    "check_templates",
    "decide",
    "file_exists",
    "ledger_path",
    "measure_outcomes",
    "open_ledger",
    "open_provider",
    "outcome_days",
    "owns_lake",
    "plan_messages",
    "receive",
    "replay_day",
    "require_own_lake",
    "sandbox_path",
    "send_due",
    "snapshot",
    "suppression_warning",
    "told_outcomes",
    "told_suppressions",
    "try_messages",
]
