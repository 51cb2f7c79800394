"""Whether this person may get a message now: one pure function, asked when planning and again when
sending.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from conversion_platform.marketplace import normalised_phone
from conversion_platform.messaging.places import Place, places_of
from conversion_platform.messaging.quiet_hours import forbidding_rule, next_allowed
from conversion_platform.messaging.rules import rules


@dataclass(frozen=True)
class Consent:
    """What a person agreed to: when, where it was given, and in which words."""

    given_at: datetime
    source: str | None
    wording: str | None


@dataclass(frozen=True)
class Recipient:
    """Everything that decides whether a person may get a message.

    Attributes:
        phone: As the source has it; None where there is none.
        country: Two-letter region of numbers written without +.
        time_zone: IANA zone from the user's record.
        state: State from the user's record.
        postal_code: ZIP code from the user's record.
        consent: None where none is on record.
        suppressed: Rule under which the number is on the suppression list; None if it is not.
        recent: When messages went to this number lately (24 hours are looked at).
    """

    phone: str | None
    country: str = "US"
    time_zone: str | None = None
    state: str | None = None
    postal_code: str | None = None
    consent: Consent | None = None
    suppressed: str | None = None
    recent: tuple[datetime, ...] = ()


@dataclass(frozen=True)
class Send:
    """A message may go now."""


@dataclass(frozen=True)
class Defer:
    """Not now; `until` is the first instant at which it may."""

    until: datetime
    reason: str
    rule_id: str


@dataclass(frozen=True)
class Suppress:
    """Never, as things stand."""

    reason: str
    rule_id: str


Decision = Send | Defer | Suppress
NO_COMMON_HOUR = Suppress("no_common_hour", "every-place-allows")


def decide(recipient: Recipient, now: datetime) -> Decision:
    """Decides about one message to one person at one moment.

    The suppression list comes first, then the number, then consent, then how often and at what
    hour messages may come in every place that the person may be in.

    Args:
        recipient: What is known of the person.
        now: The moment of sending, with a time zone.
    """
    if recipient.suppressed is not None:
        return Suppress("opted_out", recipient.suppressed)
    phone = normalised_phone(recipient.phone, recipient.country)
    refusal = _without_number(recipient, phone) or _without_consent(recipient.consent, now)
    if refusal is not None or phone is None:
        return refusal or Suppress("invalid_phone", "valid-number")
    places = places_of(phone, recipient.time_zone, recipient.state, recipient.postal_code)
    if not places:
        return Suppress("unknown_place", "every-place-allows")
    return _when(places, recipient.recent, now)


def _without_number(recipient: Recipient, phone: str | None) -> Suppress | None:
    if recipient.phone is None or not recipient.phone.strip():
        return Suppress("no_phone", "valid-number")
    return Suppress("invalid_phone", "valid-number") if phone is None else None


def _without_consent(consent: Consent | None, now: datetime) -> Suppress | None:
    if consent is None:
        return Suppress("no_consent", "consent-on-record")
    if not (consent.source or "").strip() or not (consent.wording or "").strip():
        return Suppress("consent_incomplete", "consent-on-record")
    if consent.given_at > now:
        return Suppress("consent_later", "consent-on-record")
    return None


def _when(places: tuple[Place, ...], recent: tuple[datetime, ...], now: datetime) -> Decision:
    """Send, or defer to the first moment without an obstacle."""
    first = obstacle = _obstacle(places, recent, now)
    while isinstance(obstacle, Defer):
        until = obstacle.until
        obstacle = _obstacle(places, recent, until)
    if isinstance(obstacle, Suppress):
        return obstacle
    return replace(first, until=until) if isinstance(first, Defer) else Send()


def _obstacle(
    places: tuple[Place, ...], recent: tuple[datetime, ...], moment: datetime
) -> Defer | Suppress | None:
    """Return what forbids a message at `moment`, with the first moment at which that is over."""
    rule_id = forbidding_rule(places, moment)
    if rule_id is None:
        return _too_often(places, recent, moment)
    until = next_allowed(places, moment)
    return Defer(until, "quiet_hours", rule_id) if until else NO_COMMON_HOUR


def _too_often(
    places: tuple[Place, ...], recent: tuple[datetime, ...], moment: datetime
) -> Defer | None:
    for place in places:
        day = moment.astimezone(ZoneInfo(place.zone)).date()
        rule = rules().frequency_on(place.rules_of, day)
        span = timedelta(hours=rule.hours) if rule else timedelta(0)
        counted = sorted(at for at in recent if moment - span < at <= moment)
        if rule and len(counted) >= rule.most:
            return Defer(counted[-rule.most] + span, "too_often", rule.rule_id)
    return None
