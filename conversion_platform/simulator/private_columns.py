"""Columns of users that tests and audits need: personal ones, and two protected attributes.

They are hashes of the user's number: no draw of the world depends on them, and they on nothing of
the world but the seed. Phone numbers are of the range that is reserved for fiction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from conversion_platform.simulator.event_arrays import name_array
from conversion_platform.simulator.randomness import Hash, Ints

if TYPE_CHECKING:
    import pyarrow

FIRST_NAMES = (
    *("Ada", "Alan", "Amara", "Ben", "Carla", "Chen", "Dina", "Elif", "Emma", "Farid", "Grace"),
    *("Hugo", "Ines", "Jonas", "Kofi", "Lena", "Mateo", "Nadia", "Omar", "Priya", "Rosa", "Sven"),
)
LAST_NAMES = (
    *("Abbott", "Bianchi", "Castillo", "Dahl", "Eriksen", "Fischer", "Garcia", "Haddad", "Ito"),
    *("Jensen", "Kowalski", "Lindqvist", "Mbeki", "Novak", "Okafor", "Petrov", "Quinn", "Rossi"),
)
GENDERS = ("female", "male", "other")
GENDER_SHARES = (0.49, 0.98)
STREETS = ("Oak Street", "Hill Road", "Main Avenue", "Lake Drive", "Park Lane", "Church Road")
AREAS = ("201", "202", "203", "205", "206", "207", "208", "209", "210", "215", "216", "217")
NOTES = (
    "Asked to be called in the afternoon, number {}",
    "Came with a friend to the open day, badge {}",
    "Prefers to work close to home, file {}",
    "Was late for the first interview, ticket {}",
)
YOUNGEST, OLDEST = 18, 70
BORN_BY = np.datetime64("2008-01-01")


def private_columns(seed: int, users: Ints) -> dict[str, pyarrow.Array]:
    """Return the columns for users by their numbers."""
    import pyarrow as pa

    draw = _Draws(seed, users)
    first, last = draw.of("first name", len(FIRST_NAMES)), draw.of("last name", len(LAST_NAMES))
    days = draw.of("age", (OLDEST - YOUNGEST) * 365)
    names = list(zip(first.tolist(), last.tolist(), users.tolist(), strict=True))
    streets = zip(draw.of("house", 900).tolist(), draw.of("street", 6).tolist(), strict=True)
    notes = zip(draw.of("note", len(NOTES)).tolist(), users.tolist(), strict=True)
    kin = zip(draw.of("area", len(AREAS)).tolist(), draw.of("kin", 100).tolist(), strict=True)
    return {
        "first_name": name_array(first, FIRST_NAMES),
        "last_name": name_array(last, LAST_NAMES),
        "email": pa.array([_mail(*name) for name in names], pa.string()),
        "date_of_birth": pa.array(BORN_BY - days.astype("timedelta64[D]"), pa.date32()),
        "next_of_kin": pa.array([f"+1{AREAS[a]}55501{n:02}" for a, n in kin], pa.string()),
        "home_address": pa.array([f"{n + 1} {STREETS[s]}" for n, s in streets], pa.string()),
        "note": pa.array([NOTES[n].format(user) for n, user in notes], pa.string()),
        "gender": name_array(np.searchsorted(GENDER_SHARES, draw.uniform("gender")), GENDERS),
        "age": pa.array(YOUNGEST + days // 365, pa.int64()),
    }


class _Draws:
    """Numbers that depend on the seed, a name and the user alone."""

    def __init__(self, seed: int, users: Ints) -> None:
        self._seed = seed
        self._users = users

    def uniform(self, name: str) -> np.typing.NDArray[np.float64]:
        return Hash(self._seed, f"private {name}").uniform(self._users)

    def of(self, name: str, choices: int) -> Ints:
        found: Ints = (self.uniform(name) * choices).astype(np.int64)
        return found


def _mail(first: int, last: int, user: int) -> str:
    return f"{FIRST_NAMES[first]}.{LAST_NAMES[last]}.{user}@example.org".lower()
