"""Commands that serve Dagster's pages and run its daemon."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import click

from conversion_platform.cli.context import settings_of

HOST_NAME = re.compile(r"[a-z0-9._-]+|\[[0-9a-f:.]+\]", re.IGNORECASE)


def host_names(
    ctx: click.Context, param: click.Parameter, values: tuple[str, ...]
) -> tuple[str, ...]:
    """Refuse what no Host header can be compared with: addresses, ports, wildcards."""
    for value in values:
        if not HOST_NAME.fullmatch(value):
            raise click.BadParameter(
                f"{value!r} is not the name of a host; write it as pages.example.com, without "
                "https://, port or *.",
                ctx,
                param,
            )
    return values


def address_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say where the pages are reached."""
    options: tuple[Callable[[Any], Any], ...] = (
        click.option(
            "--host",
            metavar="HOST",
            default="127.0.0.1",
            show_default=True,
            help="Interface to listen on. The pages have no login.",
        ),
        click.option(
            "--port",
            type=click.IntRange(0, 65535),
            metavar="PORT",
            default=3000,
            show_default=True,
            help="Port to listen on; 0 for a free one.",
        ),
        click.option(
            "--allow-host",
            "allowed_hosts",
            multiple=True,
            callback=host_names,
            metavar="NAME",
            help="Another name by which browsers reach the pages, through a proxy with a login. "
            "Repeatable.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@address_options
@click.pass_context
def dev(ctx: click.Context, host: str, port: int, allowed_hosts: tuple[str, ...]) -> None:
    """Serve Dagster's pages and run its daemon, guarded against other web sites.

    For the settings and the `DAGSTER_HOME` in force, until Ctrl-C or SIGTERM.
    """
    from conversion_platform.runs import Address, serve_all

    serve_all(settings_of(ctx), Address(host, port, allowed_hosts))


@click.command()
@address_options
@click.pass_context
def pages(ctx: click.Context, host: str, port: int, allowed_hosts: tuple[str, ...]) -> None:
    """Serve Dagster's pages alone, guarded against other web sites: `dev` for a server."""
    from conversion_platform.runs import Address, serve_pages

    serve_pages(settings_of(ctx), Address(host, port, allowed_hosts))


@click.command()
@click.pass_context
def daemon(ctx: click.Context) -> None:
    """Run Dagster's daemon alone, for a server: schedules, sensors and queued runs."""
    from conversion_platform.runs import become_daemon

    become_daemon(settings_of(ctx))
