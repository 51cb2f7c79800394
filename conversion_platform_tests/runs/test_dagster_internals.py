"""The contract with Dagster: what we take from its insides is still there, and still means it."""

from __future__ import annotations

import importlib.metadata
import inspect
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import dagster as dg
import pytest
from dagster_webserver.webserver import DagsterWebserver

from conversion_platform.runs import dagster_internals as internals
from conversion_platform.runs.servers import WORKSPACE

CHANGED = "Dagster has changed {what}: look at {where}, then at this test."


def parameters(function: Callable[..., Any]) -> list[str]:
    return list(inspect.signature(function).parameters)


def test_dagster_is_the_version_that_this_was_written_for() -> None:
    found = importlib.metadata.version("dagster")
    told = CHANGED.format(what="its version", where="every use of runs/dagster_internals.py")
    assert found.startswith("1.13."), told


def test_a_workspace_is_still_made_from_an_instance_and_files() -> None:
    told = CHANGED.format(what="how a workspace is made", where="guarded_app of runs/webserver.py")
    wanted = {"instance", "workspace_load_target", "version", "code_server_log_level"}
    assert wanted <= set(parameters(internals.WorkspaceProcessContext)), told
    assert internals.WorkspaceFileTarget(["file"]).paths == ["file"], told


def test_a_run_in_this_process_is_still_created_by_the_instance_and_can_name_its_code() -> None:
    told = CHANGED.format(
        what="how a run is created", where="shown_on_pages of runs/dagster_internals.py"
    )
    created = parameters(dg.DagsterInstance.create_run_for_job)
    assert "remote_job_origin" in created, told

    @dg.op
    def nothing() -> None:
        pass

    @dg.job
    def job() -> None:
        nothing()

    with dg.DagsterInstance.ephemeral() as instance:
        with internals.shown_on_pages(instance, WORKSPACE, "job"):
            ran = job.execute_in_process(instance=instance)
        run = instance.get_run_by_id(ran.run_id)
        assert run, told
        assert run.remote_job_origin, told
        assert run.remote_job_origin.location_name == "conversion_platform", told
        later = instance.get_run_by_id(job.execute_in_process(instance=instance).run_id)
        assert later, told
        assert later.remote_job_origin is None


def test_the_daemon_is_still_a_module_to_run() -> None:
    told = CHANGED.format(what="where its daemon is", where="daemon_command of runs/servers.py")
    assert find_spec(f"{internals.DAEMON_MODULE}.__main__"), told


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("build_middleware", ["self"]),
        (
            "execute_graphql_request",
            ["self", "request", "query", "variables", "operation_name"],
        ),
    ],
)
def test_what_the_guard_overrides_is_still_there(name: str, wanted: list[str]) -> None:
    told = CHANGED.format(
        what=f"DagsterWebserver.{name}", where="GuardedWebserver of runs/webserver.py"
    )
    assert parameters(getattr(DagsterWebserver, name, lambda: None)) == wanted, told


def test_every_query_still_passes_what_the_guard_overrides() -> None:
    told = CHANGED.format(what="how it runs a query", where="GuardedWebserver of runs/webserver.py")
    assert inspect.iscoroutinefunction(DagsterWebserver.execute_graphql_request), told
    assert "self.execute_graphql_request(" in inspect.getsource(
        DagsterWebserver.graphql_http_endpoint
    ), told
    assert "self.build_middleware()" in inspect.getsource(DagsterWebserver.create_asgi_app), told
