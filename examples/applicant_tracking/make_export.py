"""Writes `export.csv`, as an applicant tracking system exports it: one wide table of activities.

Latin-1, US dates with AM and PM in local time, pay such as `$16.50/hr`, phone numbers such as
`(512) 555-0142`, names with accents, the header again on each page, notes with quotes and line
breaks. The people are simulated, and so is what they do.

    python examples/applicant_tracking/make_export.py [FOLDER]
"""

from __future__ import annotations

import csv
import sys
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb

from conversion_platform.simulator import World, build

ZONE = ZoneInfo("America/New_York")
ROWS_A_PAGE = 2_000
FIRST_NAMES = ("José", "Zoë", "André", "Renée", "Jürgen", "Sofía", "François", "Anna", "Marcus")
LAST_NAMES = ("Núñez", "Müller", "Lefèvre", "O'Brien", "Peña", "Brontë", "Smith", "Sørensen")
NOTES = (
    "",
    'Said "call me after 5", prefers text',
    "Has a car; can start Monday",
    "Two references:\none checked, one open",
    "Très motivée, parle français",
)
ACTIVITIES = {"click": "Viewed Posting", "application": "Applied"}
HEADER = (
    "Candidate ID", "First Name", "Last Name", "E-mail", "Mobile", "Home Address", "ZIP", "State",
    "Candidate Added", "Metro", "Desired Pay", "Skills", "Shift Wanted", "Years Worked", "Gender",
    "SMS Opt-In", "Opt-In Source", "Opt-In Wording", "Job ID", "Job Title", "Client", "Department",
    "Job Metro", "Pay Rate", "Job Shift", "Positions", "Posted", "Filled", "Activity",
    "Activity Date", "Recruiter Notes",
)  # fmt: skip
QUERY = """
    SELECT
        u.user_id, u.phone, u.postal_code, u.state, u.created_at, u.region, u.desired_pay, u.skills,
        u.shift, u.experience_years, u.gender, u.consent_at, u.consent_source, u.consent_text,
        j.job_id, j.title, j.employer_id, j.category, j.region AS job_region, j.pay,
        j.shift AS job_shift, j.openings, j.opened_at, j.closed_at, e.event_type, e.occurred_at
    FROM '{folder}/source/events/*/*.parquet' AS e
    JOIN '{folder}/source/users.parquet' AS u USING (user_id)
    JOIN '{folder}/source/jobs.parquet' AS j USING (job_id)
    WHERE e.event_type IN ('click', 'application')
    ORDER BY e.occurred_at, e.event_id
"""


def main() -> None:
    """Write the export into a folder, the present one if none is given."""
    target = Path(sys.argv[1] if sys.argv[1:] else ".") / "export.csv"
    with tempfile.TemporaryDirectory() as folder:
        build(World.tiny(users=1_500, jobs=400, history_days=75), Path(folder))
        rows = list(_rows(Path(folder)))
    with target.open("w", encoding="latin-1", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        for number, row in enumerate(rows):
            if number % ROWS_A_PAGE == 0:
                writer.writerow(HEADER)
            writer.writerow(row)
    print(f"{len(rows):,} activities in {target}.")


def _rows(folder: Path) -> Iterator[list[str]]:
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        found = con.execute(QUERY.format(folder=folder))
        names = [column[0] for column in found.description or ()]
        for values in found.fetchall():
            yield _row(dict(zip(names, values, strict=True)))


def _row(one: dict[str, object]) -> list[str]:
    number = int(str(one["user_id"]).strip("u"))
    first, last = FIRST_NAMES[number % 9], LAST_NAMES[number // 9 % 8]
    return [
        f"C-{number:05}",
        first,
        last,
        f"{first}.{last}{number}@example.com".lower(),
        _phone(one["phone"]),
        f"{number % 900 + 1} Main Street, Apt {number % 40 + 1}",
        _text(one["postal_code"]),
        _text(one["state"]),
        _time(one["created_at"]),
        _text(one["region"]),
        _pay(one["desired_pay"]),
        _text(one["skills"]),
        _text(one["shift"]),
        _text(one["experience_years"]),
        _text(one["gender"]),
        _time(one["consent_at"]),
        _text(one["consent_source"]),
        _text(one["consent_text"]),
        _text(one["job_id"]),
        _text(one["title"]),
        _text(one["employer_id"]),
        _text(one["category"]),
        _text(one["job_region"]),
        _pay(one["pay"]),
        _text(one["job_shift"]),
        _text(one["openings"]),
        _time(one["opened_at"]),
        _time(one["closed_at"]),
        ACTIVITIES[str(one["event_type"])],
        _time(one["occurred_at"]),
        NOTES[number % 5],
    ]


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _phone(value: object) -> str:
    digits = _text(value).removeprefix("+1")
    return f"({digits[:3]}) {digits[3:6]}-{digits[6:]}" if len(digits) == 10 else digits


def _pay(value: object) -> str:
    return f"${float(value):,.2f}/hr" if isinstance(value, int | float) else ""


def _time(value: object) -> str:
    return (
        value.astimezone(ZONE).strftime("%m/%d/%Y %I:%M %p") if isinstance(value, datetime) else ""
    )


if __name__ == "__main__":
    main()
