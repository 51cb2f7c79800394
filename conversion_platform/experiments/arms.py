"""Arms by a stable hash: the same user and salt always give the same arm, in SQL and in Python.

The first 32 bits of md5(salt | user_id) are compared with the holdout share. The hash is md5, not
DuckDB's hash(), which can change with an upgrade of DuckDB.
"""

from __future__ import annotations

import hashlib

from conversion_platform.lake import quoted

TREATMENT = "treatment"
HOLDOUT = "holdout"

_BUCKETS = 2**32


def _threshold(holdout_share: float) -> str:
    """Return the lowest hash of the treatment arm, as nine hex digits (share 1 needs the ninth)."""
    return f"{round(holdout_share * _BUCKETS):09x}"


def arm_of(user_id: str, salt: str, holdout_share: float) -> str:
    """Return the arm of one user.

    Args:
        user_id: The user.
        salt: Selects the holdout: another salt gives another one.
        holdout_share: Share of users held out, 0 to 1.
    """
    digest = hashlib.md5(f"{salt}|{user_id}".encode(), usedforsecurity=False).hexdigest()
    return HOLDOUT if f"0{digest[:8]}" < _threshold(holdout_share) else TREATMENT


def arm_sql(user_id_expr: str, salt: str, holdout_share: float) -> str:
    """Return SQL for the arm, by the same rule as `arm_of`.

    Args:
        user_id_expr: SQL expression for the user's id (VARCHAR).
        salt: Selects the holdout: another salt gives another one.
        holdout_share: Share of users held out, 0 to 1.
    """
    hashed = f"'0' || substr(md5({quoted(salt + '|')} || {user_id_expr}), 1, 8)"
    return (
        f"CASE WHEN {hashed} < '{_threshold(holdout_share)}' "
        f"THEN '{HOLDOUT}' ELSE '{TREATMENT}' END"
    )
