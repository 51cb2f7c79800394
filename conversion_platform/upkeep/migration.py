"""What becomes of an installation that an earlier release made.

Each format has the steps that lead to the next; the number is written last, so a migration that
was stopped is simply run again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conversion_platform.days import DayRange, counted
from conversion_platform.errors import LakeError
from conversion_platform.lake import FORMAT, Session, lake_format, newer_format, quoted, set_format
from conversion_platform.marketplace import keep_personal_apart
from conversion_platform.messaging import file_exists, ledger_path, open_ledger

if TYPE_CHECKING:
    from conversion_platform.lake import Lake
    from conversion_platform.settings import Settings

NEW_CHECK_NAMES = (
    "Checks have new names (primary_key_unique, reject_rate_within_limits, predictions_valid, "
    "predictions_exist, model_features_present, beats_human_baseline). On Dagster's pages each is "
    "shown as not evaluated until its asset runs next; what the old names recorded is kept, unseen."
)

NEW_CODE_LOCATION = (
    "The code location is called conversion_platform now. Where it had another name, schedules and "
    "sensors that were switched on Dagster's pages start from the settings again, and "
    "retrain_on_drift has no cursor: it may request trainings for old failures of the drift check. "
    "To prevent that, start `conversion-platform pages` alone and set its cursor to the Unix time "
    "of now, before the daemon starts."
)


@dataclass(frozen=True)
class Migrated:
    """What a migration came to.

    Attributes:
        before: The lake's format before.
        after: Its format now.
        notes: What changes from now on, and what is left to do, a paragraph each.
    """

    before: int
    after: int
    notes: tuple[str, ...]


def migrate(lake: Lake, settings: Settings) -> Migrated:
    """Bring a lake, and the ledger beside it, to this release's format.

    Raises:
        LakeError: there is no lake, or a later release wrote it; nothing was changed.
        MessagingError: a later release wrote the ledger; nothing was changed.
    """
    found = lake_format(lake.storage)
    if found is None:
        raise LakeError(
            f"There is no lake at {lake.storage.root} yet.",
            "Nothing has to be migrated: run a day, or correct platform.lake.",
        )
    if found.format > FORMAT:
        raise newer_format(lake.storage.root, found)
    _bring_up_ledger(settings)
    notes = tuple(_steps(lake, settings, found.format))
    if found.format < FORMAT:
        set_format(lake.storage)
    return Migrated(found.format, FORMAT, notes)


def _bring_up_ledger(settings: Settings) -> None:
    """Open the ledger: that brings its schema up, or refuses one of a later release."""
    if file_exists(ledger_path(settings)):
        with open_ledger(settings):
            pass


def _steps(lake: Lake, settings: Settings, since: int) -> Iterator[str]:
    if since < 4:
        yield from _registry(lake)  # first: a step of format 2 reads the champion pointers
    if since < 2:
        yield from _open_from_midnight(lake, settings)
        yield NEW_CHECK_NAMES
        yield NEW_CODE_LOCATION
    if since < 4:
        yield from _effects(lake)
    if since < 3:
        yield from _personal_apart(lake, settings)
        yield from _first_snapshot(lake, settings)


def _registry(lake: Lake) -> Iterator[str]:
    """Format 4: evaluations are records of their own, and every file of a version has a digest."""
    from conversion_platform.training import upgrade_registry, versions

    yield from upgrade_registry(lake)
    count = len(versions(lake))
    if count:
        yield (
            f"The figures of {counted(count, 'model version')} are records of their own now, "
            "beside the card: `conversion-platform models list`. The versions keep their names."
        )


def _effects(lake: Lake) -> Iterator[str]:
    """Format 4: features have residual effects; those of earlier days have none."""
    from conversion_platform.features import RESPONSE_EFFECTS, USER_FEATURES

    days = lake.days(USER_FEATURES)
    if days and not lake.days(RESPONSE_EFFECTS):
        yield (
            f"Features of {days[0]} to {days[-1]} have no residual effects: the next training "
            "needs them. Materialise the job `history` for these days on Dagster's pages. Until "
            "then the champion goes on scoring."
        )


def _open_from_midnight(lake: Lake, settings: Settings) -> Iterator[str]:
    """Format 2: a job that opens at D 00:00 counts as open on D; in format 1 it did from D + 1.

    No file has to be written anew: tables hold what the rule of their time gave.
    """
    from conversion_platform.features import USER_FEATURES
    from conversion_platform.training import current_promotion

    with lake.connect(reading=True, any_format=True) as con:
        at_midnight, jobs = jobs_at_midnight(Session(settings, lake, con))
    days = lake.days(USER_FEATURES)
    if not at_midnight:
        if jobs:
            yield f"None of the {jobs:,} jobs opens at exactly 00:00: the new rule changes nothing."
        return
    yield (
        f"{at_midnight:,} of {jobs:,} jobs open at exactly 00:00 in {settings.platform.time_zone}. "
        "From now on such a job is open on that day, not only from the next day on."
    )
    if days:
        yield (
            f"Features of {days[0]} to {days[-1]} were built by the earlier rule. To train by the "
            f"new rule alone, materialise the job `history` for these days on Dagster's pages."
        )
    champion = current_promotion(lake)
    if champion:
        yield (
            f"The champion {champion.version} was trained by the earlier rule. It goes on scoring; "
            "the next training compares its candidate with it as always."
        )


def _personal_apart(lake: Lake, settings: Settings) -> Iterator[str]:
    """Format 3: what is personal lies in tables of its own, and attributes are listed."""
    with lake.connect(any_format=True) as con:
        yield from keep_personal_apart(Session(settings, lake, con))


def _first_snapshot(lake: Lake, settings: Settings) -> Iterator[str]:
    """Format 3: users and jobs are read as each day saw them; in format 2 they had no history."""
    from conversion_platform.features import USER_FEATURES
    from conversion_platform.marketplace import JOBS, USERS, capture_both

    if not (lake.exists(USERS) and lake.exists(JOBS)):
        return
    last = max(lake.days(USER_FEATURES), default=settings.platform.start_date)
    with lake.connect(any_format=True) as con:
        capture_both(Session(settings, lake, con), DayRange.of(last))
    yield (
        f"Users and jobs as they were loaded last are the snapshot of {last}, and of all days "
        "before it. From now on each day's run keeps what the source shows: a day that runs again "
        "sees what it saw."
    )


def jobs_at_midnight(session: Session) -> tuple[int, int]:
    """Count the jobs that open at 00:00 of a day in the platform's time zone, and all jobs."""
    from conversion_platform.marketplace import JOBS

    zone = quoted(session.settings.platform.time_zone)
    found = session.con.sql(
        f"""SELECT count(*) FILTER (local = date_trunc('day', local)), count(*)
        FROM (SELECT opened_at AT TIME ZONE {zone} AS local FROM {session.lake.select(JOBS)})"""
    ).fetchall()
    return int(found[0][0]), int(found[0][1])
