"""The built-in features as the Markdown of docs/features.md, the windows of one in one row."""

from __future__ import annotations

import re

from conversion_platform.days import counted
from conversion_platform.features.catalogue import Builtin, builtin_features
from conversion_platform.features.spec import Level

_WINDOW = re.compile(r"_(\d+)d$")


def features_reference(level: Level) -> str:
    """Return the table of one level, as it stands in docs/features.md."""
    families: dict[tuple[str, str], list[Builtin]] = {}
    for feature in builtin_features():
        if feature.level == level:
            families.setdefault(_family(feature), []).append(feature)
    rows = "\n".join(map(_row, families.values()))
    return f"| feature | meaning |\n|---|---|\n{rows}\n"


def _family(feature: Builtin) -> tuple[str, str]:
    """Return name and description with N for the window: equal for features that share a row."""
    window = _WINDOW.search(feature.name)
    if window is None:
        return feature.name, feature.description
    description = feature.description.replace(counted(int(window[1])), "N days", 1)
    return _WINDOW.sub("_Nd", feature.name), description


def _row(family: list[Builtin]) -> str:
    if len(family) == 1:
        return f"| `{family[0].name}` | {family[0].description} |"
    name, description = _family(family[0])
    windows = ", ".join(match[1] for one in family if (match := _WINDOW.search(one.name)))
    return f"| `{name}`, N = {windows} | {description} |"
