"""What Dagster's pages refuse: requests that another web site makes a person's browser send.

The pages have no login, so all who reach them can start a run. A page of another site reaches
them through the browser of a person who works on this machine: by its own address (cross-site
request) or by a name of its own that it points to 127.0.0.1 (DNS rebinding).
"""

from __future__ import annotations

from collections.abc import Collection

from graphql import GraphQLSyntaxError, OperationDefinitionNode, OperationType, parse
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
# A browser asks (CORS preflight) before it sends one of these to another site.
GRAPHQL_TYPES = ("application/json", "application/graphql")
POLICY_VIOLATION = 1008
FOREIGN_ORIGIN = (
    "Refused: this request comes from a page of another site (Origin {origin!r}, Host {host!r}).\n"
    "Behind a proxy: let it pass the browser's Host header on (docs/operations.md).\n"
)
NOT_POSTED = (
    "Refused: a mutation must be sent by POST with Content-Type application/json "
    "(docs/operations.md)."
)


class OwnOrigin:
    """Refuse HTTP requests and web sockets whose Origin is not the host that they are sent to.

    A request without Origin passes: browsers send one with every web socket and every request that
    another site may not make freely, and programs such as curl send none.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope) if scope["type"] in ("http", "websocket") else Headers()
        origins, host = headers.getlist("origin"), headers.get("host", "")
        if all(is_own(origin, host, scope["scheme"]) for origin in origins):
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await WebSocketClose(POLICY_VIOLATION)(scope, receive, send)
        else:
            told = FOREIGN_ORIGIN.format(origin=", ".join(origins), host=host)
            await PlainTextResponse(told, status_code=403)(scope, receive, send)


def is_own(origin: str, host: str, scheme: str) -> bool:
    """Return whether an Origin header names the host that the request is sent to.

    Args:
        origin: The Origin header, as a browser writes it.
        host: The Host header.
        scheme: How the request came. Where a proxy ends TLS and does not say so
            (X-Forwarded-Proto), it is `http` and both schemes pass.
    """
    schemes = ("https",) if scheme in ("https", "wss") else ("http", "https")
    return origin.lower() in [f"{one}://{host.lower()}" for one in schemes]


def guards(allowed_hosts: Collection[str]) -> list[Middleware]:
    """Return the guards of Host and Origin.

    Args:
        allowed_hosts: Names besides those of loopback by which browsers reach the pages.
    """
    names = [*LOOPBACK_NAMES, *allowed_hosts]
    return [
        Middleware(OwnOrigin),
        Middleware(TrustedHostMiddleware, allowed_hosts=names, www_redirect=False),
    ]


def refused_mutation(request: Request, query: str) -> JSONResponse | None:
    """Return the refusal of a mutation that another site's page could send; None if it may run.

    Args:
        request: How the query came.
        query: The GraphQL document. A mutation in it counts, also when another operation of the
            document is asked for.
    """
    if request.method == "POST" and media_type(request) in GRAPHQL_TYPES:
        return None
    if not holds_mutation(query):
        return None
    return JSONResponse({"data": None, "errors": [{"message": NOT_POSTED}]}, status_code=405)


def media_type(request: Request) -> str:
    """Return the media type of a request's body, without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def holds_mutation(query: str) -> bool:
    """Return whether a GraphQL document defines a mutation; one with broken syntax runs nothing."""
    try:
        document = parse(query, no_location=True)
    except GraphQLSyntaxError:
        return False
    return any(
        isinstance(node, OperationDefinitionNode) and node.operation is OperationType.MUTATION
        for node in document.definitions
    )
