"""Tells which rows, and whose, a source of daily exports shows no more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from conversion_platform.lake import quoted
from conversion_platform.marketplace.relation import FOLDER
from conversion_platform.marketplace.source_steps import Source


@dataclass(frozen=True)
class Gone:
    """What earlier `dt=` folders have, and the newest one has not.

    Attributes:
        newest: The newest folder; None if folders do not tell what is gone.
        step: The relation with the ids that are gone (`_cp_id`), and the first day on which each
            was not there (`_cp_gone`); empty without such folders.
        condition: SQL condition of their rows.
        folders: The relation with each folder (`_cp_folder`), and the next one (`_cp_next`).
    """

    newest: date | None
    step: str = ""
    condition: str = "false"
    folders: str = ""


def newest_export(source: Source) -> date | None:
    """Return the newest `dt=` folder, if folders are whole exports: what it lacks is gone.

    No older row may count, neither of who is gone nor of who took a consent back. A row in no `dt=`
    folder is always shown.
    """
    return None if source.of_entities.folders == "changes" else source.relation.last_folder


def gone_ids(source: Source) -> Gone:
    """Return the ids that the newest `dt=` folder of a source has no more.

    Args:
        source: The source, whose step `staged` exists.
    """
    newest, pipeline = newest_export(source), source.pipeline
    if newest is None:
        return Gone(None)
    day = quoted(newest.isoformat())
    pipeline.table(
        "folders",
        "The `dt=` folders, each with the one after it.",
        f"SELECT {FOLDER}, lead({FOLDER}) OVER (ORDER BY {FOLDER}) AS _cp_next FROM (\n"
        f"    SELECT {FOLDER} FROM {pipeline.named('staged')} WHERE {FOLDER} IS NOT NULL\n"
        f"    UNION SELECT DATE {day})",
    )
    pipeline.file(
        "gone",
        "The ids that the newest `dt=` folder has no more, with the day of the first without them.",
        kept=True,
        key=source.contract.key,
        newest=day,
    )
    step = pipeline.named("gone")
    condition = f"{source.contract.key} IN (SELECT _cp_id FROM {step})"
    return Gone(newest, step, condition, pipeline.named("folders"))
