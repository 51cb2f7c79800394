"""Decides about messages without planning them: what sending would do, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date

from conversion_platform.errors import Finding, SettingsError
from conversion_platform.lake import Session
from conversion_platform.marketplace import normalised_phone
from conversion_platform.messaging.planning import Planner, assigned_rows
from conversion_platform.messaging.templates import Templates
from conversion_platform.settings import Settings

MOST_TEMPLATES = 0.5
"""Share of the jobs tried whose message a template may suppress without a warning."""

Outcomes = dict[str, Counter[str | None]]
"""Messages of each cohort by the reason for which they would not go; None: they would."""


def check_templates(settings: Settings) -> list[Finding]:
    """Check the template of every cohort; see `Templates`."""
    found = []
    for name, cohort in settings.cohorts.items():
        alone = settings.model_copy(update={"cohorts": {name: cohort}})
        try:
            Templates(alone)
        except SettingsError as error:
            found.append(Finding(f"cohorts.{name}.template", error))
    return found


def try_messages(session: Session, assignments: str, day: date) -> Outcomes:
    """Decide about the messages of assignments as planning does; nothing is written.

    Args:
        session: Settings, lake and DuckDB connection; every template passes `check_templates`.
        assignments: SQL of assignments: assignment_id, user_id, job_id, cohort, arm, send_at.
        day: The day of the campaign.
    """
    planner = Planner(session.settings, Templates(session.settings), day)
    found: Outcomes = {}
    for rows in assigned_rows(session, assignments, day):
        for row in rows:
            message = planner.message(row, normalised_phone(row["phone"], planner.country), None)
            found.setdefault(row["cohort"], Counter())[message["reason"]] += 1
    return found


def check_outcomes(outcomes: Outcomes) -> list[Finding]:
    """Warn of templates that suppress most messages, and of a reason that suppresses them all.

    Args:
        outcomes: What `try_messages` returned.
    """
    return [*_of_templates(outcomes), *_of_people(sum(outcomes.values(), Counter()))]


_OF_TEMPLATES = {
    "template_fails": (
        "fails with the values of {share:.0%} of the jobs tried",
        "Correct it: it computes with a value, such as 1 / 0, that does not allow it.",
    ),
    "missing_value": (
        "prints a value that {share:.0%} of the jobs tried do not have",
        "Guard it: {% if NAME %}...{% endif %}.",
    ),
    "too_long": (
        "gives more than messaging.max_segments segments for {share:.0%} of the jobs tried",
        "Shorten it, or raise messaging.max_segments; longer messages are suppressed.",
    ),
}


def _of_templates(outcomes: Outcomes) -> Iterator[Finding]:
    """Find templates that fail, and those that suppress most messages."""
    for cohort, reasons in outcomes.items():
        rendered = sum(n for reason, n in reasons.items() if reason in (None, *_OF_TEMPLATES))
        for reason, (problem, remedy) in _OF_TEMPLATES.items():
            fails = reason == "template_fails"
            if reasons[reason] > (0 if fails else MOST_TEMPLATES * rendered):
                words = problem.format(share=reasons[reason] / rendered)
                error = SettingsError(f"The template of cohort `{cohort}` {words}.", remedy)
                yield Finding(f"cohorts.{cohort}.template", error, warning=not fails)


_REMEDIES = {
    "no_phone": ("sources.users.columns.phone", "Map the column with the phone number."),
    "invalid_phone": ("messaging.country", "Set the region of numbers without +."),
    "no_consent": ("sources.users.columns.consent_at", "Map the time at which users agreed."),
    "consent_incomplete": (
        "sources.users.columns.consent_text",
        "Map consent_source and consent_text too: a consent counts with its source and wording.",
    ),
    "consent_later": ("sources.users.columns.consent_at", "Look at the times of consent."),
    "unknown_place": ("sources.users.columns.state", "Map time_zone, state or postal_code."),
    "no_common_hour": ("sources.users.columns.time_zone", "Map time_zone, state or postal_code."),
    "unread_cell": ("sources.users", "See which cells cannot be read (`check-sources`)."),
}


def _of_people(reasons: Counter[str | None]) -> list[Finding]:
    """Warn where one reason, or several together, suppress every message."""
    if not reasons or reasons[None] or _OF_TEMPLATES.keys() & reasons.keys():
        return []
    most, _ = reasons.most_common(1)[0]
    setting, remedy = _REMEDIES.get(str(most), ("sources.users", "Look at the users' records."))
    return [Finding.warn(setting, f"No message would be sent: {_told(reasons)}.", remedy)]


def told_outcomes(outcomes: Outcomes) -> str:
    """Return how many of the messages tried would be suppressed, by reason."""
    return _told(sum(outcomes.values(), Counter()))


def _told(reasons: Counter[str | None]) -> str:
    total = reasons.total()
    suppressed = [
        f"{reason} {count / total:.1%}" for reason, count in reasons.most_common() if reason
    ]
    return f"of {total:,} users tried, {', '.join(suppressed) or 'none'} would be suppressed"
