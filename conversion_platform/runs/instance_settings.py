"""Dagster's settings for an installation: what we write, and what an earlier file lacks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from conversion_platform.errors import SettingsError
from conversion_platform.terminal import console

CONFIG_FILE = "dagster.yaml"

INSTANCE_SETTINGS = """\
# Dagster's own settings for this installation (docs/operations.md).
telemetry:
  enabled: false
nux:
  enabled: false
concurrency:
  runs:
    max_concurrent_runs: 3
    tag_concurrency_limits:
      - key: conversion_platform/only_send
        limit: 1
  pools:
    granularity: run
    default_limit: 1 # of the pool `lake`: a lake has one writer; sending goes on beside it
run_retries:
  enabled: true
  max_retries: 0 # a run that fails by itself is not tried again; one whose process died is
run_monitoring:
  enabled: true
  poll_interval_seconds: 30
  free_slots_after_run_end_seconds: 30
"""

EARLIER_SETTINGS = (
    """\
# Dagster's own settings for this installation (docs/operations.md).
telemetry:
  enabled: false
nux:
  enabled: false
concurrency:
  runs:
    max_concurrent_runs: 1 # a lake has one writer
run_monitoring:
  enabled: true
""",
)
"""What earlier releases wrote; a file that nobody has changed since is replaced."""

NEEDED: dict[tuple[str, ...], Any] = {
    ("concurrency", "pools", "granularity"): "run",
    ("concurrency", "pools", "default_limit"): 1,
    ("run_retries", "enabled"): True,
    ("run_monitoring", "enabled"): True,
    ("run_monitoring", "free_slots_after_run_end_seconds"): 30,
}


def read_settings(home: Path) -> dict[str, Any]:
    """Return what dagster.yaml says.

    Raises:
        SettingsError: it is not YAML, or holds something else than settings.
    """
    file = home / CONFIG_FILE
    try:
        found = yaml.safe_load(file.read_text("utf-8")) or {}
    except yaml.YAMLError as error:
        raise SettingsError(f"{file} is not valid YAML: {error}.", "Correct that line.") from error
    if not isinstance(found, dict):
        raise SettingsError(f"{file} holds no settings.", "Write `key: value` lines into it.")
    return found


def write_settings(home: Path) -> None:
    """Write dagster.yaml if there is none, or if an earlier release wrote the one that is there.

    Where somebody has changed it, say what it lacks.
    """
    file = home / CONFIG_FILE
    if not file.exists() or _is_of_earlier_release(file):
        file.write_text(INSTANCE_SETTINGS, "utf-8")
        return
    for said in renewed_settings(home):
        console(stderr=True).print(said, soft_wrap=True)


def renewed_settings(home: Path) -> list[str]:
    """Bring dagster.yaml up to this release where nobody has changed it.

    Returns:
        What was done, or is left to a person; nothing if there is no such file or it lacks nothing.
    """
    file = home / CONFIG_FILE
    if not file.exists():
        return []
    if _is_of_earlier_release(file):
        file.write_text(INSTANCE_SETTINGS, "utf-8")
        return [f"{file} was as an earlier release wrote it, and is as this one writes it now."]
    lacking = lacking_settings(read_settings(home))
    if not lacking:
        return []
    return [
        f"{file} lacks settings that this release needs for runs that die and for sending "
        f"beside a training (docs/operations.md): set {', '.join(lacking)}."
    ]


def _is_of_earlier_release(file: Path) -> bool:
    return file.read_text("utf-8") in EARLIER_SETTINGS


def lacking_settings(settings: Any) -> list[str]:
    """Return what has to be set, each as a dotted name with its value."""
    return [
        f"{'.'.join(path)}: {str(value).lower()}"
        for path, value in NEEDED.items()
        if not _is_set(settings, path, value)
    ]


def _is_set(settings: Any, path: tuple[str, ...], value: Any) -> bool:
    *above, name = path
    for one in above:
        settings = settings.get(one) or {}
    found = settings.get(name)
    return bool(found == value if isinstance(value, str | bool) else found)
