"""What a person can set: one validated `Settings` object from a TOML file and the environment.

Sections define keys, defaults and limits; `load_settings` reads and checks them; the reference
and the commented template are generated from the sections.
"""

from conversion_platform.settings.loading import (
    CONFIG_NAME,
    CONFIG_VARIABLE,
    Settings,
    load_settings,
    secret,
)
from conversion_platform.settings.reference import SourceColumn, render_init
from conversion_platform.settings.sections import (
    CohortSection,
    EntitySection,
    InputSection,
    SandboxSection,
    SourceSection,
)

__all__ = [
    "CONFIG_NAME",
    "CONFIG_VARIABLE",
    "CohortSection",
    "EntitySection",
    "InputSection",
    "SandboxSection",
    "Settings",
    "SourceColumn",
    "SourceSection",
    "load_settings",
    "render_init",
    "secret",
]
