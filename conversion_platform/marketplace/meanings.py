"""What each contract column means to a person who maps columns, for the file of `init`."""

from __future__ import annotations

from conversion_platform.marketplace.contract import CONTRACTS, EntityName
from conversion_platform.settings import SourceColumn

_OF_ROWS = {
    "updated_at": "time at which the source wrote the row",
    "valid_from": "time from when on the row holds",
}
_PLACES = {"latitude": "degrees north", "longitude": "degrees east"}

MEANINGS: dict[EntityName, dict[str, str]] = {
    "users": {
        "user_id": "id",
        "created_at": "time of joining",
        "left_at": "time of leaving",
        "phone": "number that messages go to",
        "time_zone": "zone such as America/Chicago, for the hours of messages",
        "state": "such as NY or New York, for the hours of messages",
        "postal_code": "ZIP code, which gives the state where `state` is missing",
        "region": "labour market, as in jobs",
        **_PLACES,
        "desired_pay": "pay wanted, in the unit of jobs' `pay`",
        "skills": "list separated by |, in the words of jobs' `category`",
        "shift": "shift wanted, as in jobs",
        "consent_at": "time of the consent to messages, without which none is sent",
        "consent_source": "where it was given, without which none is sent",
        "consent_text": "its wording, without which none is sent",
        **_OF_ROWS,
    },
    "jobs": {
        "job_id": "id",
        "opened_at": "time of opening",
        "closed_at": "time of closing",
        "title": "title, which messages name",
        "employer_id": "id of the employer",
        "category": "kind of work",
        "region": "labour market",
        **_PLACES,
        "pay": "pay",
        "shift": "shift",
        "openings": "number of people to hire",
        **_OF_ROWS,
    },
    "events": {
        "event_id": "id",
        "user_id": "id of the user",
        "job_id": "id of the job",
        "event_type": "what happened; [events] says what each type means",
        "occurred_at": "time at which it happened",
        "recorded_at": "time at which the source learned of it",
        "position": "place in the list that was shown, from 0",
        "channel": "channel in which the job was shown",
    },
}


def columns_to_map() -> dict[str, tuple[SourceColumn, ...]]:
    """Return the contract columns of each source, those that it must have first."""
    found: dict[str, tuple[SourceColumn, ...]] = {}
    for contract in CONTRACTS:
        told = MEANINGS[contract.name]
        columns = [
            SourceColumn(field.name, told[field.name], field.name in contract.required)
            for field in contract.fields
        ]
        found[contract.name] = tuple(sorted(columns, key=lambda one: not one.required))
    return found
