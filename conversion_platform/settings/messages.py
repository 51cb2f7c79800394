"""What to say when settings cannot be used: in the file's words, with the nearest known key.

Works on the classes of `settings.py` from outside: pydantic says which value it refuses, but not
where it came from, what was probably meant, or that a password must not be shown.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import typing
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from conversion_platform.errors import SettingsError
from conversion_platform.settings.words import allowed, options, shown

Path = tuple[str, ...]
# Up to the last `@`, because people write passwords with one; `host:8080/` is no password.
CREDENTIALS = re.compile(r"(?P<scheme>\b[a-z][a-z0-9+.-]*://)[^\s/@:]*:(?!\d+/)\S*@", re.I)
PASSWORD = re.compile(r"(?P<key>\b(?:password|passwd|pwd|secret|token)\s*[=:]\s*)[^\s&;,]+", re.I)


def masked(text: str) -> str:
    """`text` without the user and password of an address, and without `password=...`."""
    return PASSWORD.sub(r"\g<key>***", CREDENTIALS.sub(r"\g<scheme>***@", text))


def section_type(annotation: Any) -> tuple[type[BaseModel] | None, bool]:
    """The model class behind an annotation, and whether it stands behind free names."""
    if typing.get_origin(annotation) is dict:
        inner, _ = section_type(typing.get_args(annotation)[1])
        return inner, True
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False
    return None, False


def check_keys(
    values: Mapping[str, Any], model: type[BaseModel], label: str, where: Path = ()
) -> None:
    """Refuses keys that the model does not know.

    Raises:
        SettingsError: naming the key, and the nearest known one.
    """
    for key, value in values.items():
        if key not in model.model_fields:
            raise unknown_key((*where, key), list(model.model_fields), label)
        inner, named = section_type(model.model_fields[key].annotation)
        if inner is None or not isinstance(value, dict):
            continue
        tables = value.items() if named else [(None, value)]
        for name, entry in tables:
            if isinstance(entry, dict):
                here = (*where, key) if name is None else (*where, key, name)
                check_keys(entry, inner, label, here)


def check_environment(model: type[BaseModel], prefix: str, environment: Mapping[str, str]) -> None:
    """Refuses variables that start like settings and are none, or hold what cannot be read.

    Raises:
        SettingsError: naming the variable, and the nearest known one.
    """
    for variable, value in sorted(environment.items()):
        if variable.upper().startswith(prefix):
            annotation = _annotation_of(variable, model, prefix)
            _check_json(variable, value, annotation)


def _annotation_of(variable: str, model: type[BaseModel], prefix: str) -> Any:
    """What the setting behind an environment variable may hold."""
    parts = variable[len(prefix) :].lower().split("__")
    annotation: Any = model
    for index, part in enumerate(parts):
        inner, named = section_type(annotation)
        if named or _is_table(annotation):
            annotation = typing.get_args(annotation)[1]
        elif inner is None or part not in inner.model_fields:
            known = [] if inner is None else list(inner.model_fields)
            raise _unknown_variable(variable, prefix, parts[:index], part, known)
        else:
            annotation = inner.model_fields[part].annotation
    return annotation


def _is_table(annotation: Any) -> bool:
    return typing.get_origin(annotation) is dict


def _unknown_variable(
    variable: str, prefix: str, above: list[str], part: str, known: list[str]
) -> SettingsError:
    start = prefix + "".join(f"{name}__" for name in above).upper()
    near = difflib.get_close_matches(part, known, n=1, cutoff=0.5)
    hint = f"Did you mean {start}{near[0].upper()}? " if near else ""
    names = f"Known there: {', '.join(sorted(known))}." if known else f"Unset {variable}."
    return SettingsError(f"The environment variable {variable} is no setting.", f"{hint}{names}")


def _check_json(variable: str, value: str, annotation: Any) -> None:
    """Lists and tables come as JSON; the settings library does not say which variable fails."""
    wanted = _json_wanted(annotation)
    if wanted is None:
        return
    kind, example = wanted
    try:
        fits = isinstance(json.loads(value), kind)
    except json.JSONDecodeError:
        fits = False
    if not fits:
        raise SettingsError(
            f"The environment variable {variable} = {masked(value)!r} cannot be read.",
            f"Allowed: JSON such as {example}.",
        )


def _json_wanted(annotation: Any) -> tuple[type, str] | None:
    if section_type(annotation)[0] is not None or _is_table(annotation):
        return dict, '{"key": "value"}'
    kinds = options(annotation)
    if str in kinds or not any(typing.get_origin(kind) is tuple for kind in kinds):
        return None
    return list, '["one", "two"]'


def unknown_key(path: Path, known: list[str], label: str) -> SettingsError:
    """The error for a key that is not known, with the nearest one that is."""
    near = difflib.get_close_matches(path[-1], known, n=1, cutoff=0.5)
    above = ".".join(path[:-1])
    hint = f"Did you mean `{'.'.join((*path[:-1], near[0]))}`? " if near else ""
    where = f" under [{above}]" if above else ""
    return SettingsError(
        f"{label}: unknown key `{'.'.join(path)}`.",
        f"{hint}Known keys{where}: {', '.join(sorted(known))}.",
    )


def refused_value(
    error: ValidationError, values: dict[str, Any], label: str, model: type[BaseModel], prefix: str
) -> SettingsError:
    """The error for the first value that validation refuses: file, key, value, what is allowed.

    The validator's own words name Python's types; these are made of the declaration.
    """
    first = error.errors(include_url=False, include_context=False)[0]
    path = _key_path(model, first["loc"])
    variable = _from_environment(path, prefix)
    place, key = variable or label, ".".join(path)
    if first["type"] == "extra_forbidden":
        return unknown_key(path, list(_model_at(model, path[:-1]).model_fields), place)
    if first["loc"][-1:] == ("[key]",):
        return SettingsError(
            f"{place}: the name `{key}` is not allowed.",
            "Allowed: small letters, digits and `_`, starting with a letter.",
        )
    field = _field_at(model, path)
    ours = first["type"] == "value_error"
    words = masked(first["msg"].removeprefix("Value error, ")) if ours else allowed(field)
    if ours and section_type(field.annotation)[0]:
        return SettingsError(f"{place}: [{key}] {words}.", "Correct it.")
    value = os.environ[variable] if variable else _value_at(values, path)
    return SettingsError(f"{place}: {_refused(key, value)}.", f"Allowed: {words}.")


def _refused(key: str, value: Any) -> str:
    if isinstance(value, dict):
        return f"[{key}] is {'a table' if value else 'an empty table'}"
    return f"`{key}` = {masked(shown(value))} is not allowed"


def credentials_in(settings: BaseModel, where: Path = ()) -> Iterator[str]:
    """Keys whose text holds a user and password, which no file may."""
    for key, value in _items(settings):
        if isinstance(value, BaseModel | dict | tuple):
            yield from credentials_in(value, (*where, key))  # type: ignore[arg-type]
        elif isinstance(value, str) and CREDENTIALS.search(value):
            yield ".".join((*where, key))


def _items(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, BaseModel):
        return [(name, getattr(value, name)) for name in type(value).model_fields]
    if isinstance(value, dict):
        return [(str(name), entry) for name, entry in value.items()]
    return [(str(index), entry) for index, entry in enumerate(value)]


def _key_path(model: type[BaseModel], loc: tuple[int | str, ...]) -> Path:
    """The keys of an error's place, without what pydantic adds for unions and lists."""
    path: list[str] = []
    annotation: Any = model
    for part in loc:
        inner, named = section_type(annotation)
        if part == "[key]":
            break
        if named or _is_table(annotation):
            annotation = typing.get_args(annotation)[1]
        elif inner is not None and part in inner.model_fields:
            annotation = inner.model_fields[str(part)].annotation
        elif inner is None:
            break
        path.append(str(part))
    return tuple(path)


def _model_at(model: type[BaseModel], path: Path) -> type[BaseModel]:
    found, _ = section_type(_field_at(model, path).annotation)
    return found or model


def _field_at(model: type[BaseModel], path: Path) -> FieldInfo:
    """The declaration of a key, or of an entry of a table."""
    field = FieldInfo.from_annotation(model)
    for part in path:
        inner, named = section_type(field.annotation)
        if named or _is_table(field.annotation):
            field = FieldInfo.from_annotation(typing.get_args(field.annotation)[1])
        elif inner is not None:
            field = inner.model_fields[part]
    return field


def _value_at(values: Any, path: Path) -> Any:
    for part in path:
        if not isinstance(values, dict):
            return None
        values = values.get(part)
    return values


def _from_environment(path: Path, prefix: str) -> str | None:
    """The environment variable that set this key, if one did."""
    set_here = {variable.upper(): variable for variable in os.environ}
    for end in range(len(path), 0, -1):
        name = (prefix + "__".join(path[:end])).upper()
        if name in set_here:
            return set_here[name]
    return None
