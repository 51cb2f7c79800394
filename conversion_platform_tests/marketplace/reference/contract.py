"""The contract columns and their kinds, in the order in which docs/sources.md lists them."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from math import inf

ANY = (-inf, inf)
NOT_NEGATIVE = (0, inf)
PLACE = {"latitude": (-90.0, 90.0), "longitude": (-180.0, 180.0)}

USERS = {
    "user_id": "id",
    "created_at": "time",
    "left_at": "end",
    "phone": "text",
    "time_zone": "zone",
    "state": "words",
    "postal_code": "text",
    "region": "text",
    "latitude": "number",
    "longitude": "number",
    "desired_pay": "number",
    "skills": "text",
    "shift": "text",
    "consent_at": "time",
    "consent_source": "text",
    "consent_text": "words",
    "updated_at": "time",
    "valid_from": "end",
}
JOBS = {
    "job_id": "id",
    "opened_at": "time",
    "closed_at": "end",
    "title": "words",
    "employer_id": "id",
    "category": "text",
    "region": "text",
    "latitude": "number",
    "longitude": "number",
    "pay": "number",
    "shift": "text",
    "openings": "integer",
    "updated_at": "time",
    "valid_from": "end",
}
EVENTS = {
    "event_id": "id",
    "user_id": "id",
    "job_id": "id",
    "event_type": "words",
    "occurred_at": "time",
    "recorded_at": "time",
    "position": "integer",
    "channel": "text",
}
KINDS = {"users": USERS, "jobs": JOBS, "events": EVENTS}
REQUIRED = {
    "users": {"user_id": "missing_id"},
    "jobs": {"job_id": "missing_id"},
    "events": {
        "user_id": "missing_id",
        "job_id": "missing_id",
        "event_type": "missing_event_type",
        "occurred_at": "missing_time",
    },
}
BOUNDS: dict[str, tuple[float, float]] = {
    "consent_at": (datetime(1992, 12, 3, tzinfo=UTC).timestamp(), math.inf),
    **PLACE,
    "desired_pay": NOT_NEGATIVE,
    "pay": NOT_NEGATIVE,
    "openings": NOT_NEGATIVE,
    "position": (0, 2**31 - 1),
}
ENDS = {"users": ("created_at", "left_at"), "jobs": ("opened_at", "closed_at")}
