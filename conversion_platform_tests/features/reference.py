"""The features by their definitions, one user, job and day at a time: slow, and easy to check."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable
from datetime import date, timedelta
from functools import cache

from conversion_platform.days import ONE_DAY, DayRange, day_of, day_start
from conversion_platform.settings import Settings
from conversion_platform_tests.features.effects_reference import (
    KILOMETRES,
    RATIOS,
    Key,
    ReferenceEffects,
    Showing,
    band,
)
from conversion_platform_tests.features.world import ZONE, Row, World

IMPRESSION, CLICK, CONVERSION = ("impression", "click", "application")
TEXT = "text"
COUNTED = {"impressions": IMPRESSION, "clicks": CLICK, "conversions": CONVERSION}
EARTH_KM = 6371.0088
SLOTS = tuple(range(1, 16))
Value = float | str | bool | None


class Reference:
    """Everything as of the beginning of one day."""

    def __init__(self, world: World, settings: Settings, day: date) -> None:
        self.day = day
        self.as_of = day_start(day, ZONE)
        self.world = world
        self.shrinkage = settings.features.shrinkage
        self.farthest = settings.features.max_distance_km
        self.users = {row["user_id"]: row for row in world.users}
        self.jobs = {row["job_id"]: row for row in world.jobs}
        late = settings.events.late_days
        self.events = [row for row in world.events if self._is_known(row, late)]
        self.organic = [row for row in self.events if row["channel"] != TEXT]
        self.ago = {row["event_id"]: self._days_ago(row) for row in self.events}
        self.effects = self._effects()

    def _effects(self) -> ReferenceEffects:
        """The effects, from the first event on."""
        effects = ReferenceEffects()
        occurred = [day_of(row["occurred_at"], ZONE) for row in self.world.events]
        for day in DayRange(min([*occurred, self.day]), self.day):
            if day < self.day:
                effects.advance(self._showings(day))
        return effects

    def _showings(self, day: date) -> list[Showing]:
        """What became known on a day: a pair at a time, organic and by message apart."""
        parts: dict[tuple[str, str, bool], list[Row]] = defaultdict(list)
        for row in self.events:
            kind, by_text = row["event_type"], row["channel"] == TEXT
            answered = not by_text or self._was_messaged(row, day)
            if self._known_on(row) == day and kind in (IMPRESSION, CLICK) and answered:
                shown = kind == IMPRESSION and not by_text
                part = row | {"shown": shown, "clicked": kind == CLICK}
                parts[row["user_id"], row["job_id"], by_text].append(part)
        for row in self.world.messages:
            if self._delivered_on(row) == day:
                part = {"shown": True, "clicked": False}
                parts[row["user_id"], row["job_id"], True].append(part)
        return [
            self._showing(user, job, by_text, rows, day)
            for (user, job, by_text), rows in parts.items()
            if user in self.users and job in self.jobs
        ]

    def _known_on(self, row: Row) -> date:
        return day_of(max(row["occurred_at"], row["recorded_at"]), ZONE)

    def _delivered_on(self, row: Row) -> date | None:
        delivered = row["delivered_at"]
        return None if delivered is None else day_of(delivered, ZONE)

    def _was_messaged(self, event: Row, day: date) -> bool:
        """Whether a message about the event's job reached its user within the week before."""
        return any(
            (row["user_id"], row["job_id"]) == (event["user_id"], event["job_id"])
            and (delivered := self._delivered_on(row)) is not None
            and delivered <= day <= delivered + 7 * ONE_DAY
            for row in self.world.messages
        )

    def _showing(self, user: str, job: str, by_text: bool, rows: list[Row], day: date) -> Showing:
        slots = [row["position"] for row in rows if row["shown"] and not by_text]
        known = [slot for slot in slots if slot is not None]
        levels = self._levels(user, job, day)
        levels["slot"] = ("16",) if by_text else band(min(known), SLOTS) if known else None
        if by_text:
            levels |= {"texts": None, "user": None}
        measures = self._measures(user, job)
        units = {name: value for name, value in measures.items() if value is not None}
        shown, clicked = (any(row[name] for row in rows) for name in ("shown", "clicked"))
        return Showing(levels, units, shown, clicked)

    def _measures(self, user_id: str, job_id: str) -> dict[str, float | None]:
        """What the effects that are slopes are multiplied by."""
        user, job = self.users[user_id], self.jobs[job_id]
        ratio, kilometres = self._match(user, job)["pay_ratio"], self._kilometres(user, job)
        assert ratio is None or isinstance(ratio, float)
        far = None if kilometres is None else math.log(1 + min(kilometres, 150)) - 3
        pay = max(-1.5, min(1.5, 3 * math.log(ratio))) if ratio else None
        return {"user_pay": pay, "user_distance": far}

    def _levels(self, user_id: str, job_id: str, day: date) -> dict[str, Key | None]:
        user, job = self.users[user_id], self.jobs[job_id]
        match, category = self._match(user, job), job["category"]
        ratio, kilometres = match["pay_ratio"], self._kilometres(user, job)
        assert ratio is None or isinstance(ratio, float)
        return {
            "all": ("0",),
            "slot": None,
            "texts": (str(min(7, self._texts(user_id, 7, day))),),
            "distance": band(kilometres, KILOMETRES),
            "pay": band(ratio, RATIOS),
            "skill": _flag(match["skill_match"]),
            "shift": _flag(match["shift_match"]),
            "category": _key(category),
            "employer": _key(job["employer_id"]),
            "user_category": None if category is None else (user_id, category),
            "user": (user_id,),
            "job": (job_id,),
            **{
                name: None if measure is None else (user_id,)
                for name, measure in self._measures(user_id, job_id).items()
            },
        }

    def _pair_effects(self, user_id: str, job_id: str) -> dict[str, Value]:
        levels, effects = self._levels(user_id, job_id, self.day), self.effects
        found: dict[str, Value] = {
            "category_effect": effects.effect("user_category", levels["user_category"])
        }
        for factor in ("texts", "distance", "pay", "skill", "shift"):
            known = levels[factor] is not None
            found[f"{factor}_effect"] = effects.effect(factor, levels[factor]) if known else None
        measures = self._measures(user_id, job_id)
        for name, measure in measures.items():
            slope = effects.effect(name, (user_id,))
            found[f"{name}_effect"] = None if measure is None else slope * measure
        found["expected_log_odds"] = sum(
            effects.effect(factor, level) * (measures.get(factor, 1.0) or 0.0)
            for factor, level in levels.items()
        )
        return found

    def _is_known(self, row: Row, late_days: int) -> bool:
        known = max(row["occurred_at"], row["recorded_at"])
        late = day_of(known, ZONE) - day_of(row["occurred_at"], ZONE)
        return bool(known < self.as_of and late <= late_days * ONE_DAY)

    def _ago(self, row: Row) -> int:
        """Days since the event became known; 1 = yesterday."""
        return self.ago[row["event_id"]]

    def _days_ago(self, row: Row) -> int:
        return (self.day - day_of(max(row["occurred_at"], row["recorded_at"]), ZONE)).days

    def count(self, what: str, days: int, whose: Callable[[Row], bool]) -> int:
        return sum(
            row["event_type"] == COUNTED[what] and self._ago(row) <= days and whose(row)
            for row in self.organic
        )

    def _by_text(self, level: str, whose: Callable[[Row], bool]) -> dict[str, Value]:
        return {
            f"{level}_text_{what}_28d": sum(
                row["event_type"] == COUNTED[what]
                and row["channel"] == TEXT
                and self._ago(row) <= 28
                and whose(row)
                for row in self.events
            )
            for what in ("clicks", "conversions")
        }

    def _texts(self, user_id: str, days: int, before: date) -> int:
        """Messages delivered to the user within some days before a day."""
        delivered = [
            row["delivered_at"]
            for row in self.world.messages
            if row["user_id"] == user_id and row["delivered_at"] is not None
        ]
        first, end = day_start(before - days * ONE_DAY, ZONE), day_start(before, ZONE)
        return sum(first <= moment < end for moment in delivered)

    def _days_since(self, kind: str | None, whose: Callable[[Row], bool]) -> float | None:
        ago = [
            self._ago(row)
            for row in self.organic
            if whose(row) and (kind is None or row["event_type"] == kind)
        ]
        return float(min(ago)) if ago and min(ago) <= 90 else None

    @cache  # noqa: B019
    def _global(self, what: str, days: int = 28) -> float | None:
        shown = self.count("impressions", days, lambda _: True)
        return self.count(what, days, lambda _: True) / shown if shown else None

    def rate(self, what: str, days: int, whose: Callable[[Row], bool]) -> float | None:
        prior = self._global(what)
        return self._shrunk(what, days, whose, prior)

    def _shrunk(
        self, what: str, days: int, whose: Callable[[Row], bool], prior: float | None
    ) -> float | None:
        if prior is None:
            return None
        hits, shown = self.count(what, days, whose), self.count("impressions", days, whose)
        return (hits + self.shrinkage * prior) / (shown + self.shrinkage)

    def _age(self, moment: object) -> float | None:
        if moment is None or moment >= self.as_of:  # type: ignore[operator]
            return None
        return (self.as_of - moment) / timedelta(days=1)  # type: ignore[operator, return-value]

    def _activity(
        self, level: str, spans: dict[str, tuple[int, ...]], whose: Callable[[Row], bool]
    ) -> dict[str, Value]:
        found: dict[str, Value] = {
            f"{level}_{what}_{days}d": self.count(what, days, whose)
            for what, listed in spans.items()
            for days in listed
        }
        for kind, name in ((None, "event"), (CLICK, "click"), (CONVERSION, "conversion")):
            found[f"{level}_days_since_{name}"] = self._days_since(kind, whose)
        return found

    def _rates(
        self, level: str, spans: tuple[int, ...], whose: Callable[[Row], bool]
    ) -> dict[str, Value]:
        return {
            f"{level}_{name}_rate_{days}d": self.rate(what, days, whose)
            for name, what in (("click", "clicks"), ("conversion", "conversions"))
            for days in spans
        }

    def user_ids(self) -> list[str]:
        return sorted(
            user["user_id"]
            for user in self.world.users
            if user["created_at"] < self.as_of
            and (user["left_at"] is None or user["left_at"] > self.as_of)
        )

    @cache  # noqa: B019 - a reference lives as long as its test
    def user(self, user_id: str) -> dict[str, Value]:
        row = self.users[user_id]
        short, long = (1, 7, 28), (1, 7, 28, 90)

        def whose(event: Row) -> bool:
            return bool(event["user_id"] == user_id)

        return {
            **self._activity(
                "user", {"impressions": short, "clicks": long, "conversions": long}, whose
            ),
            **self._by_text("user", whose),
            **{f"user_texts_{days}d": self._texts(user_id, days, self.day) for days in (7, 28)},
            **self._rates("user", long, whose),
            "user_tenure_days": self._age(row["created_at"]),
            "user_clicked_pay_90d": self._clicked_pay(user_id),
            "user_effect": self._known_effect("user", (user_id,)),
            "user_pay_slope": self._known_effect("user_pay", (user_id,)),
            "user_distance_slope": self._known_effect("user_distance", (user_id,)),
            "user_desired_pay": row["desired_pay"],
            "user_region": row["region"],
            "user_shift": row["shift"],
            "user_experience": row["experience"],
            "user_has_car": row["has_car"],
            "user_last_login": self._age(row["last_login"]),
            "user_language": row["language"],
        }

    def _known_effect(self, factor: str, level: Key | None) -> float | None:
        return None if level is None else self.effects.effects[factor].get(level)

    def _clicked_pay(self, user_id: str) -> float | None:
        pays = [
            self.jobs[row["job_id"]]["pay"]
            for row in self.organic
            if row["user_id"] == user_id and row["event_type"] == CLICK and self._ago(row) <= 90
        ]
        known = [pay for pay in pays if pay is not None]
        return sum(known) / len(known) if known else None

    def job_ids(self) -> list[str]:
        return sorted(
            job["job_id"]
            for job in self.world.jobs
            if job["opened_at"] < day_start(self.day + ONE_DAY, ZONE)
            and (job["closed_at"] is None or job["closed_at"] >= self.as_of - timedelta(days=60))
        )

    def is_open(self, job: Row) -> bool:
        closed = job["closed_at"]
        return bool(job["opened_at"] <= self.as_of and (closed is None or closed > self.as_of))

    @cache  # noqa: B019
    def job(self, job_id: str) -> dict[str, Value]:
        row = self.jobs[job_id]
        short = (1, 7, 28)

        def whose(event: Row) -> bool:
            return bool(event["job_id"] == job_id)

        return {
            "open_at_start": self.is_open(row),
            **self._activity(
                "job", {"impressions": short, "clicks": short, "conversions": short}, whose
            ),
            **self._by_text("job", whose),
            **self._rates("job", short, whose),
            "job_age_days": self._age(row["opened_at"]) or 0.0,
            "job_popularity_rank": self._rank(row) if self.is_open(row) else None,
            **self._group(row, "category", 28),
            **self._group(row, "category", 90),
            **self._group(row, "employer", 28),
            "job_category_action_share_90d": self._share(row["category"], None),
            "job_effect": self._known_effect("job", (job_id,)),
            "job_employer_effect": self._known_effect("employer", _key(row["employer_id"])),
            "job_category_effect": self._known_effect("category", _key(row["category"])),
            "job_pay": row["pay"],
            "job_openings": row["openings"],
            "job_category": row["category"],
            "job_region": row["region"],
            "job_shift": row["shift"],
            "job_remote": row["remote"],
        }

    def _in_group(self, row: Row, group: str) -> Callable[[Row], bool]:
        column = {"category": "category", "employer": "employer_id"}[group]
        return lambda event: self.jobs[event["job_id"]][column] == row[column]

    def _group(self, row: Row, group: str, days: int) -> dict[str, Value]:
        column = {"category": "category", "employer": "employer_id"}[group]
        inside = self._in_group(row, group)
        known = row[column] is not None
        return {
            f"job_{group}_{name}_rate_{days}d": self.rate(what, days, inside) if known else None
            for name, what in (("click", "clicks"), ("conversion", "conversions"))
        }

    def _share(self, category: str | None, user_id: str | None) -> float | None:
        """Share of clicks and conversions that went to the category."""

        def actions(whose: Callable[[Row], bool]) -> int:
            return self.count("clicks", 90, whose) + self.count("conversions", 90, whose)

        def inside(event: Row) -> bool:
            return bool(self.jobs[event["job_id"]]["category"] == category)

        total = actions(lambda _: True)
        if category is None or not total:
            return None
        prior = actions(inside) / total
        if user_id is None:
            return prior
        mine = actions(lambda event: event["user_id"] == user_id and inside(event))
        all_mine = actions(lambda event: event["user_id"] == user_id)
        return (mine + prior) / (all_mine + 1)

    def _rank(self, row: Row) -> float:
        def key(job: Row) -> tuple[float, float]:
            def whose(event: Row) -> bool:
                return bool(event["job_id"] == job["job_id"])

            return (
                self.rate("conversions", 28, whose) or 0.0,
                self.rate("clicks", 28, whose) or 0.0,
            )

        rivals = [
            self.jobs[job_id]
            for job_id in self.job_ids()
            if self.is_open(self.jobs[job_id]) and self.jobs[job_id]["region"] == row["region"]
        ]
        better = sum(key(job) > key(row) for job in rivals)
        return better / (len(rivals) - 1) if len(rivals) > 1 else 0.0

    def pair(self, user_id: str, job_id: str) -> dict[str, Value]:
        user, job = self.users[user_id], self.jobs[job_id]
        return {
            **self._affinity(user_id, job),
            **self._met(user_id, job_id),
            **self._match(user, job),
            "pay_against_clicked": _minus(job["pay"], self._clicked_pay(user_id)),
            "distance_km": self._distance(user, job),
            **self._pair_effects(user_id, job_id),
            "day_of_week": float(self.day.isoweekday()),
        }

    def _affinity(self, user_id: str, job: Row) -> dict[str, Value]:
        inside = self._in_group(job, "category")
        known = job["category"] is not None

        def whose(event: Row) -> bool:
            return bool(known and event["user_id"] == user_id and inside(event))

        priors = self._group(job, "category", 90)
        found: dict[str, Value] = {
            f"category_{what}_90d": self.count(what, 90, whose) for what in COUNTED
        }
        for name, what in (("click", "clicks"), ("conversion", "conversions")):
            prior = priors[f"job_category_{name}_rate_90d"]
            assert prior is None or isinstance(prior, float)
            for days in (28, 90):
                found[f"category_{name}_rate_{days}d"] = self._shrunk(what, days, whose, prior)
        found["category_action_share_90d"] = self._share(job["category"], user_id)
        return found

    def _met(self, user_id: str, job_id: str) -> dict[str, Value]:
        def whose(event: Row) -> bool:
            return bool(event["user_id"] == user_id and event["job_id"] == job_id)

        return {
            "pair_impressions_7d": self.count("impressions", 7, whose),
            "pair_impressions_28d": self.count("impressions", 28, whose),
            "pair_clicks_28d": self.count("clicks", 28, whose),
            "pair_conversions_28d": self.count("conversions", 28, whose),
        }

    def _match(self, user: Row, job: Row) -> dict[str, Value]:
        wished, offered = user["desired_pay"], job["pay"]
        skills = [skill.strip().lower() for skill in (user["skills"] or "").split("|")]
        known_shift = user["shift"] is not None and (
            job["shift"] is not None or user["shift"].lower() == "any"
        )
        return {
            "pay_difference": _minus(offered, wished),
            "pay_ratio": None if wished is None or offered is None else offered / wished,
            "shift_match": (
                float(user["shift"].lower() in ("any", job["shift"])) if known_shift else None
            ),
            "skill_match": (
                None
                if user["skills"] is None or job["category"] is None
                else float(job["category"] in skills)
            ),
            "same_region": (
                None
                if user["region"] is None or job["region"] is None
                else float(user["region"] == job["region"])
            ),
        }

    def _distance(self, user: Row, job: Row) -> float | None:
        kilometres = self._kilometres(user, job)
        return None if kilometres is None else min(kilometres, self.farthest)

    def _kilometres(self, user: Row, job: Row) -> float | None:
        places = (user["latitude"], user["longitude"], job["latitude"], job["longitude"])
        if None in places:
            return None
        north, east, north_2, east_2 = (math.radians(place) for place in places)
        angle = math.acos(
            math.sin(north) * math.sin(north_2)
            + math.cos(north) * math.cos(north_2) * math.cos(east - east_2)
        )
        return EARTH_KM * angle


def _key(value: str | None) -> Key | None:
    return None if value is None else (value,)


def _flag(value: Value) -> Key | None:
    return None if value is None else (str(int(float(value))),)


def _minus(left: float | None, right: float | None) -> float | None:
    return None if left is None or right is None else left - right
