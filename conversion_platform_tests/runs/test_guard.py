"""The rules of the guard, one by one; test_pages.py attacks the real server."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from conversion_platform.runs.guard import guards, holds_mutation, is_own


def page(request: Request) -> PlainTextResponse:
    return PlainTextResponse("page")


def answered(*headers: tuple[str, str], allowed: tuple[str, ...] = ()) -> int:
    """Return the status of a page that is asked for with just these headers."""
    app = Starlette(routes=[Route("/", page)], middleware=guards(allowed))
    scope = {
        "type": "http",
        "method": "GET",
        "scheme": "http",
        "path": "/",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers],
    }
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    status: int = sent[0]["status"]
    return status


def status(host: str, origin: str | None = None, *allowed: str) -> int:
    """Return the status of a page that is asked for under a name, with an Origin or none."""
    origins = [] if origin is None else [("origin", origin)]
    return answered(("host", host), *origins, allowed=allowed)


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:3000", "LOCALHOST:3000", "127.0.0.1:3000", "[::1]:3000", "[::1]"],
)
def test_the_names_of_loopback_are_served_with_any_port(host: str) -> None:
    assert status(host) == 200
    assert status(host, f"http://{host}") == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:3000",
        "localhost.evil.example",
        "127.0.0.1.evil.example:3000",
        "evil.example@127.0.0.1",
        "127.0.0.1:3000@evil.example",
        "10.0.0.5:3000",
        "[::2]:3000",
        "[evil.example]",
        "::1",
        "localhost:3000:3000",
        "localhost.",
        "",
    ],
)
def test_another_name_is_refused_though_it_may_lead_here(host: str) -> None:
    assert status(host) == 400
    assert status(host, f"http://{host}") == 400


def test_a_name_that_is_allowed_is_served_and_none_like_it() -> None:
    allowed = "pages.example.com"
    assert status("pages.example.com", "https://pages.example.com", allowed) == 200
    assert status("pages.example.com:8443", "https://pages.example.com:8443", allowed) == 200
    assert status("localhost:3000", None, allowed) == 200
    assert status("evil.pages.example.com", None, allowed) == 400
    assert status("www.pages.example.com", None, allowed) == 400
    assert status("example.com", None, allowed) == 400


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "http://localhost",
        "http://localhost:8000",
        "http://127.0.0.1:3000",
        "http://localhost:3000.evil.example",
        "http://evil.example/localhost:3000",
        "http://user@localhost:3000",
        "ftp://localhost:3000",
        "null",
        "",
    ],
)
def test_a_page_of_another_origin_is_refused(origin: str) -> None:
    assert status("localhost:3000", origin) == 403


def test_one_foreign_origin_among_several_is_refused() -> None:
    own, foreign = ("origin", "http://localhost"), ("origin", "http://evil.example")
    assert answered(("host", "localhost"), own, foreign) == 403
    assert answered(("host", "localhost"), foreign, own) == 403


def test_a_request_without_a_host_is_refused() -> None:
    assert answered() == 400


def test_a_plain_page_may_not_speak_for_an_encrypted_one() -> None:
    assert is_own("https://pages.example.com", "pages.example.com", "https")
    assert is_own("https://pages.example.com", "pages.example.com", "wss")
    assert not is_own("http://pages.example.com", "pages.example.com", "https")
    # A proxy that ends TLS and does not say so.
    assert is_own("https://pages.example.com", "pages.example.com", "http")


@pytest.mark.parametrize(
    "query",
    [
        "mutation { launchRun }",
        "mutation launch($a: Int) { launchRun(a: $a) }",
        "query harmless { version } mutation launch { launchRun }",
        "mutation launch { launchRun } query harmless { version }",
        "fragment f on Mutation { launchRun } mutation { ...f }",
        "# query { version }\nmutation { launchRun }",
        "\ufeff,,mutation{launchRun}",
        "mutation\t@skip(if: false)\n{ launchRun }",
        "{ version } mutation a { x } mutation b { y }",
    ],
)
def test_a_document_with_a_mutation_anywhere_counts_as_one(query: str) -> None:
    assert holds_mutation(query)


@pytest.mark.parametrize(
    "query",
    [
        "{ version }",
        "query mutation { version }",
        'query { search(text: "mutation { launchRun }") { id } }',
        "{ mutation: version }",
        "# mutation { launchRun }\n{ version }",
        "fragment mutation on Query { version } query { ...mutation }",
        "subscription { runLogs }",
        "mutation {",
        "",
    ],
)
def test_the_word_alone_makes_no_mutation(query: str) -> None:
    assert not holds_mutation(query)
