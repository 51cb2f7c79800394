"""Checks all sources before a run, in a temporary lake, and reports what they contain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date

from conversion_platform.days import DayRange
from conversion_platform.lake import (
    Lake,
    LocalStorage,
    Part,
    Session,
    listed,
    scratch_folder,
)
from conversion_platform.marketplace import tables
from conversion_platform.marketplace.attribute_casts import AttributeKind
from conversion_platform.marketplace.attribute_kinds import Attribute, infer_attributes
from conversion_platform.marketplace.attribute_proposals import marked, proposed_lists
from conversion_platform.marketplace.checking import Example, Loaded, Unread
from conversion_platform.marketplace.contract import section_of
from conversion_platform.marketplace.events import CheckedEvents, checked_events, shown_types
from conversion_platform.marketplace.history.capture import capture_both
from conversion_platform.marketplace.lacking import missing, one_row
from conversion_platform.marketplace.loading import load_jobs, load_users, loaded_events
from conversion_platform.marketplace.phones import normalised_phone
from conversion_platform.marketplace.steps import Step
from conversion_platform.settings import Settings

# Later than any version that a source may tell.
_CAPTURED_ON = date(2199, 12, 31)
_MOST_PHONES = 20_000


@dataclass(frozen=True)
class SourceCheck:
    """One source: accepted and rejected rows.

    Attributes:
        name: `users`, `jobs` or `events`.
        read_rows: Accepted and rejected rows, earlier versions, and rows that are held back.
        past_rows: Earlier versions of accepted rows.
        held_rows: As in `Loaded`.
        rejects: Rejected rows by reason code.
        examples: One of each, without personal data.
        verdict: `ok`, `warn` or `fail`, by the settings' limits on the share of rejects; cells that
            cannot be read make it `warn`.
        unread: Optional cells that cannot be read, by column and reason.
    """

    name: str
    read_rows: int
    accepted_rows: int
    rejects: Mapping[str, int]
    examples: Mapping[str, Example]
    verdict: str
    unread: tuple[Unread, ...] = ()
    past_rows: int = 0
    held_rows: int = 0

    @property
    def rejected_rows(self) -> int:
        """Rejected rows for all reasons."""
        return sum(self.rejects.values())


@dataclass(frozen=True)
class SourceReport:
    """What `conversion-platform check-sources` shows.

    Attributes:
        sources: Users, jobs, events.
        first_day: First local day with an accepted event; None without any.
        last_day: Last such day.
        empty_days: Days between them without an event.
        event_types: Accepted events by type, as may be shown (`shown_types`).
        impressions: User, job and day combinations with an impression.
        converted: Those of them that a conversion follows inside the attribution window; one
            conversion may follow several of them, as in the labels of training.
        conversions: Conversion events.
        phone_share: Share of users with a valid phone number.
        consent_share: Share of users with a valid phone number and a consent that sending accepts:
            with its time, its source and its wording.
        attributes: Further columns of users and jobs.
        missing: What later stages will lack, one sentence each.
        steps: The steps that the rows of all three went through.
        proposals: Settings that would read what cannot be read, one sentence each.
    """

    sources: tuple[SourceCheck, ...]
    first_day: date | None
    last_day: date | None
    empty_days: int
    event_types: Mapping[str, int]
    impressions: int
    converted: int
    conversions: int
    phone_share: float
    consent_share: float
    attributes: tuple[Attribute, ...]
    missing: tuple[str, ...]
    steps: tuple[Step, ...]
    proposals: tuple[str, ...] = ()

    @property
    def conversion_rate(self) -> float | None:
        """Converted impressions over impressions; None without impressions."""
        return self.converted / self.impressions if self.impressions else None

    @property
    def usable(self) -> bool:
        """Whether a run would accept these sources: no share of rejects is above its limit."""
        return all(source.verdict != "fail" for source in self.sources)


Known = Mapping[str, Mapping[str, AttributeKind]]
"""For users and jobs the attributes that a model knows, with their kinds."""


def check_sources(settings: Settings, known: Known | None = None) -> SourceReport:
    """Read all of the three sources into a temporary lake, and report.

    Nothing in the platform's lake changes.

    Args:
        settings: The settings in force.
        known: As in `checked_sources`.

    Raises:
        SourceError: a source cannot be read.
    """
    with checked_sources(settings, known) as checked:
        return checked.report


@dataclass(frozen=True)
class CheckedSources:
    """Sources that were read into a temporary lake.

    Attributes:
        report: What they contain.
        session: A session on the temporary lake, which has users, jobs and attributes.
        events: The checked events, which are steps on a connection.
    """

    report: SourceReport
    session: Session
    events: CheckedEvents

    def keep_events(self, days: DayRange) -> None:
        """Write the events of some days to the temporary lake; a day without any is empty."""
        parts = [Part(tables.EVENTS, self.events.accepted(day), day, ordered=True) for day in days]
        self.session.lake.write_parts(self.events.con, parts)


@contextmanager
def checked_sources(
    settings: Settings,
    known: Known | None = None,
    today: date | None = None,
    captured: Lake | None = None,
) -> Iterator[CheckedSources]:
    """Read the sources into a temporary lake, which exists as long as the block.

    Args:
        settings: The settings in force.
        known: The attributes that the installation's champion knows: a run keeps their kinds, and
            goes on where the source has one no more.
        today: As in `load_users`.
        captured: The installation's lake: the sources have to show most of what it captured.

    Raises:
        SourceError: a source cannot be read, or an export was cut off.
    """
    known = known or {}
    with _scratch_session(settings) as session:
        if captured is not None:
            captured.storage.attach(session.con)
        loads = {
            "users": load_users(session, known.get("users"), today, captured),
            "jobs": load_jobs(session, known.get("jobs"), today, captured),
        }
        notes = tuple(note for load in loads.values() for note in load.notes)
        capture_both(session, DayRange.of(_CAPTURED_ON))
        with checked_events(session, None) as checked:
            loads["events"] = loaded_events(checked)
            checks = [_check(settings, name, load) for name, load in loads.items()]
            report = _report(session, checked, tuple(checks), _varying(loads))
            report = replace(
                report,
                missing=(*notes, *report.missing),
                steps=tuple(step for load in loads.values() for step in load.steps),
            )
            of_sources = (one for load in loads.values() for one in load.proposals)
            report = replace(report, proposals=(*of_sources, *proposed_lists(report.attributes)))
            yield CheckedSources(report, session, checked)


def proposed_attributes(settings: Settings) -> tuple[str, ...]:
    """Return the setting `attributes` of users and jobs, ready to paste, from their sources.

    Raises:
        SourceError: a source cannot be read.
    """
    with _scratch_session(settings) as session:
        loads = {"users": load_users(session), "jobs": load_jobs(session)}
        return proposed_lists(marked(infer_attributes(session), _varying(loads)))


def _varying(loads: Mapping[str, Loaded]) -> dict[str, tuple[str, ...]]:
    return {name: load.varying for name, load in loads.items()}


@contextmanager
def _scratch_session(settings: Settings) -> Iterator[Session]:
    with scratch_folder("check-sources") as folder:
        limits = settings.platform
        lake = Lake(LocalStorage(folder), limits.threads, limits.memory_limit)
        with lake.connect() as con:
            yield Session(settings, lake, con)


def _check(settings: Settings, name: str, load: Loaded) -> SourceCheck:
    section = section_of(settings, name)
    read, accepted = load.read_rows, load.accepted_rows
    share = load.rejected_rows / read if read else 0.0
    verdict = "ok"
    if share > section.fail_share:
        verdict = "fail"
    elif max(share, load.unread_share) > section.warn_share:
        verdict = "warn"
    return SourceCheck(
        name=name,
        read_rows=read,
        accepted_rows=accepted,
        rejects=load.rejects,
        examples=load.examples,
        verdict=verdict,
        unread=load.unread,
        past_rows=load.past_rows,
        held_rows=load.held_rows,
    )


def _report(
    session: Session,
    checked: CheckedEvents,
    checks: tuple[SourceCheck, ...],
    varying: Mapping[str, Sequence[str]],
) -> SourceReport:
    session.con.execute(f"CREATE OR REPLACE TEMP VIEW checked_events AS {checked.accepted()}")
    for table in (tables.USERS, tables.USERS_CONTACTS, tables.JOBS):
        session.lake.view(session.con, table)
    types = shown_types(session.settings, session.con, "checked_events")
    first, last, days = one_row(
        session.con, "SELECT min(dt), max(dt), count(DISTINCT dt) FROM checked_events"
    )
    impressions, converted = one_row(session.con, _conversion_query(session.settings))
    phone_share, consent_share = _texting(session)
    attributes = marked(infer_attributes(session), varying)
    conversions = sum(types.get(kind, 0) for kind in session.settings.events.conversion_types)
    return SourceReport(
        sources=checks,
        first_day=first,
        last_day=last,
        empty_days=(last - first).days + 1 - days if first else 0,
        event_types=types,
        impressions=impressions,
        converted=converted,
        conversions=conversions,
        phone_share=phone_share,
        consent_share=consent_share,
        attributes=attributes,
        missing=tuple(missing(session, types, impressions, converted)),
        steps=(),
    )


def _texting(session: Session) -> tuple[float, float]:
    """Return the shares of users whose number, and whose number and consent, sending accepts.

    Of many users it is estimated: to see whether a number is valid takes longer than to load it.
    """
    joined = "users INNER JOIN users_contacts USING (user_id)"
    users, given = one_row(session.con, f"SELECT count(*), count(phone) FROM {joined}")
    rows = session.con.execute(
        "SELECT phone, consent_at IS NOT NULL AND consent_source IS NOT NULL "
        f"AND consent_text IS NOT NULL FROM {joined} "
        f"WHERE phone IS NOT NULL ORDER BY hash(user_id) LIMIT {_MOST_PHONES}"
    ).fetchall()
    country = session.settings.messaging.country
    consents = [agreed for phone, agreed in rows if normalised_phone(phone, country)]
    tried = max(len(rows), 1)
    return len(consents) * given / tried / users, sum(consents) * given / tried / users


def _conversion_query(settings: Settings) -> str:
    """Return SQL that counts impressions (user, job, day), and those followed by a conversion."""
    shown = listed(settings.events.impression_types)
    done = listed(settings.events.conversion_types)
    window = settings.events.attribution_window_days
    return (
        "WITH shown AS (SELECT user_id, job_id, dt, min(occurred_at) AS shown_at "
        f"FROM checked_events WHERE event_type IN ({shown}) GROUP BY ALL), "
        "done AS (SELECT user_id, job_id, occurred_at AS done_at FROM checked_events "
        f"WHERE event_type IN ({done})), "
        "followed AS (SELECT DISTINCT s.user_id, s.job_id, s.dt FROM shown AS s JOIN done AS d "
        "USING (user_id, job_id) WHERE d.done_at >= s.shown_at "
        f"AND d.done_at < s.shown_at + INTERVAL {window} DAY) "
        "SELECT (SELECT count(*) FROM shown), (SELECT count(*) FROM followed)"
    )
