"""Checks users and jobs: all rows of the source, one for each id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from conversion_platform.errors import SourceError
from conversion_platform.lake import Session, identifier, instant, quoted, rendered
from conversion_platform.marketplace import contract as contracts
from conversion_platform.marketplace.attributes import AttributeKind, misfits, stored_columns
from conversion_platform.marketplace.checking import Unread, summary
from conversion_platform.marketplace.contract import Contract
from conversion_platform.marketplace.mapping import map_columns
from conversion_platform.marketplace.placement import Placement, placement_of
from conversion_platform.marketplace.proposals import proposals
from conversion_platform.marketplace.relation import folder_day
from conversion_platform.marketplace.source_steps import (
    Source,
    begin,
    contract_columns,
    further_columns,
    optional,
    problems,
    resolve,
    stage,
)
from conversion_platform.marketplace.sources import open_source, section_of
from conversion_platform.marketplace.steps import FOLDER, Step

_NO_DAY = "CAST(NULL AS DATE)"


@dataclass(frozen=True)
class Entities:
    """Checked users or jobs.

    Attributes:
        source: The source with all of its steps.
        misfits: Cells of attributes that do not fit the kind which a model knows.
        placement: Where each further column lies.
    """

    source: Source
    misfits: tuple[Unread, ...]
    placement: Placement


def check_entities(
    reading: Session, contract: Contract, folder: Path, known: Mapping[str, AttributeKind]
) -> Entities:
    """Return a source with all of its steps; `final` has the checked rows with every column.

    Args:
        reading: The session in whose schema `steps` they are created.
        contract: Users or jobs.
        folder: Folder for files that have to be copied.
        known: Kinds of attributes that a model knows.

    Raises:
        SourceError: the source cannot be read, has no usable row, or has several rows of one id of
            which none can be told to be the one that counts; or a setting lists a column that does
            not exist, or that is protected.
    """
    section = section_of(reading.settings, contract)
    relation = open_source(reading, contract, folder)
    matched = map_columns(contract, section, relation)
    further = {name: relation.names[column] for name, column in matched.attributes.items()}
    placement = placement_of(reading.settings, contract, further, known)
    source = begin(reading, contract, section, relation, matched)
    pipeline = source.pipeline
    pipeline.file("checked", "The reason that rejects a row.", problems=", ".join(problems(source)))
    stage(source, [*_contract_columns(source), *further_columns(source)])
    newest = [f"{_moment(source)} DESC NULLS LAST"] if section.duplicates == "newest" else []
    resolve(source, newest, _NO_DAY, _NO_DAY)
    _require_rows(source)
    _require_decided(source)
    accepted = _with_starts(source, folder)
    stored = stored_columns(source, known)
    attributes = [f"{value} AS {identifier(name)}" for name, value in stored.items()]
    pipeline.file(
        "final",
        "The checked rows: attributes have the type that all of their values have.",
        accepted=accepted,
        columns=", ".join([*_names(contract), *attributes]),
    )
    return Entities(source, misfits(source, known, stored), placement)


def _names(contract: Contract) -> list[str]:
    return [column.name for column in contract.columns]


def _contract_columns(source: Source) -> list[str]:
    """Return SQL of the columns of the checked table."""
    unread_ones = ", ".join(
        f"CASE WHEN {cell.reason} IS NOT NULL THEN {quoted(cell.name)} END"
        for cell in optional(source)
    )
    unread = f"nullif(concat_ws('|', {unread_ones or 'NULL'}), '')"
    return contract_columns(source.contract, {"unread_columns": unread})


def _require_rows(source: Source) -> None:
    con, relation = source.pipeline.con, source.relation
    if con.execute(f"SELECT 1 FROM {source.pipeline.named('accepted')} LIMIT 1").fetchone():
        return
    contract = source.contract
    reasons, examples = summary(con, source.pipeline.named("rejected"))
    if not reasons:
        raise SourceError(
            f"{contract.setting}: {relation.place} has no row: no {contract.name} exist.",
            f"Export the table again, or correct {contract.setting}.",
        )
    listed = ", ".join(f"{reason} {count}" for reason, count in reasons.items())
    raise SourceError(
        f"{contract.setting}: every row of {relation.place} was rejected ({listed}): no "
        f"{contract.name} exist. {next(iter(examples.values())).told()}",
        " ".join(proposals(source))
        or f"Correct {contract.setting}.columns, or what {contract.setting} says of how values are "
        "written (`date_format`, `time_zone`, `encoding`, `null_values`).",
    )


def _require_decided(source: Source) -> None:
    """Make sure that of several rows of one id the settings or a time say which counts.

    An older consent must never win over a newer one.
    """
    contract, duplicates = source.contract, source.section.duplicates
    if duplicates == "first":
        return
    query = rendered(
        FOLDER,
        "undecided",
        source=contract.name,
        key=contract.key,
        # A day's folder is when a row was written, and no part of what it says.
        content="json_merge_patch(_cp_json, '{\"dt\": null}')",
        moment=_moment(source) if duplicates == "newest" else "NULL",
    )
    ids = [found for (found,) in source.pipeline.con.execute(query).fetchall()]
    if not ids:
        return
    why = "the settings refuse them"
    if duplicates == "newest":
        why = "no `updated_at` (or `dt=` folder) says which is the newest"
    shown = ", ".join(ids[:3]) + (" ..." if len(ids) > 3 else "")
    raise SourceError(
        f"{contract.setting}: {len(ids):,} ids have several rows that differ, and {why}: {shown}.",
        f"Name the time at which a row was written: [{contract.setting}.columns] updated_at = "
        f'"...". Or set {contract.setting}.duplicates = "first", if the first row counts.',
    )


def _moment(source: Source) -> str:
    """Return SQL of when a row was written: `updated_at`, else the day of its `dt=` folder."""
    if "updated_at" in source.matched.contract:
        return "updated_at"
    return folder_day("_cp_source")


def _with_starts(source: Source, folder: Path) -> str:
    """Fill in the starts that the source does not say; return the step that has them."""
    pipeline, contract = source.pipeline, source.contract
    lacking = pipeline.con.execute(
        f"SELECT 1 FROM {pipeline.named('accepted')} WHERE {contract.start} IS NULL LIMIT 1"
    ).fetchone()
    if lacking is None:
        return "accepted"
    settings = source.session.settings
    first_steps = _events_values(source.session, folder)
    pipeline.steps += first_steps
    pipeline.file(
        "firsts",
        "When the events source first tells of an id.",
        kept=True,
        key=contract.key,
    )
    pipeline.file(
        "started",
        f"A missing `{contract.start}` is the first event, else the first day.",
        start=contract.start,
        until=contract.end,
        key=contract.key,
        opening=instant(settings.platform.start_date, settings.platform.time_zone),
    )
    return "started"


def _events_values(session: Session, folder: Path) -> list[Step]:
    """Create the first steps of the events source, and return them."""
    events = contracts.EVENTS
    section = section_of(session.settings, events)
    relation = open_source(session, events, folder)
    matched = map_columns(events, section, relation)
    return begin(session, events, section, relation, matched).pipeline.steps
