"""Dagster's webserver behind the guards of `guard.py`.

What belongs here: how the guarded webserver is put together and served. Its import takes seconds.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import dagster as dg
import uvicorn
from dagster_webserver.webserver import DagsterWebserver
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse

from conversion_platform.runs.dagster_internals import (
    WorkspaceFileTarget,
    WorkspaceProcessContext,
    WorkspaceRequestContext,
)
from conversion_platform.runs.guard import guards, refused_mutation
from conversion_platform.runs.servers import WORKSPACE

GRACE_SECONDS = 1  # for requests under way when the server is told to stop


class GuardedWebserver(DagsterWebserver[WorkspaceProcessContext, WorkspaceRequestContext]):
    """Dagster's webserver, which refuses foreign hosts and origins, and mutations by GET."""

    def __init__(
        self, process_context: WorkspaceProcessContext, allowed_hosts: Collection[str]
    ) -> None:
        self._allowed_hosts = allowed_hosts
        super().__init__(process_context)

    def build_middleware(self) -> list[Middleware]:
        return [*guards(self._allowed_hosts), *super().build_middleware()]

    async def execute_graphql_request(
        self,
        request: Request,
        query: str,
        variables: dict[str, Any] | None,
        operation_name: str | None,
    ) -> JSONResponse:
        """Run the document that Dagster read out of the request, if it may run."""
        refusal = refused_mutation(request, query)
        if refusal is not None:
            return refusal
        return await super().execute_graphql_request(request, query, variables, operation_name)


def serve(
    listener: socket.socket, allowed_hosts: Collection[str], ready: Callable[[], None]
) -> None:
    """Serve the pages of the instance in DAGSTER_HOME until a signal comes.

    Args:
        listener: Where to listen.
        allowed_hosts: Names besides those of loopback by which browsers reach the pages.
        ready: Called once the code location is loaded.
    """
    with guarded_app(allowed_hosts) as app:
        ready()
        config = uvicorn.Config(
            app, log_level="warning", timeout_graceful_shutdown=GRACE_SECONDS, lifespan="off"
        )
        with suppress(KeyboardInterrupt):  # uvicorn raises the signal again when it is done
            uvicorn.Server(config).run(sockets=[listener])


@contextmanager
def guarded_app(allowed_hosts: Collection[str]) -> Iterator[Starlette]:
    """Yield the guarded pages of the instance in DAGSTER_HOME, with their code server."""
    with (
        dg.DagsterInstance.get() as instance,
        WorkspaceProcessContext(
            instance,
            WorkspaceFileTarget([str(WORKSPACE)]),
            version=dg.__version__,
            code_server_log_level="WARNING",
        ) as context,
    ):
        yield GuardedWebserver(context, allowed_hosts).create_asgi_app()
