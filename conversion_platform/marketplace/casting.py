"""SQL that casts source values to contract values, and gives the reason where that fails.

The only place where a number is read. attributes.py decides which further columns are numbers, and
features/attributes.py narrows them to float32.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from zoneinfo import available_timezones

from conversion_platform.lake import quoted
from conversion_platform.marketplace.contract import SQL_TYPES, Field
from conversion_platform.marketplace.relation import as_text, identifier

FIRST_TIME = "TIMESTAMPTZ '1900-01-01 00:00:00+00'"
LAST_TIME = "TIMESTAMPTZ '2200-01-01 00:00:00+00'"
LARGEST = "3.4e38"
_EXACT = 2**53

# A zone follows the time of day: Z, UTC, +02, -0500, +05:30, America/New_York.
_HAS_ZONE = r":[0-9]{2}[^A-Za-z+-]*([A-Za-z][A-Za-z0-9_/+-]*|[+-][0-9]{2}(:?[0-9]{2})?)$"
_BARE_NUMBER = r"^[+-]?[0-9]+([.,][0-9]+)?$"


def value_sql(field: Field, column: str | None, kind: str, zone: str | None) -> str:
    """Return SQL for the contract value of a source column; NULL where it cannot be cast.

    Args:
        field: The contract column.
        column: The source column; None where the source has no such column.
        kind: The source column's DuckDB type.
        zone: Time zone of times written without one.
    """
    if column is None:
        return f"CAST(NULL AS {SQL_TYPES[field.kind]})"
    if field.kind in ("time", "end"):
        return _time_value(column, kind, zone)
    if field.kind == "number":
        return _number_value(column, kind)
    if field.kind == "integer":
        number = _number_value(column, kind)
        whole = f"CASE WHEN {number} = trunc({number}) THEN {number} END"
        return f"TRY_CAST({whole} AS BIGINT)"
    text = clean_text(column, kind)
    if field.kind == "id" and kind == "VARCHAR":
        whole = rf"regexp_replace({text}, '^(-?[0-9]+)\.0+$', '\1')"
        return f"CASE WHEN contains({text}, '.') THEN {whole} ELSE {text} END"
    return text


def clean_text(column: str, kind: str) -> str:
    """Return SQL for a value as trimmed text; NULL for an empty one."""
    if kind != "VARCHAR":
        return as_text(column, kind)
    return rf"nullif(trim({as_text(column, kind)}, E' \t\r\n'), '')"


def problem_sql(
    field: Field, column: str | None, kind: str, value: str, allowed: Sequence[str] = ()
) -> str | None:
    """Return SQL for the reason code of a value that breaks its contract, else NULL.

    Args:
        field: The contract column.
        column: The source column; None where the source has no such column.
        kind: The source column's DuckDB type.
        value: SQL (a column name) of the value that `value_sql` made.
        allowed: Values that may be bare numbers (event types that the settings name).
    """
    if column is None:
        return None
    given = clean_text(column, kind)
    cases = [
        *_required(field, given),
        *_CASES.get(field.kind, _no_cases)(field, column, kind, value, given, allowed),
    ]
    if not cases:
        return None
    return "CASE " + " ".join(f"WHEN {when} THEN {then}" for when, then in cases) + " END"


Case = tuple[str, str]


def _required(field: Field, given: str) -> list[Case]:
    return [(f"{given} IS NULL", quoted(field.missing))] if field.missing else []


def _no_cases(*_: object) -> list[Case]:
    return []


def _id_cases(
    _field: Field, column: str, kind: str, _value: str, _given: str, _allowed: Sequence[str]
) -> list[Case]:
    if kind not in ("DOUBLE", "FLOAT"):
        return []
    exact = _EXACT if kind == "DOUBLE" else 2**24
    return [(f"abs({identifier(column)}) >= {exact}", "'inexact_id'")]


def _words_cases(
    _field: Field, _column: str, _kind: str, value: str, _given: str, allowed: Sequence[str]
) -> list[Case]:
    listed = ", ".join(quoted(item) for item in allowed)
    unless = f" AND {value} NOT IN ({listed})" if allowed else ""
    return [
        (
            f"regexp_matches({value}, {quoted(_BARE_NUMBER)}){unless}",
            "'number_where_text_belongs'",
        )
    ]


def _zone_cases(
    _field: Field, _column: str, _kind: str, value: str, _given: str, _allowed: Sequence[str]
) -> list[Case]:
    # DuckDB and Python must both know the zone: SQL computes local days, Python quiet hours.
    python = ", ".join(quoted(name) for name in sorted(available_timezones()))
    known = f"SELECT name FROM pg_timezone_names() WHERE name IN ({python})"
    return [
        (f"regexp_matches({value}, {quoted(_BARE_NUMBER)})", "'number_where_text_belongs'"),
        (f"{value} IS NOT NULL AND {value} NOT IN ({known})", "'unknown_time_zone'"),
    ]


def _number_cases(
    field: Field, _column: str, _kind: str, value: str, given: str, _allowed: Sequence[str]
) -> list[Case]:
    cases = [
        (f"{value} IS NULL AND lower({given}) <> 'nan'", "'not_a_number'"),
        (f"abs({value}) > {LARGEST}", "'out_of_range'"),  # does not fit into a feature (float32)
    ]
    if field.low is not None:
        cases.append((f"{value} < {field.low}", "'out_of_range'"))
    if field.high is not None:
        cases.append((f"{value} > {field.high}", "'out_of_range'"))
    return cases


def _time_cases(
    field: Field, _column: str, kind: str, value: str, given: str, _allowed: Sequence[str]
) -> list[Case]:
    without = "false"
    if kind == "DATE" or (kind.startswith("TIMESTAMP") and "ZONE" not in kind):
        without = f"isfinite(TRY_CAST({given} AS TIMESTAMP))"
    elif kind == "VARCHAR":
        without = (
            f"isfinite(TRY_CAST({given} AS TIMESTAMP)) "
            f"AND NOT regexp_matches({given}, {quoted(_HAS_ZONE)})"
        )
    cases = [
        (f"{value} IS NULL AND {given} IS NOT NULL AND {without}", "'time_without_zone'"),
        (f"{value} IS NULL AND {given} IS NOT NULL", "'not_a_time'"),
        (f"{value} < {FIRST_TIME}", "'not_a_time'"),
    ]
    if field.kind == "time":
        cases.append((f"{value} >= {LAST_TIME}", "'not_a_time'"))
    return cases


_CASES = {
    "id": _id_cases,
    "words": _words_cases,
    "zone": _zone_cases,
    "number": _number_cases,
    "integer": _number_cases,
    "time": _time_cases,
    "end": _time_cases,
}


def _number_value(column: str, kind: str) -> str:
    given = f"TRY_CAST({clean_text(column, kind)} AS DOUBLE)"
    if kind != "VARCHAR":
        given = f"TRY_CAST({identifier(column)} AS DOUBLE)"
    return f"CASE WHEN isfinite({given}) THEN {given} END"


def _time_value(column: str, kind: str, zone: str | None) -> str:
    name = identifier(column)
    if kind == "TIMESTAMP WITH TIME ZONE":
        return name
    local = f"timezone({quoted(zone)}, {{}})" if zone else "CAST(NULL AS TIMESTAMPTZ)"
    if kind == "DATE" or kind.startswith("TIMESTAMP"):
        return local.format(f"CAST({name} AS TIMESTAMP)")
    if kind != "VARCHAR":
        return "CAST(NULL AS TIMESTAMPTZ)"
    text = clean_text(column, kind)
    aware = f"regexp_matches({text}, {quoted(_HAS_ZONE)})"
    zoned = f"TRY_CAST(regexp_replace({text}, 'z$', 'Z') AS TIMESTAMPTZ)"
    naive = local.format(f"TRY_CAST({text} AS TIMESTAMP)")
    return f"CASE WHEN {aware} THEN {zoned} ELSE {naive} END"


def row_json(columns: Mapping[str, str]) -> str:
    """Return SQL for a whole source row as JSON, under the source's column names.

    Doubles are written as text: JSON has no NaN.
    """
    values = {
        name: as_text(name, kind) if kind in ("DOUBLE", "FLOAT") else identifier(name)
        for name, kind in columns.items()
    }
    parts = [f"{quoted(name)}: {value}" for name, value in values.items()]
    return f"CAST(to_json({{{', '.join(parts)}}}) AS VARCHAR)"


def content_of(
    fields: Sequence[Field], matched: Mapping[str, str], columns: Mapping[str, str], without: str
) -> list[str]:
    """Return SQL for the content of a row as text: contract values, then further columns.

    Args:
        fields: The contract's columns.
        matched: Contract column -> source column.
        columns: All columns of the source, with their types.
        without: Contract column that is left out. `dt`, the folder, is left out too.
    """
    further = [name for name in columns if name not in matched.values() and name != "dt"]
    return [
        *(
            as_text(f"v_{field.name}", SQL_TYPES[field.kind])
            for field in fields
            if field.name in matched and field.name != without
        ),
        *(clean_text(name, columns[name]) for name in further),
    ]


def content_hash(texts: Sequence[str]) -> str:
    """Return SQL for an id that is a hash of a row's content: equal rows have equal ids."""
    parts = ", ".join(f"coalesce({text}, chr(30))" for text in texts)
    return f"md5(concat_ws(chr(31), {parts}))"
