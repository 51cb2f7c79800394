"""What is checked before a run: mistakes in the settings that only a late stage would find."""

from __future__ import annotations

from conversion_platform.lake import Session


def check_before_run(session: Session, just_loaded: bool = False) -> None:
    """Check every cohort: its template, and its predicate over the columns that there will be.

    Args:
        session: Settings, lake and DuckDB connection.
        just_loaded: Whether its users and jobs were loaded a moment ago.

    Raises:
        SettingsError: naming the cohort and what is wrong.
        SourceError: a predicate uses columns of the sources, and they cannot be read.
    """
    from conversion_platform.applications.job_of_the_day import check_cohorts
    from conversion_platform.messaging import check_templates

    check_templates(session.settings)
    check_cohorts(session, just_loaded)
