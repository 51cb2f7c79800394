"""Users with their coordinates, which lie in a personal table."""

from __future__ import annotations

from conversion_platform.lake import Session
from conversion_platform.marketplace.tables import USERS, USERS_CONTACTS


def located_users(session: Session) -> str:
    """Return SQL (a parenthesised query) of users with `latitude` and `longitude`."""
    users, contacts = session.lake.select(USERS), session.lake.select(USERS_CONTACTS)
    return (
        "(SELECT users.*, contacts.latitude, contacts.longitude "
        f"FROM {users} AS users LEFT JOIN {contacts} AS contacts USING (user_id))"
    )
