"""Tells which users, or jobs, a source of daily exports shows no more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from conversion_platform.lake import quoted
from conversion_platform.marketplace.source_steps import Source


@dataclass(frozen=True)
class Gone:
    """Ids that earlier `dt=` folders have, and the newest one has not.

    Attributes:
        newest: The newest folder; None if folders do not tell who is gone.
        step: The relation with their ids (`_cp_id`), and the first day on which each was not there
            (`_cp_gone`); empty without such folders.
        condition: SQL condition of their rows.
    """

    newest: date | None
    step: str
    condition: str


def gone_ids(source: Source) -> Gone:
    """Return the ids that the newest `dt=` folder of a source has no more.

    Nobody may get a message whom the source shows no more: folders are whole exports unless the
    settings say that they are changes. A row in no `dt=` folder is always shown.

    Args:
        source: The source, whose step `staged` exists.
    """
    newest = source.relation.last_folder
    if newest is None or source.section.folders == "changes":
        return Gone(None, "", "false")
    source.pipeline.file(
        "gone",
        "The ids that the newest `dt=` folder has no more, with the day of the first without them.",
        kept=True,
        key=source.contract.key,
        newest=quoted(newest.isoformat()),
    )
    step = source.pipeline.named("gone")
    return Gone(newest, step, f"{source.contract.key} IN (SELECT _cp_id FROM {step})")
