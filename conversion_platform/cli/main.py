"""The command `conversion-platform`.

Each command parses its words, calls one function, and shows what came out. Imports stand inside
the commands, so that `--help` answers at once.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

import click

from conversion_platform.cli.context import FAILED, INTERRUPTED
from conversion_platform.cli.demo import demo, example, simulate
from conversion_platform.cli.dev import daemon, dev, pages
from conversion_platform.cli.encoding import write_plainly
from conversion_platform.cli.models import explain, models, train
from conversion_platform.cli.new_lake import new_lake
from conversion_platform.cli.run import run
from conversion_platform.cli.send import outbox, replies
from conversion_platform.cli.sources import check_features_command, check_sources_command, init
from conversion_platform.cli.sql import sql
from conversion_platform.cli.status import status
from conversion_platform.cli.upkeep import backup, migrate, prune, restore
from conversion_platform.errors import PlatformError
from conversion_platform.process import STOPPED


class Commands(click.Group):
    """The group of all commands; turns our errors into one clear message and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with ExitStack() as stack:
                stack.push(_hide_values)
                return super().invoke(ctx)
        except PlatformError as error:
            from conversion_platform.cli.render import show_error

            show_error(error)
            sys.exit(FAILED)
        except OSError as error:
            from conversion_platform.cli.render import file_error, show_error

            if (told := file_error(error)) is None:
                raise
            show_error(told)
            sys.exit(FAILED)
        except KeyboardInterrupt:
            click.echo(f"\n{STOPPED}", err=True)
            sys.exit(INTERRUPTED)


def _hide_values(
    _kind: type[BaseException] | None, error: BaseException | None, _at: TracebackType | None
) -> None:
    """Hide values of cells in an error that nothing translates: Python prints it and its causes."""
    ours = (PlatformError, click.ClickException, click.exceptions.Exit, click.Abort)
    if isinstance(error, Exception) and not isinstance(error, ours):
        from conversion_platform.lake import hide_values

        hide_values(error)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Settings file (else CONVERSION_PLATFORM_CONFIG, else ./conversion_platform.toml). "
    "Stands before the command.",
)
@click.version_option(package_name="conversion-platform")
@click.pass_context
def main(ctx: click.Context, config: Path | None) -> None:
    """From a marketplace's tables to the job of the day, every day.

    Exit codes: 0 done; 1 an error, reported on standard error as what is wrong and what to do, or
    a check found something; 2 wrong arguments; 130 stopped by Ctrl-C, 143 by SIGTERM (0 for dev,
    pages and daemon).
    """
    write_plainly()
    ctx.obj = config


for command in (
    init,
    check_sources_command,
    check_features_command,
    run,
    train,
    models,
    explain,
    status,
    sql,
    outbox,
    replies,
    new_lake,
    dev,
    pages,
    daemon,
    migrate,
    prune,
    backup,
    restore,
    demo,
    example,
    simulate,
):
    main.add_command(command)
