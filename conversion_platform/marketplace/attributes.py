"""The storage types of attributes (further columns) of users and jobs, chosen as these are loaded.

They depend on the accepted rows only, and not on their order.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice

from conversion_platform.lake import Session, identifier, quoted
from conversion_platform.marketplace.attribute_casts import (
    FALSE,
    NO_PROFILE,
    TRUE,
    AttributeKind,
    Profile,
    Staged,
    cast_sql,
    forms_of,
    is_code_name,
    kind_by_type,
    staged_cell,
    staged_types,
)
from conversion_platform.marketplace.attribute_forms import (
    Form,
    FormName,
    is_code,
)
from conversion_platform.marketplace.checking import Example, Unread
from conversion_platform.marketplace.source_steps import Source
from conversion_platform.marketplace.tables import ATTRIBUTES
from conversion_platform.marketplace.values import (
    FIRST_TIME,
    NO_MEASURES,
    measure_names,
    measures_query,
    value_sql,
)

_MANY, _FEW = 50, 10  # columns that one query reads at little cost, and by long SQL
_REASONS = {"numeric": "not_a_number", "timestamp": "not_a_time", "boolean": "not_a_boolean"}


def batches(names: Sequence[str], most: int) -> Iterator[Sequence[str]]:
    """Yield some names at a time: what a query costs to plan grows faster than its columns."""
    for first in range(0, len(names), most):
        yield names[first : first + most]


def known_kinds(session: Session, table: str) -> dict[str, AttributeKind]:
    """Return the kinds that the attributes of users, or jobs, had when they were read last."""
    rows = session.con.execute(
        f"SELECT column_name, kind FROM {session.lake.select(ATTRIBUTES)} WHERE table_name = ?",
        [table],
    ).fetchall()
    return dict(rows)


@dataclass(frozen=True)
class Stored:
    """The attributes of a source as the checked table has them.

    Attributes:
        columns: SQL of each, with its storage type.
        units: SQL that follows the relation which the columns are read from: the step with the
            currencies and units that they name, if there is one.
    """

    columns: Mapping[str, str]
    units: str


def stored_columns(source: Source, known: Mapping[str, AttributeKind]) -> Stored:
    """Return the attributes as they are stored.

    The SQL says no currency and no unit: those are words of cells. Where some column has them this
    adds the step `further_units`.

    Args:
        source: The source, whose step `accepted` exists.
        known: Kinds that a model knows: they stay, whatever the values look like.

    """
    types = staged_types(source)
    texts = [name for name, of in types.items() if of == "VARCHAR" and not is_code_name(name)]
    found = _profiles(source, texts, {name for name, kind in known.items() if kind == "numeric"})
    kinds = {
        name: known.get(name) or found.get(name, NO_PROFILE).kind or kind_by_type(name, of)
        for name, of in types.items()
    }
    measured = {
        name: one.measures
        for name, one in found.items()
        if kinds[name] == "numeric" and one.measures != NO_MEASURES
    }
    read = {name: replace(found[name], measures=_measure_names(name)) for name in measured}
    profiles = {**found, **read}
    columns = {
        name: cast_sql(Staged(source, name, of, profiles.get(name, NO_PROFILE)), kinds[name])
        for name, of in types.items()
    }
    return Stored(columns, _further_units(source, measured) if measured else "")


def _further_units(source: Source, measured: Mapping[str, tuple[str, str]]) -> str:
    """Add the step `further_units`; return SQL that joins its one row.

    The values are known already. What is printed looks them up, some columns at a time: the query
    of hundreds at once takes minutes to plan.
    """
    pipeline = source.pipeline
    values = (
        f"{value} AS {column}"
        for name, said in measured.items()
        for value, column in zip(said, _measure_names(name), strict=True)
    )
    looked_up = (
        f"({_measures_of(some, pipeline.named('accepted'))})"
        for some in batches(list(measured), _FEW)
    )
    pipeline.table(
        "further_units",
        "The currency and the unit that most cells of a further column of numbers name.",
        f"SELECT {', '.join(values)}",
        printed=f"SELECT * FROM {', '.join(looked_up)}",
    )
    return f", {pipeline.named('further_units')}"


def _measure_names(name: str) -> tuple[str, str]:
    return measure_names(f"_cp_{name}")


def _measures_of(names: Sequence[str], rows: str) -> str:
    return measures_query({f"_cp_{name}": identifier(name) for name in names}, rows)


def misfits(
    source: Source, known: Mapping[str, AttributeKind], stored: Stored
) -> tuple[Unread, ...]:
    """Return the cells that do not fit the kind which a model knows: they are missing."""
    kept = [name for name in known if name in stored.columns and known[name] in _REASONS]
    types = staged_types(source)

    def unfit(name: str) -> list[str]:
        text, value = Staged(source, name, types[name]).text, stored.columns[name]
        return [f"count(*) FILTER (({text}) IS NOT NULL AND ({value}) IS NULL)"]

    counts = _of_columns(source, kept, unfit, _FEW, stored.units)
    # An attribute may be a birth date: its values are not shown.
    return tuple(
        Unread(
            name,
            _REASONS[known[name]],
            count,
            Example(source.relation.place, None, name, "(not shown)"),
        )
        for name, (count,) in counts.items()
        if count
    )


def _profiles(source: Source, names: Sequence[str], numeric: Collection[str]) -> dict[str, Profile]:
    """Return the profile of each text column.

    The SQL that reads any number or any time is long, and so dear to plan: only columns that can be
    such, and have no form that is cheap to read, are read by it.

    Args:
        source: The source, whose step `accepted` exists.
        names: The columns.
        numeric: Those that a model knows as numbers.
    """
    looks = _of_columns(source, names, lambda name: _looks(source, name), _MANY)
    found = {name: _profile_of(forms_of(source), *row) for name, row in looks.items()}
    unclear = [
        name
        for name, profile in found.items()
        if profile is None or (name in numeric and profile.kind != "numeric")
    ]
    measures = _measures(source, unclear)
    counts = _of_columns(source, unclear, lambda name: _counts(source, name, measures[name]), _FEW)
    read = {
        name: Profile(_common_kind(*row), measures=measures[name]) for name, row in counts.items()
    }
    return {name: read.get(name) or found[name] or NO_PROFILE for name in names}


def _of_columns(
    source: Source,
    names: Sequence[str],
    items: Callable[[str], list[str]],
    most: int,
    joined: str = "",
) -> dict[str, tuple[int, ...]]:
    """Return aggregates of each column over the accepted rows.

    Args:
        source: The source, whose step `accepted` exists.
        names: The columns.
        items: SQL of the aggregates of one column.
        most: Number of columns that one query reads at most.
        joined: SQL of what is joined to each row.
    """
    con, accepted = source.pipeline.con, source.pipeline.named("accepted")
    found: dict[str, tuple[int, ...]] = {}
    for some in batches(names, most):
        parts = [items(name) for name in some]
        row = con.execute(f"SELECT {', '.join(chain(*parts))} FROM {accepted}{joined}").fetchone()
        values = iter(row or ())
        for name, part in zip(some, parts, strict=True):
            found[name] = tuple(islice(values, len(part)))
    return found


def _looks(source: Source, name: str) -> list[str]:
    """Return SQL counts of the values, and of those that are a boolean or of a form."""
    text = identifier(name)
    conditions = [
        f"lower({text}) IN {TRUE} OR lower({text}) IN {FALSE}",
        *(form.matches(text) for form in forms_of(source).values()),
        f"regexp_matches({text}, '[0-9]')",
    ]
    return [f"count({text})", *(f"count(*) FILTER ({one})" for one in conditions)]


def _profile_of(
    known: Mapping[FormName, Form], values: int, booleans: int, *counts: int
) -> Profile | None:
    """Return the profile of a column, given how many values are of each form; None if unclear.

    Args:
        known: The forms.
        values: Number of its values.
        booleans: Number of those that are a boolean.
        counts: Number of those of each form, and of those with a digit.
    """
    if values == 0:
        return NO_PROFILE
    if booleans == values:
        return Profile("boolean")
    *of_forms, with_digits = counts
    for (name, form), count in zip(known.items(), of_forms, strict=True):
        if count == values:
            return Profile(form.kind, name)
    return None if with_digits == values else NO_PROFILE


def _common_kind(values: int, numbers: int, times: int) -> AttributeKind | None:
    if numbers == values > 0:
        return "numeric"
    return "timestamp" if times == values > 0 else None


def _measures(source: Source, names: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return SQL of the currency and the unit that most numbers of a column name."""
    con, accepted = source.pipeline.con, source.pipeline.named("accepted")
    found: dict[str, tuple[str, str]] = {}
    for some in batches(names, _FEW):
        row = con.execute(_measures_of(some, accepted)).fetchone()
        assert row is not None
        found |= {
            name: (quoted(row[2 * place] or ""), quoted(row[2 * place + 1] or ""))
            for place, name in enumerate(some)
        }
    return found


def _counts(source: Source, name: str, measures: tuple[str, str]) -> list[str]:
    """Return SQL counts of the values, and of those readable as a number, a time.

    A value with a leading zero (02134) or plus (+12135550100) is a code, not a number.
    """
    text = identifier(name)
    return [
        f"count({text})",
        f"count(*) FILTER ({value_sql(staged_cell(source, name, 'number', measures))} IS NOT NULL "
        f"AND NOT {is_code(text)})",
        f"count(*) FILTER ({value_sql(staged_cell(source, name, 'time'))} >= {FIRST_TIME})",
    ]
