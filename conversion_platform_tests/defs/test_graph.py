"""The graph tells the truth: an asset declares the assets whose files it reads, and no others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest

from conversion_platform.days import DayRange
from conversion_platform.definitions import build_defs
from conversion_platform.defs.lake_asset import asset_name, one_day
from conversion_platform.defs.resources import Platform
from conversion_platform.lake import Session
from conversion_platform.runs.instance import open_instance
from conversion_platform_tests.tiny_platform import LIVED, NEXT, QUIET, edit, settings_in

FEATURES = {"response_effects", "user_features", "job_features", "user_by_category"}
SNAPSHOTS = {"users_history", "jobs_history"}
MESSAGES = {"sent_messages", "message_states", "replies"}
LEDGER = {"sent_messages"}  # sending fills the ledger, which lies outside the lake
ORDER = {"model_evaluation", "model_explanations"}
"""Made before the champion is named, or a training killed midway leaves one without them."""
READ: dict[str, set[str]] = defaultdict(set)


class RecordingPlatform(Platform):
    """The platform that notes which keys of the lake each step reads."""

    @contextmanager
    def session(self, writes_lake: bool = True) -> Iterator[Session]:
        step = dg.OpExecutionContext.get().op_handle.name
        with super().session(writes_lake) as session:
            lake = session.lake
            read = lake.storage.read

            def noted(key: str) -> bytes:
                READ[step].add(key)
                return read(key)

            lake.storage.read = noted  # type: ignore[method-assign]
            yield session
            root = f"{lake.storage.root}/"
            READ[step] |= {location.removeprefix(root) for location in lake.handed_out}


@pytest.fixture(scope="module")
def copy(lived: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    import shutil

    return Path(shutil.copytree(lived, tmp_path_factory.mktemp("graph") / "platform"))


@pytest.fixture(scope="module")
def graph(copy: Path) -> dg.BaseAssetGraph:  # type: ignore[type-arg]
    """Run a day and a training with the recording platform; return the graph."""
    for job, day in (("train", LIVED), ("daily", NEXT)):
        if job == "daily":  # a training with other settings would make another candidate
            edit(copy, "[schedule]", "[features]\nreplayed_texts = true\n[schedule]")
        settings = settings_in(copy)
        defs = build_defs(settings, RecordingPlatform(settings_file=str(settings.file)))
        with open_instance(settings) as instance:
            assert (
                defs.resolve_job_def(job)
                .execute_in_process(
                    run_config=QUIET, instance=instance, partition_key=one_day(DayRange.of(day))
                )
                .success
            )
    return defs.resolve_asset_graph()


# What a champion knows leads back to its sources: attributes keep their kinds, and an export must
# show most of what was captured before. As dependencies these would be cycles.
LEADS_BACK = {key: {"champion_model", "attributes", f"{key}_history"} for key in ("users", "jobs")}
# Features of a day count the messages of the days before it.
LEADS_BACK["features"] = {"sent_messages"}


def written_by(key: str, assets: set[str]) -> set[str]:
    """Return the assets of which one writes a key of the lake; none where it is no asset's."""
    table = key.removeprefix("personal/").partition("/")[0]
    if asset_name(table) in assets:
        return {asset_name(table)}
    if key.startswith("models/champion"):
        return {"champion_model"}
    if key.startswith("models/candidate"):
        return {"candidate_model"}
    if key.startswith("models/evaluations"):
        return {"model_evaluation", "champion_model"}
    # A version's files: made by the candidate, and the champion's once the pointer names them.
    return {"candidate_model", "champion_model"} if table == "models" else set()


def upstream(graph: dg.BaseAssetGraph, step: str) -> tuple[set[str], set[str]]:  # type: ignore[type-arg]
    """Return the assets that a step makes, and those outside that they declare."""
    steps = {"features": FEATURES, "messages": MESSAGES, "snapshots": SNAPSHOTS}
    own = steps.get(step, {step})
    declared = {
        parent.to_user_string()
        for name in own
        for parent in graph.get(dg.AssetKey(name)).parent_keys
    }
    return own, declared - own


def test_every_asset_declares_what_it_reads_and_nothing_else(
    graph: dg.BaseAssetGraph,  # type: ignore[type-arg]
) -> None:
    assets = {key.to_user_string() for key in graph.get_all_asset_keys()}
    checks = {f"{key.asset_key.to_user_string()}_{key.name}" for key in graph.asset_check_keys}
    seen = set()
    for step, keys in READ.items():
        if step in checks:
            continue
        own, declared = upstream(graph, step)
        seen |= own
        read = [owners for key in keys if (owners := written_by(key, assets)) and not owners & own]
        for owners in read:
            if step in LEADS_BACK and owners & LEADS_BACK[step]:
                continue
            assert owners & declared, f"{step} reads {owners} and declares {declared}"
        unread = declared - set().union(*read)
        allowed = ORDER if step == "champion_model" else LEDGER
        assert not unread - allowed, f"{step} declares {unread} and does not read it"
    assert seen == assets
    assert any(key.startswith("sent_messages/") for key in READ["features"])


def test_checks_read_the_files_of_their_own_asset(graph: dg.BaseAssetGraph) -> None:  # type: ignore[type-arg]
    for key in graph.asset_check_keys:
        asset = key.asset_key.to_user_string()
        if read := READ[f"{asset}_{key.name}"]:
            tables = {one.removeprefix("personal/").partition("/")[0] for one in read}
            assert asset in map(asset_name, tables)
