"""The built-in features as the Markdown of docs/features.md; those that are alike share a row."""

from __future__ import annotations

import re

from conversion_platform.days import counted
from conversion_platform.features.builtin import Builtin, builtin_features
from conversion_platform.features.spec import Level

_WINDOW = re.compile(r"_(\d+)d$")
_CLICK = re.compile(r"clicks?", re.IGNORECASE)


def features_reference(level: Level) -> str:
    """Return the table of one level, as it stands in docs/features.md.

    A row holds all windows of a feature, and its twin that counts conversions in place of clicks.
    """
    alike: dict[tuple[str, str], list[Builtin]] = {}
    for feature in builtin_features():
        if feature.level == level:
            key = _of_clicks(_any_window(feature.name)), _of_clicks(_described(feature))
            alike.setdefault(key, []).append(feature)
    return "| feature | meaning |\n|---|---|\n" + "\n".join(map(_row, alike.values())) + "\n"


def _any_window(name: str) -> str:
    return _WINDOW.sub("_Nd", name)


def _described(feature: Builtin) -> str:
    """Return the description with N for the feature's own window."""
    window = _WINDOW.search(feature.name)
    days = counted(int(window[1])) if window else "no window"
    return feature.description.replace(days, "N days", 1)


def _of_clicks(words: str) -> str:
    return words.replace("conversion", "click").replace("Conversion", "Click")


def _row(alike: list[Builtin]) -> str:
    first = alike[0]
    if len(alike) == 1:
        return f"| `{first.name}` | {first.description} |"
    names = dict.fromkeys(_any_window(one.name) for one in alike)
    windows = dict.fromkeys(match[1] for one in alike if (match := _WINDOW.search(one.name)))
    named = ", ".join(f"`{name}`" for name in names)
    if windows:
        named += f", N = {', '.join(windows)}"
    description = _described(first)
    if len(names) > 1:
        description = _CLICK.sub(_or_conversion, description, count=1)
    return f"| {named} | {description} |"


def _or_conversion(click: re.Match[str]) -> str:
    return f"{click[0]}/{click[0].lower().replace('click', 'conversion')}"
