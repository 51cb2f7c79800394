"""Refuses an export of users or jobs that was cut off: most of those who were captured are gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conversion_platform.errors import SourceError
from conversion_platform.marketplace.history.reading import as_of
from conversion_platform.marketplace.history.tables import history_of

if TYPE_CHECKING:
    from conversion_platform.lake import Lake
    from conversion_platform.marketplace.entities import Entities

_FEW = 20  # so many users or jobs may go at once whatever their share


def require_whole(checked: Entities, lake: Lake) -> None:
    """Make sure that a source still shows most of the users, or jobs, of the newest snapshot.

    Whatever day runs: the source shows what is so now. Who left before that snapshot was captured
    is not missed.

    Args:
        checked: What was read of the source.
        lake: The lake with the snapshots; without one everything is new.

    Raises:
        SourceError: a larger share is gone than `sources.*.max_gone_share`.
    """
    source, contract = checked.source, checked.source.contract
    table, key = history_of(contract.table).table, contract.key
    newest = max(lake.days(table), default=None)
    if newest is None:
        return
    missing = f"{key} NOT IN {checked.shown}"
    query = f"SELECT count(*), count(*) FILTER ({missing}) FROM {as_of(lake, table, newest)}"
    with lake.readable_errors():
        rows, gone = source.pipeline.con.execute(query).fetchall()[0]
    most = source.of_entities.max_gone_share
    if gone <= _FEW or gone <= most * rows:
        return
    name, setting = contract.name, f"{contract.setting}.max_gone_share"
    variable = f"CONVERSION_PLATFORM__SOURCES__{name.upper()}__MAX_GONE_SHARE"
    raise SourceError(
        f"{contract.setting}: {gone:,} of the {rows:,} {name} of {newest} are gone, more than "
        f"{setting} = {most:g}: is the export whole? Nothing was replaced.",
        f"Export {name} again, and run again. If they are right, set {setting} = 1 for the next "
        f"day that is captured: let that run have {variable}=1.",
    )
