"""Users with their coordinates, which lie in a personal table."""

from __future__ import annotations

from collections.abc import Callable

from conversion_platform.lake import Session, Table
from conversion_platform.marketplace.tables import USERS, USERS_CONTACTS


def located_users(session: Session, select: Callable[[Table], str] | None = None) -> str:
    """Return SQL (a parenthesised query) of users with `latitude` and `longitude`.

    Args:
        session: Settings, lake and DuckDB connection.
        select: How tables are read, if not whole: the users of some pairs alone, say.
    """
    select = select or session.lake.select
    return (
        "(SELECT users.*, contacts.latitude, contacts.longitude "
        f"FROM {select(USERS)} AS users "
        f"LEFT JOIN {select(USERS_CONTACTS)} AS contacts USING (user_id))"
    )
