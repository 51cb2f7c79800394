"""Checks users and jobs: all rows of the source, one for each id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from conversion_platform.errors import SourceError
from conversion_platform.lake import Session, identifier, quoted
from conversion_platform.marketplace.attribute_casts import AttributeKind
from conversion_platform.marketplace.attributes import Stored, misfits, stored_columns
from conversion_platform.marketplace.checking import Unread, summary
from conversion_platform.marketplace.contract import Contract, section_of
from conversion_platform.marketplace.duplicates import Times, require_decided, undecided_later
from conversion_platform.marketplace.gone import Gone, gone_ids
from conversion_platform.marketplace.history.tables import history_of
from conversion_platform.marketplace.mapping import map_columns
from conversion_platform.marketplace.placement import (
    Placement,
    placement_of,
    refuse_protected_sources,
)
from conversion_platform.marketplace.proposals import proposals
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
from conversion_platform.marketplace.sources import open_source
from conversion_platform.marketplace.starts import with_starts

_VARYING = 0.2
_NO_DAY = "CAST(NULL AS DATE)"


@dataclass(frozen=True)
class Counted:
    """Ids of a source.

    Attributes:
        ids: All that have an accepted row.
        later: Those of which no row holds yet.
        gone: Those that the newest `dt=` folder has no more.
        newest: That folder.
    """

    ids: int
    later: int
    gone: int
    newest: date | None


@dataclass(frozen=True)
class OtherRows:
    """Accepted rows that are not in `final`, each of which is of one kind.

    Attributes:
        past: Earlier versions of rows in `final`.
        later: Those that hold only from a later day.
        gone: Those of ids that the newest `dt=` folder has no more.
    """

    past: int
    later: int
    gone: int

    @property
    def all(self) -> int:
        """Rows of any kind."""
        return self.past + self.later + self.gone


@dataclass(frozen=True)
class Entities:
    """Checked users or jobs.

    Attributes:
        source: The source with all of its steps.
        misfits: Cells of attributes that do not fit the kind which a model knows.
        others: Rows that are not in `final`, and were not rejected.
        counted: How many ids there are, and how many of them are not in `final`.
        tells_versions: Whether there is a step `versions`.
        varying: Further columns in which rows of one id differ, for more than a fifth of the ids.
        placement: Where each further column lies.
        undecided_later: What a later day will refuse, in a sentence; None if nothing.
        shown: SQL (a parenthesised query) of the ids that the source shows, also of those of whom
            no row holds yet.
    """

    source: Source
    misfits: tuple[Unread, ...]
    placement: Placement
    others: OtherRows
    counted: Counted
    tells_versions: bool
    varying: tuple[str, ...]
    undecided_later: str | None
    shown: str


def check_entities(
    reading: Session,
    contract: Contract,
    folder: Path,
    known: Mapping[str, AttributeKind],
    today: date | None = None,
) -> Entities:
    """Return a source with all of its steps; `final` has the checked rows with every column.

    Args:
        reading: The session in whose schema `steps` they are created.
        contract: Users or jobs.
        folder: Folder for files that have to be copied.
        known: Kinds of attributes that a model knows.
        today: The day whose rows are wanted: one that holds only from a later day does not count
            yet. None if rows of any day count.

    Raises:
        SourceError: the source cannot be read, has no usable row, or has several rows of one id of
            which none can be told to be the one that counts; or a setting lists a column that does
            not exist, or that is protected; or maps one that is.
    """
    section = section_of(reading.settings, contract.name)
    relation = open_source(reading, contract, folder)
    matched = map_columns(contract, section, relation)
    refuse_protected_sources(reading.settings, contract)
    further = {name: relation.names[column] for name, column in matched.attributes.items()}
    placement = placement_of(reading.settings, contract, further, known)
    source = begin(reading, contract, section, relation, matched)
    pipeline = source.pipeline
    pipeline.file("checked", "The reason that rejects a row.", problems=", ".join(problems(source)))
    times = Times.of(source, today)
    stage(source, [*_contract_columns(source), *times.staged, *further_columns(source)])
    resolve(source, times.order, _NO_DAY, _NO_DAY, moment=times.apart, older=times.older)
    gone = gone_ids(source)
    counted = _require_rows(source, times, gone, today)
    read = [*placement.listed, *placement.protected]
    require_decided(source, times, read)
    accepted = with_starts(source, folder)
    stored = stored_columns(source, known)
    attributes = [f"{value} AS {identifier(name)}" for name, value in stored.columns.items()]
    pipeline.file(
        "final",
        "The checked rows: attributes have the type that all of their values have.",
        accepted=accepted,
        held_back=times.held_back,
        columns=", ".join([*_names(contract), *attributes]),
        units=stored.units,
    )
    others = _other_rows(source, times, gone, counted)
    told = bool(others.past or others.gone or "valid_from" in times.names)
    if told:
        _versions(source, times, gone, accepted, stored, placement.listed)
    found = misfits(source, known, stored)
    return Entities(
        source,
        found,
        placement,
        others,
        counted,
        told,
        _varying(source),
        undecided_later(source, times, read),
        f"(SELECT {contract.key} FROM {pipeline.named('accepted')} WHERE NOT {times.older})",
    )


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


def _require_rows(source: Source, times: Times, gone: Gone, today: date | None) -> Counted:
    """Make sure that a row counts, and count those that do not."""
    con, relation, contract = source.pipeline.con, source.relation, source.contract
    found = con.execute(
        f"SELECT count(*), count(*) FILTER ({times.later} AND NOT {times.older}), "
        f"count(*) FILTER ({times.older}) "
        f"FROM {source.pipeline.named('accepted')}"
    ).fetchone()
    ids, later, away = found or (0, 0, 0)
    counted = Counted(ids, later, away, gone.newest)
    if counted.ids > counted.later + counted.gone:
        return counted
    if counted.gone:
        raise SourceError(
            f"{contract.setting}: the newest `dt=` folder of {relation.place} ({gone.newest}) has "
            f"no row that counts: no {contract.name} exist.",
            "Export that day again. If a folder holds the rows that changed alone, set "
            f'{contract.setting}.folders = "changes".',
        )
    if counted.later:
        raise SourceError(
            f"{contract.setting}: every row of {relation.place} holds only from a day after "
            f"{today}: no {contract.name} exist.",
            f"Correct `valid_from`, or {contract.setting}.columns if another column is meant.",
        )
    reasons, examples = summary(con, contract, source.pipeline.named("rejected"))
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


def _other_rows(source: Source, times: Times, gone: Gone, counted: Counted) -> OtherRows:
    """Count the accepted rows that are not in `final`: those of `counted`, and other versions."""
    later = f"{times.later} AND NOT {times.older}"  # an older export tells the past alone
    kind = f"CASE WHEN {gone.condition} THEN 'gone' WHEN {later} THEN 'later' ELSE 'past' END"
    rows = source.pipeline.con.execute(
        f"SELECT {kind}, count(*) FROM {source.pipeline.named('flagged')} WHERE _cp_past "
        "GROUP BY ALL"
    ).fetchall()
    found = {name: int(number) for name, number in rows}
    return OtherRows(
        found.get("past", 0),
        found.get("later", 0) + counted.later,
        found.get("gone", 0) + counted.gone,
    )


def _varying(source: Source) -> tuple[str, ...]:
    """Return the further columns that are none of a user, or a job: their rows differ in them."""
    names = list(source.matched.attributes)
    if not names:
        return ()
    # A count of distinct values keeps a table for each column and id: hundreds take gigabytes.
    differ = ", ".join(f"coalesce(min({c}) < max({c}), false)" for c in map(identifier, names))
    shares = ", ".join(
        f"avg(CAST(differ[{place}] AS INTEGER))" for place in range(1, len(names) + 1)
    )
    row = source.pipeline.con.execute(
        f"SELECT {shares} FROM (SELECT [{differ}] AS differ "
        f"FROM {source.pipeline.named('flagged')} "
        "WHERE coalesce(_cp_reason, 'duplicate_id') = 'duplicate_id' "
        f"GROUP BY {source.contract.key} HAVING count(*) > 1)"
    ).fetchone()
    assert row is not None
    return tuple(name for name, share in zip(names, row, strict=True) if (share or 0) > _VARYING)


def _versions(
    source: Source,
    times: Times,
    gone: Gone,
    accepted: str,
    stored: Stored,
    listed: Sequence[str],
) -> None:
    """Add the step `versions`: the versions that the source itself tells."""
    contract = source.contract
    attributes = {name: stored.columns[name] for name in listed}
    kept = [column.name for column in history_of(contract.table).columns]
    zone = quoted(source.session.settings.platform.time_zone)
    following = f"(SELECT _cp_next FROM {gone.folders} AS f WHERE f._cp_folder = r._cp_folder)"
    replaced = f"{times.moment} >= timezone({zone}, CAST({following} AS TIMESTAMP))"
    away = (
        f"UNION ALL BY NAME SELECT _cp_id AS {contract.key}, "
        f"timezone({zone}, CAST(_cp_gone AS TIMESTAMP)) AS told_at, false AS present "
        f"FROM {gone.step}"
    )
    source.pipeline.file(
        "versions",
        "The rows of each id of which the source tells several, or that it shows no more, with the "
        "time from which each holds; of all ids if the source says it of each row.",
        key=contract.key,
        start=contract.start,
        moment=times.moment,
        accepted=accepted,
        names=", ".join([*kept, *map(identifier, attributes)]),
        columns=", ".join([*kept, *(f"{of} AS {identifier(n)}" for n, of in attributes.items())]),
        units=stored.units,
        single="true" if "valid_from" in times.names else gone.condition,
        replaced=f"coalesce({replaced}, false)" if gone.folders else "false",
        gone=away if gone.step else "",
    )
