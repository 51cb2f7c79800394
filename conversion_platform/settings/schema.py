"""What a key may hold, in words, read from the JSON schema of the settings (sections.py)."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from pydantic import BaseModel

Schema = dict[str, Any]

_KINDS = {
    "boolean": "true or false",
    "date": "date such as 2026-11-23",
    "string": "text",
    "time": 'time such as "06:00"',
}
_LIMITS = {
    "minimum": "at least {:,}",
    "exclusiveMinimum": "above {:,}",
    "maximum": "at most {:,}",
    "minItems": "at least one",
    "minProperties": "at least one",
}


@cache
def schema_of(model: type[BaseModel]) -> Schema:
    """Return the JSON schema of a model, each section written out where it stands."""
    schema = model.model_json_schema()
    inlined: Schema = _inlined(schema, schema["$defs"])
    return inlined


def _inlined(node: Any, sections: Schema) -> Any:
    if isinstance(node, list):
        return [_inlined(one, sections) for one in node]
    if not isinstance(node, dict):
        return node
    section = sections.get(str(node.get("$ref")).rpartition("/")[2], {})
    both = {**section, **node}
    return {key: _inlined(value, sections) for key, value in both.items() if key != "$ref"}


def below(schema: Schema, part: str) -> Schema | None:
    """Return what is declared for a key of a section, or for a name of a table."""
    named = schema.get("patternProperties") or {"": schema.get("additionalProperties")}
    default = next(iter(named.values())) or None
    entry: Schema | None = schema.get("properties", {}).get(part, default)
    return entry


def allowed(schema: Schema) -> str:
    """Return what a key may hold in words: `integer, at least 1, at most 256`."""
    limits = [text.format(schema[name]) for name, text in _LIMITS.items() if name in schema]
    return ", ".join([_kind(schema), *limits])


def _kind(schema: Schema) -> str:
    if "examples" in schema:
        return "text such as " + " or ".join(map(json.dumps, schema["examples"]))
    if "anyOf" in schema:
        return " or ".join(allowed(one) for one in schema["anyOf"] if one["type"] != "null")
    values = [schema["const"]] if "const" in schema else schema.get("enum", ())
    if values:
        return " or ".join(map(json.dumps, values))
    kind = str(schema.get("format", schema["type"]))
    if kind == "array":
        return f"list of {allowed(schema['items'])}"
    if kind == "object":
        entry = below(schema, "")
        many = "s" if "properties" in (entry or {}) else ""
        return f"table of {allowed(entry)}{many}" if entry else "section"
    return "non-empty text" if "minLength" in schema else _KINDS.get(kind, kind)
