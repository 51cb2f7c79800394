"""What commands share: the settings in force, the type of a day, exit codes."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from conversion_platform.settings import Settings

INTERRUPTED = 130
FAILED = 1


class Day(click.ParamType[date]):
    """A calendar day such as 2026-11-23."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a day; write it as 2026-11-23.", param, ctx)


def settings_of(ctx: click.Context) -> Settings:
    """Return the settings that the command was given, after a look for runs that died."""
    from conversion_platform.runs import end_dead_runs_at_start
    from conversion_platform.settings import load_settings

    settings = load_settings(ctx.obj)
    end_dead_runs_at_start(settings)
    return settings
