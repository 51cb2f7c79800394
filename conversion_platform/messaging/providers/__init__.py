"""Providers behind one protocol. There is one: the sandbox, which never leaves this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conversion_platform.messaging.providers.sandbox import Sandbox
    from conversion_platform.settings import Settings

SANDBOX_FILE = "sandbox.sqlite"


def open_provider(settings: Settings) -> Sandbox:
    """Return the provider that the settings name: the sandbox, in a file next to the ledger."""
    from conversion_platform.messaging.providers.sandbox import Sandbox

    return Sandbox(sandbox_path(settings), settings.messaging.sandbox)


def sandbox_path(settings: Settings) -> Path:
    """Where the sandbox keeps what it took: beside the ledger."""
    from conversion_platform.messaging.ledger import ledger_path

    return ledger_path(settings).with_name(SANDBOX_FILE)
