"""Rows as the bytes of a Parquet file with typed columns."""

from __future__ import annotations

import io
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

ARROW = {
    "string": pa.string(),
    "large_string": pa.large_string(),
    "binary": pa.binary(),
    "int64": pa.int64(),
    "int32": pa.int32(),
    "double": pa.float64(),
    "float": pa.float32(),
    "decimal": pa.decimal128(12, 2),
    "bool": pa.bool_(),
    "date": pa.date32(),
    "list": pa.list_(pa.string()),
    "timestamp[us]": pa.timestamp("us"),
    "timestamp[us, UTC]": pa.timestamp("us", "UTC"),
    "timestamp[ms]": pa.timestamp("ms"),
    "timestamp[ns, UTC]": pa.timestamp("ns", "UTC"),
}


def parquet_bytes(
    names: Sequence[str], types: Sequence[str], columns: Sequence[Sequence[Any]]
) -> bytes:
    """Return the bytes of a file.

    Args:
        names: Names of its columns.
        types: Their types.
        columns: Their values.
    """
    arrays = [_array(kind, values) for kind, values in zip(types, columns, strict=True)]
    out = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(arrays, names=list(names)), out)
    return out.getvalue()


def _array(kind: str, values: Sequence[Any]) -> pa.Array:
    if kind == "dictionary":
        return pa.array(values, pa.string()).dictionary_encode()
    if kind == "binary":
        return pa.array([None if one is None else str(one).encode() for one in values], pa.binary())
    if kind == "decimal":
        values = [None if one is None else Decimal(str(one)) for one in values]
    if kind == "date":
        values = [one.date() if hasattr(one, "date") else one for one in values]
    return pa.array(values, ARROW[kind])
