"""What a person can set: one validated `Settings` object from a TOML file and the environment.

Sections define keys, defaults and limits; `load_settings` reads and checks them; the reference
and the commented template are generated from the sections.
"""

from conversion_platform.settings.loading import (
    CONFIG_NAME,
    CONFIG_VARIABLE,
    ENV_PREFIX,
    Settings,
    load_settings,
    secret,
)
from conversion_platform.settings.sections import (
    CohortSection,
    DriftSection,
    EventsSection,
    FeaturesSection,
    InputSection,
    JobOfTheDaySection,
    MessagingSection,
    PlatformSection,
    PredictionsSection,
    SandboxSection,
    ScheduleSection,
    SourceSection,
    SourcesSection,
    TrainingSection,
)
from conversion_platform.settings.template import render_init

__all__ = [
    "CONFIG_NAME",
    "CONFIG_VARIABLE",
    "ENV_PREFIX",
    "CohortSection",
    "DriftSection",
    "EventsSection",
    "FeaturesSection",
    "InputSection",
    "JobOfTheDaySection",
    "MessagingSection",
    "PlatformSection",
    "PredictionsSection",
    "SandboxSection",
    "ScheduleSection",
    "Settings",
    "SourceSection",
    "SourcesSection",
    "TrainingSection",
    "load_settings",
    "render_init",
    "secret",
]
