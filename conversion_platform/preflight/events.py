"""Checks that the source has the events that the settings name, and enough to train a model."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from datetime import date

from conversion_platform.days import ONE_DAY, counted
from conversion_platform.errors import Finding, SettingsError, SourceError, TrainingError
from conversion_platform.lake import listed
from conversion_platform.marketplace import EVENTS, shown_types
from conversion_platform.preflight.trial import Trial
from conversion_platform.settings import Settings
from conversion_platform.training import check_examples, first_training_day


def check_events(trial: Trial) -> Iterator[Finding]:
    """Find event types that never occur, and what keeps a model from being trained."""
    settings = trial.session.settings
    types = _types(trial)
    if not types:
        yield _no_events(trial)
        return
    missing = list(_missing_types(settings, types, trial.learns))
    yield from missing
    if trial.learns and all(one.warning for one in missing):
        yield from _of_training(trial)


def check_freshness(trial: Trial, last: date) -> Iterator[Finding]:
    """Warn where the newest event is older than the day before the last one asked for."""
    newest = trial.report.last_day if trial.report else None
    if newest is not None and newest < last - ONE_DAY:
        yield Finding.warn(
            "sources.events",
            f"The newest event of the source is of {newest}: the days up to {last} have none.",
            "Export the events again, or wait for them; what is made of these days is out of date.",
        )


def _types(trial: Trial) -> dict[str, int]:
    """Return accepted events by type, as may be shown, from platform.start_date on."""
    session = trial.session
    return shown_types(session.settings, session.con, session.lake.select(EVENTS))


def _no_events(trial: Trial) -> Finding:
    if trial.report and trial.report.last_day is None:
        return Finding(
            "sources.events",
            SourceError(
                "No event of sources.events is accepted: nothing can be learned, and no user is "
                "active.",
                "Export events, or see `Row rejected because` and `Settings` on the screen of "
                "`conversion-platform check-sources`.",
            ),
        )
    start = trial.session.settings.platform.start_date
    known, setting = "", "platform.start_date"
    if trial.report and trial.report.first_day and trial.report.last_day:
        known = f" The source has events of {trial.report.first_day} to {trial.report.last_day}."
        if trial.report.last_day >= start:
            setting = "sources.events"  # they are too old for the day that was asked for
    return Finding(
        setting,
        SettingsError(
            f"No accepted event that {trial.day} looks back to, from platform.start_date = {start} "
            f"on: nothing can be learned, and no user is active.{known}",
            "Correct platform.start_date, or sources.events.",
        ),
    )


def _missing_types(settings: Settings, types: Mapping[str, int], learns: bool) -> Iterator[Finding]:
    events = settings.events
    needs = {"impression_types": events.negatives == "impressions", "conversion_types": True}
    for key in ("impression_types", "click_types", "conversion_types"):
        wanted: tuple[str, ...] = getattr(events, key)
        absent = [name for name in wanted if name not in types]
        fatal = learns and needs.get(key, False) and len(absent) == len(wanted)
        if key == "impression_types" and events.negatives == "sampled":
            continue
        if fatal or (absent and wanted):
            yield _missing_type(f"events.{key}", absent, types, fatal)


def _missing_type(
    setting: str, absent: list[str], types: Mapping[str, int], fatal: bool
) -> Finding:
    near = difflib.get_close_matches(absent[0], types, n=1) if absent else []
    hint = f"Did you mean {near[0]!r}? " if near else ""
    effect = " No model can be trained." if fatal else ""
    problem = f"{setting}: the source has no event of type {listed(absent)}.{effect}"
    sampled = " Without logged impressions set events.negatives = 'sampled'."
    remedy = f"{hint}Set it to event types of the source: {', '.join(types)}."
    if setting == "events.impression_types":
        remedy += sampled
    return Finding(setting, SettingsError(problem, remedy), warning=not fatal)


def _of_training(trial: Trial) -> Iterator[Finding]:
    settings = trial.session.settings
    first = _first_shown(trial)
    ready = first_training_day(settings, first) if first else None
    if first and ready and trial.day < ready:
        yield _too_early(settings, trial, first, ready)
        return
    try:
        check_examples(trial.session, trial.day)
    except TrainingError as error:
        yield Finding("events", error)


def _too_early(settings: Settings, trial: Trial, first: date, ready: date) -> Finding:
    """Return what is wrong with a day before the first one for which a model can be trained.

    Another day can be asked for, so it is a warning where none was.
    """
    window = counted(settings.events.attribution_window_days)
    problem = (
        f"A model can be trained from {ready} on: three days with impressions must have matured "
        f"({window} each), and the first is {first}."
    )
    remedy = f"Run {ready} or a later day, or shorten events.attribution_window_days."
    if trial.asked:
        return Finding("training", TrainingError(f"{problem} {trial.day} is too early.", remedy))
    ends = trial.day - ONE_DAY
    return Finding.warn("training", f"{problem} The source's events end on {ends}.", remedy)


def _first_shown(trial: Trial) -> date | None:
    """Return the first day with an event of which an example can be made."""
    events = trial.session.settings.events
    types: tuple[str, ...] = events.impression_types
    if events.negatives == "sampled":
        types += events.click_types + events.conversion_types
    row = trial.session.con.execute(
        f"SELECT min(dt) FROM {trial.session.lake.select(EVENTS)} "
        f"WHERE event_type IN ({listed(types)})"
    ).fetchone()
    return row[0] if row else None
