"""The steps that the three sources share, from the source as it is to its checked rows.

read      the source's columns, and the file and row that each comes from
texts     the text of each cell that is one
units     the currency and unit that most cells of a number column name
values    each cell as the contract's type
reasons   why a cell cannot be read
kept      the values that are kept
checked   the first reason that rejects a row
ids       hashes of the ids that occur more than once
staged    what is kept of a row, and of one that may be rejected where it came from and what it was
broken    lines that could not be split into columns
flagged   those rows, with the copies of one id told apart
accepted, rejected
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from conversion_platform.lake import Session, identifier, quoted, rendered
from conversion_platform.marketplace.contract import SQL_TYPES, Contract, Field
from conversion_platform.marketplace.mapping import Matched
from conversion_platform.marketplace.notation import Notation
from conversion_platform.marketplace.relation import Broken, Relation, as_text
from conversion_platform.marketplace.steps import FOLDER, Pipeline
from conversion_platform.marketplace.values import (
    FIRST_TIME,
    NO_MEASURES,
    Cell,
    cleaned,
    content_hash,
    final_sql,
    measures_query,
    reason_sql,
    row_json,
    value_sql,
)
from conversion_platform.settings import EntitySection, SourceSection

_SHOWN = 200  # characters of a cell that are kept to be shown


@dataclass(frozen=True)
class Source:
    """A source, its columns matched to the contract, and the pipeline that checks it."""

    session: Session
    contract: Contract
    section: SourceSection
    relation: Relation
    matched: Matched
    pipeline: Pipeline
    cells: tuple[Cell, ...]

    @property
    def of_entities(self) -> EntitySection:
        """The settings of the source, of users or jobs."""
        assert isinstance(self.section, EntitySection)
        return self.section

    def cell(self, name: str) -> Cell:
        """Return the cell of one contract column."""
        return next(cell for cell in self.cells if cell.name == name)

    def is_required(self, field: Field) -> bool:
        """Return whether a row without this column is rejected."""
        return field.name in self.contract.required


def begin(
    session: Session,
    contract: Contract,
    section: SourceSection,
    relation: Relation,
    matched: Matched,
    allowed: Sequence[str] = (),
) -> Source:
    """Return a source with the steps up to `kept`.

    Args:
        session: The session in whose schema `steps` they are created.
        contract: The contract.
        section: The settings of the source.
        relation: The source as it is.
        matched: Which source column is mapped to which contract column.
        allowed: Event types that may be bare numbers.

    Raises:
        SourceError: the source cannot be read.
    """
    pipeline = Pipeline(session.con, contract.name, contract.setting, relation.place)
    notation = Notation.of(section)
    cells = tuple(
        _cell(contract, field, relation, matched, notation, allowed) for field in contract.fields
    )
    source = Source(session, contract, section, relation, matched, pipeline, cells)
    printed = f"SELECT * FROM ({relation.printed}\n)" if relation.printed else None
    pipeline.view("read", _origin(relation), f"SELECT * FROM {relation.query}", printed)
    pipeline.file("texts", "Cells that are text, without blanks around it.", texts=_texts(source))
    _units(source)
    pipeline.file(
        "values",
        "Each cell as the type that the contract asks for; NULL where it cannot be read.",
        values=", ".join(f"{value_sql(cell)} AS {cell.value}" for cell in cells),
    )
    pipeline.file(
        "reasons",
        "Why a cell cannot be read.",
        reasons=", ".join(f"{_reason(source, cell)} AS {cell.reason}" for cell in cells),
    )
    pipeline.file("kept", "The values that are kept.", finals=_finals(source))
    return source


def _origin(relation: Relation) -> str:
    if relation.printed is None:
        return "The source as it is."
    copied = (
        "The source as it is. (A run reads a copy of it: rows of Postgres or of SQL, or a CSV file "
        "with one kind of line end, in UTF-8, and with broken lines set apart.)"
    )
    return " ".join([copied, *relation.to_convert])


def _reason(source: Source, cell: Cell) -> str:
    """Return SQL of why a cell is not kept: a start is not, if the end lies before it."""
    contract, reason = source.contract, reason_sql(cell)
    if cell.name != contract.start or cell.column is None:
        return reason
    end = f"_cp_v_{contract.end}"
    ended = f"{end} < {cell.value} AND {end} >= {FIRST_TIME}"  # an end before that is none
    return f"coalesce({reason}, CASE WHEN {ended} THEN 'end_before_start' END)"


def _cell(
    contract: Contract,
    field: Field,
    relation: Relation,
    matched: Matched,
    notation: Notation,
    allowed: Sequence[str],
) -> Cell:
    column = matched.contract.get(field.name)
    kind = relation.columns[column] if column else ""
    measures = NO_MEASURES
    if contract.start and field.kind in ("number", "integer") and kind == "VARCHAR":
        table = f"steps.{contract.name}_units"
        measures = (
            f"(SELECT {field.name}_currency FROM {table})",
            f"(SELECT {field.name}_unit FROM {table})",
        )
    listed = allowed if field.name == "event_type" else ()
    return Cell(field, column, kind, notation, measures, listed)


def _texts(source: Source) -> str:
    texts = [
        f"{cleaned(source.relation, cell.column, cell.notation)} AS {cell.cell}"
        for cell in source.cells
        if cell.column and cell.is_text
    ]
    return ", ".join(texts) or "NULL AS _cp_t"


def _units(source: Source) -> None:
    """Add the step `units`, if a column may name one: a source of events does not."""
    cells = [cell for cell in source.cells if cell.measures != NO_MEASURES]
    if not cells:
        return
    source.pipeline.table(
        "units",
        "The currency and the unit that most cells of a number column name.",
        measures_query({cell.name: cell.cell for cell in cells}, source.pipeline.named("texts")),
    )


def problems(source: Source, further: Sequence[str] = ()) -> list[str]:
    """Return SQL of `reason|column` for each rule that rejects a row; NULL if it does not.

    Args:
        source: The source.
        further: SQL expressions of the same form, for rules beyond single cells.
    """
    required = [
        f"{cell.reason} || '|{cell.name}'"
        for cell in source.cells
        if source.is_required(cell.field)
    ]
    return [*_repeated_header(source), *required, *further]


def _repeated_header(source: Source) -> list[str]:
    """Return the rule that a row which says the column's name in each required cell is a header."""
    if not source.relation.repeats_header:
        return []
    named = [
        _is_one_of(cell.cell, source.relation.aliases[cell.column])
        for cell in source.cells
        if cell.column and source.is_required(cell.field)
    ]
    return [f"CASE WHEN {' AND '.join(named)} THEN 'broken_line|' END"]


def _is_one_of(cell: str, names: Sequence[str]) -> str:
    """Return SQL of whether a cell says one of some names, which keep their quotes after a BOM."""
    said = [quoted(text) for name in names for text in (name, f'"{name}"')]
    return "(" + " OR ".join(f"{cell} = {text}" for text in said) + ")"


def _unread(source: Source) -> str:
    """Return SQL of whether an optional cell cannot be read."""
    return " OR ".join(f"{cell.reason} IS NOT NULL" for cell in optional(source)) or "false"


def optional(source: Source) -> list[Cell]:
    """Return the cells that are missing where they cannot be read."""
    return [cell for cell in source.cells if cell.column and not source.is_required(cell.field)]


def _finals(source: Source) -> str:
    """Return SQL of the values that are kept, as `_cp_NAME`."""
    contract = source.contract
    finals = {cell.name: _final(source, cell) for cell in source.cells}
    if contract.key not in contract.required:
        finals[contract.key] = _own_id(source, finals[contract.key])
    return ", ".join(f"{value} AS _cp_{name}" for name, value in finals.items())


def _final(source: Source, cell: Cell) -> str:
    """Return SQL of the value of a cell; a row whose required cell has none is not kept at all."""
    return cell.value if source.is_required(cell.field) else final_sql(cell)


def _own_id(source: Source, given: str) -> str:
    """Return SQL for a row's id: the source's, else a hash of the row's content.

    The hash uses the values of contract columns, so that another notation of the same time or
    number is the same row, and the text of further columns, but not the folder's day.
    """
    key, notation = source.contract.key, Notation.of(source.section)
    content = [
        *(
            as_text(cell.value, SQL_TYPES[cell.field.kind])
            for cell in source.cells
            if cell.column and cell.name != key
        ),
        *(
            cleaned(source.relation, name, notation)
            for name in source.matched.attributes.values()
            if name != "dt"
        ),
    ]
    return f"coalesce({given}, {content_hash(content)})"


def contract_columns(contract: Contract, computed: Mapping[str, str]) -> list[str]:
    """Return SQL of the columns of the checked table.

    Args:
        contract: The contract.
        computed: SQL of those columns that are not the cell's value.
    """
    return [
        f"CAST({computed.get(column.name, f'_cp_{column.name}')} AS {column.type}) AS {column.name}"
        for column in contract.columns
    ]


def stage(
    source: Source, columns: Sequence[str], wanted: str = "true", wanted_ids: str = "true"
) -> None:
    """Add the steps `ids`, `staged` and `broken`.

    Args:
        source: The source, whose step `checked` exists.
        columns: SQL of the columns of a row that are kept.
        wanted: SQL condition of the rows of `checked` that belong to this load.
        wanted_ids: The same of the rows of `kept` among which ids are looked up; it may be wider.
    """
    _ids(source, wanted_ids)
    source.pipeline.file(
        "staged",
        "What is kept of a row; of one that may be rejected, where it came from and what it was.",
        kept=True,
        columns=",\n    ".join(columns),
        key=source.contract.key,
        unread=_unread(source),
        details=_details(source),
        cells=", ".join(_shown_cell(cell) for cell in optional(source)) or "NULL",
        row=row_json(source.relation.columns),
        wanted=wanted,
    )
    broken = source.relation.broken
    source.pipeline.table(
        "broken",
        f"Lines that could not be split into columns: {len(broken):,}, which may be personal.",
        rendered(FOLDER, "broken", lines=_lines(broken)),
        printed=rendered(FOLDER, "broken", lines=_lines(())),
    )


def _ids(source: Source, wanted: str) -> None:
    """Add the step `ids`.

    What the hash of a row needs is only read where several rows have no id: it is every column.
    """
    key = source.contract.key
    cell = source.cell(key)
    if cell.column:
        _repeated(source, "reasons", final_sql(cell), wanted)
        lacking = f"SELECT 1 FROM {source.pipeline.named('ids')} WHERE _cp_id IS NULL"
        if source.is_required(cell.field) or not source.pipeline.con.execute(lacking).fetchone():
            return
    _repeated(source, "kept", f"_cp_{key}", wanted)


def _repeated(source: Source, rows: str, key: str, wanted: str) -> None:
    """Add the step `ids`, with the ids of the rows of an earlier step."""
    why = "Hashes of the ids that occur more than once: numbers are sorted in half the time."
    pipeline, number = source.pipeline, f"CASE WHEN {key} IS NOT NULL THEN hash({key}) END"
    pipeline.file("ids", why, kept=True, rows=rows, id=number, wanted=wanted)


def _details(source: Source) -> str:
    return " ".join(
        f"WHEN {quoted(cell.name)} THEN {cell.given}" for cell in source.cells if cell.column
    )


def _shown_cell(cell: Cell) -> str:
    return (
        f"CASE WHEN {cell.reason} IS NOT NULL THEN {{'column': {quoted(cell.name)}, "
        f"'reason': {cell.reason}, 'detail': left({cell.given}, {_SHOWN})}} END"
    )


def _lines(broken: Sequence[Broken]) -> str:
    rows = [
        f"({quoted(line.source)}, {line.number}, {quoted(line.detail)}, {quoted(line.text)})"
        for line in broken
    ]
    return ", ".join(rows or ["(CAST(NULL AS VARCHAR), CAST(NULL AS BIGINT), NULL, NULL)"])


def resolve(
    source: Source,
    order: Sequence[str],
    dt: str,
    broken_dt: str,
    wanted: str = "true",
    moment: str = "NULL",
    older: str = "false",
) -> None:
    """Add the last steps: `flagged`, `accepted`, `rejected`.

    Args:
        source: The source, whose step `staged` exists.
        order: SQL of the order in which the first of several rows of one id is the one kept.
        dt: SQL of the day of a row.
        broken_dt: SQL of the day of a broken line.
        wanted: SQL condition of the broken lines' days that belong to this load.
        moment: SQL of when a row began to hold, NULL if that is not known: rows of one id with
            several moments are versions of it, of which the first in order is the present one.
        older: SQL condition of the rows that are no copies of others, whatever they say: an export
            says again what the one before it said.
    """
    pipeline = source.pipeline
    pipeline.file(
        "flagged",
        "The rows that may be rejected, with copies and earlier versions of one id told apart.",
        kept=True,
        key=source.contract.key,
        moment=moment,
        older=older,
        order=", ".join([*order, "_cp_source", "_cp_row NULLS LAST", "_cp_json", "_cp_ordinal"]),
    )
    pipeline.file("accepted", "The checked rows.")
    pipeline.file(
        "rejected",
        "The rejected rows, each with its reason.",
        kept=True,
        dt=dt,
        broken_dt=broken_dt,
        wanted=wanted,
    )


def count_rows(source: Source) -> int:
    """Return the rows and broken lines of the source itself, whatever the steps make of them."""
    relation = source.relation
    if relation.rows is not None:
        return relation.rows + len(relation.broken)
    row = source.pipeline.con.execute(f"SELECT count(*) FROM {relation.query}").fetchone()
    assert row is not None
    return int(row[0]) + len(relation.broken)


def further_columns(source: Source) -> list[str]:
    """Return SQL of the columns that no contract column is mapped to, as text or as they are."""
    notation = Notation.of(source.section)
    return [
        f"{_further(source.relation, column, notation)} AS {identifier(name)}"
        for name, column in source.matched.attributes.items()
    ]


def _further(relation: Relation, column: str, notation: Notation) -> str:
    staged_as_text = is_staged_as_text(relation.columns[column])
    return cleaned(relation, column, notation) if staged_as_text else identifier(column)


def is_staged_as_text(kind: str) -> bool:
    """Return whether a further column of a DuckDB type is staged as text: bytes and lists are."""
    return kind in ("VARCHAR", "BLOB") or kind.endswith("[]")
