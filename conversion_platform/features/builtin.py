"""The features that come with the platform. docs/features.md and the tables are made of this list.

A count or rate "before the day" uses events whose later one of `occurred_at` and `recorded_at`
lies before the day's local midnight. Events by our own messages are counted apart, in the
features named `text`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from conversion_platform.days import counted
from conversion_platform.features.spec import Feature, Kind, Level

USER: Level = "user"
JOB: Level = "job"
PAIR: Level = "pair"

HISTORY_DAYS = 90
"""The longest window. Features need the events of this many days, and no more."""

WINDOWS = (1, 7, 28)
TEXT_DAYS = 28
"""The window of what came through our own messages, and the longer one of texts received."""


@dataclass(frozen=True)
class Builtin(Feature):
    """A feature that comes with the platform, with its type in the feature table."""

    type: str = "FLOAT"

    def plain(self) -> Feature:
        """Without the storage type."""
        return Feature(self.name, self.kind, self.level, self.description)


def _numeric(level: Level, name: str, description: str, type_: str = "FLOAT") -> Builtin:
    return Builtin(name, "numeric", level, description, type_)


def _categorical(level: Level, name: str, description: str) -> Builtin:
    kind: Kind = "categorical"
    return Builtin(name, kind, level, description, "VARCHAR")


def _counts(level: Level, windows: dict[str, tuple[int, ...]]) -> list[Builtin]:
    return [
        _numeric(
            level,
            f"{level}_{what}_{days}d",
            f"{what.capitalize()} of the {level} within {counted(days)} before the day.",
            "INTEGER",
        )
        for what, spans in windows.items()
        for days in spans
    ]


def _rates(level: Level, windows: tuple[int, ...]) -> list[Builtin]:
    return [
        _numeric(
            level,
            f"{level}_{what}_rate_{days}d",
            f"{what.capitalize()}s per impression of the {level} within {counted(days)}, shrunk "
            "towards the rate of all jobs within 28 days.",
        )
        for what in ("click", "conversion")
        for days in windows
    ]


def _recency(level: Level) -> list[Builtin]:
    return [
        _numeric(
            level,
            f"{level}_days_since_{what}",
            f"Days since the {level}'s last {what}; unknown beyond {HISTORY_DAYS}.",
        )
        for what in ("event", "click", "conversion")
    ]


def _effect(level: Level, name: str, what: str) -> Builtin:
    return _numeric(level, name, f"Log-odds of a response that {what} adds to what is expected.")


def _by_text(level: Level) -> list[Builtin]:
    return [
        _numeric(
            level,
            f"{level}_text_{what}_{TEXT_DAYS}d",
            f"{what.capitalize()} of the {level} through our messages within "
            f"{counted(TEXT_DAYS)} before the day.",
            "INTEGER",
        )
        for what in ("clicks", "conversions")
    ]


def _texts_received() -> list[Builtin]:
    return [
        _numeric(
            USER,
            f"user_texts_{days}d",
            f"Messages delivered to the user within {counted(days)} before the day; 0 where "
            "`sent_messages` has none.",
            "INTEGER",
        )
        for days in (7, TEXT_DAYS)
    ]


def _user_features() -> list[Builtin]:
    return [
        *_counts(
            USER,
            {
                "impressions": WINDOWS,
                "clicks": (*WINDOWS, HISTORY_DAYS),
                "conversions": (*WINDOWS, HISTORY_DAYS),
            },
        ),
        *_by_text(USER),
        *_texts_received(),
        *_rates(USER, (*WINDOWS, HISTORY_DAYS)),
        *_recency(USER),
        _numeric(USER, "user_tenure_days", "Days since the user joined."),
        _numeric(USER, "user_clicked_pay_90d", "Mean pay of the jobs clicked within 90 days."),
        _effect(USER, "user_effect", "the user"),
        _numeric(
            USER,
            "user_pay_slope",
            "Log-odds that a third more pay adds for the user, beyond what it adds for others.",
        ),
        _numeric(
            USER,
            "user_distance_slope",
            "Log-odds that 2.7 times the distance adds for the user, beyond others.",
        ),
        _numeric(USER, "user_desired_pay", "Pay that the user asks for."),
        _categorical(USER, "user_region", "Labour market of the user."),
        _categorical(USER, "user_shift", "Shift that the user wants."),
    ]


def _groups() -> list[Builtin]:
    """Rates of the job's category and employer."""
    listed = [("category", 28), ("category", 90), ("employer", 28)]
    return [
        _numeric(
            JOB,
            f"job_{group}_{what}_rate_{days}d",
            f"{what.capitalize()}s per impression of all jobs of the {group} within {days} days, "
            "shrunk towards the rate of all jobs within 28 days.",
        )
        for group, days in listed
        for what in ("click", "conversion")
    ]


def _job_features() -> list[Builtin]:
    return [
        *_counts(JOB, {"impressions": WINDOWS, "clicks": WINDOWS, "conversions": WINDOWS}),
        *_by_text(JOB),
        *_rates(JOB, WINDOWS),
        *_recency(JOB),
        _numeric(JOB, "job_age_days", "Days since the job opened; 0 if it opens during the day."),
        _numeric(
            JOB,
            "job_popularity_rank",
            "Rank among the open jobs of the region by 28-day conversion rate, then click rate: "
            "0 = first, 1 = last; unknown for a job not open when the day begins.",
        ),
        *_groups(),
        _numeric(
            JOB,
            "job_category_action_share_90d",
            "Share of all clicks and conversions within 90 days that went to the job's category.",
        ),
        _effect(JOB, "job_effect", "the job"),
        _effect(JOB, "job_employer_effect", "the job's employer"),
        _effect(JOB, "job_category_effect", "the job's category"),
        _numeric(JOB, "job_pay", "Pay of the job."),
        _numeric(JOB, "job_openings", "How many people are wanted."),
        _categorical(JOB, "job_category", "Kind of work."),
        _categorical(JOB, "job_region", "Labour market of the job."),
        _categorical(JOB, "job_shift", "Shift of the job."),
    ]


def _category_affinity() -> list[Builtin]:
    counts = [
        _numeric(
            PAIR,
            f"category_{what}_90d",
            f"The user's {what} in the job's category within 90 days.",
        )
        for what in ("impressions", "clicks", "conversions")
    ]
    rates = [
        _numeric(
            PAIR,
            f"category_{what}_rate_{days}d",
            f"The user's {what}s per impression in the job's category within {days} days, shrunk "
            "towards the category's rate within 90 days.",
        )
        for what in ("click", "conversion")
        for days in (28, HISTORY_DAYS)
    ]
    share = _numeric(
        PAIR,
        "category_action_share_90d",
        "Share of the user's clicks and conversions within 90 days that went to the job's "
        "category, shrunk by one action towards the share of all users.",
    )
    return [*counts, *rates, share]


def _pair_features() -> list[Builtin]:
    return [
        *_category_affinity(),
        _numeric(PAIR, "pair_impressions_7d", "Times this job was shown to this user in 7 days."),
        _numeric(PAIR, "pair_impressions_28d", "Times this job was shown to this user in 28 days."),
        _numeric(PAIR, "pair_clicks_28d", "Times this user clicked this job in 28 days."),
        _numeric(PAIR, "pair_conversions_28d", "Conversions of this user on this job in 28 days."),
        _numeric(PAIR, "pay_difference", "Pay of the job less the pay that the user asks for."),
        _numeric(PAIR, "pay_ratio", "Pay of the job over the pay that the user asks for."),
        _numeric(
            PAIR,
            "pay_against_clicked",
            "Pay of the job less the mean pay of the jobs that the user clicked within 90 days.",
        ),
        _numeric(PAIR, "shift_match", "1 if the job has the shift that the user wants (or `any`)."),
        _numeric(PAIR, "skill_match", "1 if the job's category is among the user's stated skills."),
        _numeric(PAIR, "same_region", "1 if user and job are in the same region."),
        _numeric(
            PAIR,
            "distance_km",
            "Great-circle kilometres from user to job, at most `features.max_distance_km`.",
        ),
        _effect(PAIR, "category_effect", "the user, in the job's category,"),
        _effect(PAIR, "texts_effect", "the number of messages received within 7 days"),
        _effect(PAIR, "distance_effect", "the distance"),
        _effect(PAIR, "pay_effect", "the pay, over what the user asks for,"),
        _effect(PAIR, "skill_effect", "the match of skill"),
        _effect(PAIR, "shift_effect", "the match of shift"),
        _effect(PAIR, "user_pay_effect", "the pay, for this user more than for others,"),
        _effect(PAIR, "user_distance_effect", "the distance, for this user more than for others,"),
        _numeric(
            PAIR,
            "expected_log_odds",
            "Log-odds of a response to the pair, in a slot of average effect: the sum of all "
            "effects; unknown where impressions are not logged.",
        ),
        _numeric(PAIR, "day_of_week", "Day of the week of the day, 1 = Monday to 7 = Sunday."),
    ]


@cache
def builtin_features() -> tuple[Builtin, ...]:
    """Every feature that comes with the platform: user, then job, then pair level."""
    return (*_user_features(), *_job_features(), *_pair_features())
