"""The same features in pandas, as a careful person would write them.

Only the columns that are needed are read; ids become integer codes at once, so that no text is
grouped or joined by; events are counted by day one time, days are kept in order so that a window
is a slice, and nothing is applied row by row.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from conversion_platform.days import ONE_DAY, DayRange, day_start
from conversion_platform.lake import Lake
from conversion_platform.marketplace.tables import EVENTS, JOBS, USERS, USERS_CONTACTS
from conversion_platform.messaging import SENT_MESSAGES
from conversion_platform.settings import Settings

COUNTS = ["impressions", "clicks", "conversions"]
BY_TEXT = ["text_clicks", "text_conversions"]
WINDOWS = (1, 7, 28, 90)
LATE_DAYS = 2
Frame = pd.DataFrame


class PandasFeatures:
    """Builds user, job, user x category and pair features for a range of days."""

    def __init__(self, lake: Lake, settings: Settings, days: DayRange, out: Path) -> None:
        self.zone = settings.platform.time_zone
        self.shrinkage = settings.features.shrinkage
        self.farthest = settings.features.max_distance_km
        self.days = days
        self.out = out
        self.users = pd.read_parquet(lake.files(USERS)[0]).sort_values("user_id", ignore_index=True)
        contacts = pd.read_parquet(lake.files(USERS_CONTACTS)[0])
        self.places = contacts.sort_values("user_id", ignore_index=True)
        self.jobs = pd.read_parquet(lake.files(JOBS)[0]).sort_values("job_id", ignore_index=True)
        self.jobs["pay_cents"] = (self.jobs["pay"] * 100).round().astype("Int64")
        self.category, self.categories = pd.factorize(self.jobs["category"], sort=True)
        self.employer, _ = pd.factorize(self.jobs["employer_id"], sort=True)
        past = DayRange(days.first - (90 + LATE_DAYS) * ONE_DAY, days.last - ONE_DAY)
        self._count(self._read_events(lake.files(EVENTS, past)))
        texted = DayRange(days.first - 31 * ONE_DAY, days.last - ONE_DAY)
        self.texts = self._read_texts(lake.files(SENT_MESSAGES, texted))
        self.shown = self._read_shown(lake.files(EVENTS, days))

    def _read_events(self, files: list[str]) -> Frame:
        names = ["user_id", "job_id", "event_type", "occurred_at", "recorded_at", "channel"]
        read = pd.read_parquet(files, columns=names, partitioning=None)
        occurred, recorded = read["occurred_at"], read["recorded_at"]
        day = self._local_day(occurred.where(occurred >= recorded, recorded))
        kind, text = read["event_type"], read["channel"] == "text"
        click, conversion = kind == "click", kind == "application"
        events = pd.DataFrame(
            {
                "user": self._user_codes(read["user_id"]),
                "job": self._job_codes(read["job_id"]),
                "day": day,
                "impressions": ((kind == "impression") & ~text).astype("int32"),
                "clicks": (click & ~text).astype("int32"),
                "conversions": (conversion & ~text).astype("int32"),
                "text_clicks": (click & text).astype("int32"),
                "text_conversions": (conversion & text).astype("int32"),
            }
        )
        in_time = day - self._local_day(occurred) <= LATE_DAYS
        return events[in_time].sort_values("day", kind="stable", ignore_index=True)

    def _user_codes(self, ids: pd.Series) -> np.ndarray:
        return pd.Index(self.users["user_id"]).get_indexer(ids).astype("int32")

    def _job_codes(self, ids: pd.Series) -> np.ndarray:
        return pd.Index(self.jobs["job_id"]).get_indexer(ids).astype("int32")

    def _local_day(self, moments: pd.Series) -> pd.Series:
        """Ordinal of the local day of each moment."""
        local = moments.dt.tz_convert(self.zone).dt.tz_localize(None)
        since = local - pd.Timestamp("1970-01-01")
        return (since.dt.days + date(1970, 1, 1).toordinal()).astype("int32")

    def _read_texts(self, files: list[str]) -> Frame:
        names = ["user_id", "delivered_at"]
        read = pd.read_parquet(files, columns=names, partitioning=None).dropna()
        texts = pd.DataFrame(
            {
                "user": self._user_codes(read["user_id"]),
                "day": self._local_day(read["delivered_at"]),
                "texts": 1,
            }
        )
        return texts.sort_values("day", kind="stable", ignore_index=True)

    def _read_shown(self, files: list[str]) -> dict[date, tuple[np.ndarray, np.ndarray]]:
        shown = {}
        for file in files:
            rows = pd.read_parquet(
                file,
                columns=["user_id", "job_id"],
                filters=[("event_type", "==", "impression")],
                partitioning=None,
            )
            day = date.fromisoformat(file.split("dt=")[1][:10])
            shown[day] = (self._user_codes(rows["user_id"]), self._job_codes(rows["job_id"]))
        return shown

    def _count(self, events: Frame) -> None:
        """Counts events by day once; whatever comes later looks at these."""
        pay = self.jobs["pay_cents"].to_numpy("float64", na_value=np.nan)[events["job"].to_numpy()]
        clicked = events["clicks"].to_numpy() == 1
        priced = clicked & ~np.isnan(pay)
        events["priced_clicks"] = priced.astype("int32")
        events["clicked_cents"] = np.where(priced, pay, 0).astype("int64")
        events["category"] = self.category[events["job"].to_numpy()]
        both = [*COUNTS, *BY_TEXT]
        paid = [*both, "priced_clicks", "clicked_cents"]
        self.by_user = events.groupby(["day", "user"])[paid].sum().reset_index()
        self.by_job = events.groupby(["day", "job"])[both].sum().reset_index()
        with_category = events[events["category"] >= 0]
        self.by_category = (
            with_category.groupby(["day", "user", "category"])[COUNTS].sum().reset_index()
        )
        recent = events[events["day"] >= self.days.first.toordinal() - 28]
        self.by_pair = recent.groupby(["day", "user", "job"])[COUNTS].sum().reset_index()

    def run(self) -> None:
        """Writes every table of every day."""
        for day in self.days:
            users, jobs = self._users_of(day), self._jobs_of(day)
            categories = self._categories_of(day)
            pairs = self._pairs_of(day, users, jobs, categories)
            self._write("user_features", day, users)
            self._write("job_features", day, jobs[jobs.pop("_present")])
            joined = self._joined(day)[categories["user"].to_numpy()]
            self._write("user_category_features", day, self._named(categories[joined]))
            self._write("pair_features", day, pairs)

    def _named(self, categories: Frame) -> Frame:
        named = categories.drop(columns=["user", "category"])
        named.insert(0, "user_id", self.users["user_id"].to_numpy()[categories["user"]])
        named.insert(1, "category", np.asarray(self.categories)[categories["category"]])
        return named.sort_values(["user_id", "category"])

    def _write(self, name: str, day: date, frame: Frame) -> None:
        folder = self.out / name
        folder.mkdir(parents=True, exist_ok=True)
        frame.to_parquet(folder / f"{day.isoformat()}.parquet", compression="zstd", index=False)

    def _window(
        self, daily: Frame, key: str | list[str], day: date, span: int, what: list[str]
    ) -> Frame:
        """Sums over the `span` days before `day`, by key."""
        today = day.toordinal()
        start, end = np.searchsorted(daily["day"].to_numpy(), [today - span, today])
        return daily.iloc[start:end].groupby(key)[what].sum()

    def _windows(self, daily: Frame, key: str, day: date, size: int) -> Frame:
        """The windows of every user or job, as columns, with zeros where nothing happened."""
        columns = {}
        for span in WINDOWS:
            counted = self._window(daily, key, day, span, COUNTS).reindex(range(size), fill_value=0)
            columns |= {f"{what}_{span}d": counted[what].to_numpy() for what in COUNTS}
        return pd.DataFrame(columns)

    def _recency(self, daily: Frame, key: str, day: date, size: int, prefix: str) -> Frame:
        today = day.toordinal()
        start, end = np.searchsorted(daily["day"].to_numpy(), [today - 90, today])
        window = daily.iloc[start:end]
        found = {}
        for name, column in (("event", None), ("click", "clicks"), ("conversion", "conversions")):
            happened = window[COUNTS].any(axis=1) if column is None else window[column] > 0
            rows = window[happened]
            last = rows.groupby(key)["day"].max().reindex(range(size))
            found[f"{prefix}_days_since_{name}"] = (today - last).to_numpy("float32")
        return pd.DataFrame(found)

    def _add_texts(self, frame: Frame, daily: Frame, key: str, day: date) -> None:
        """What came through messages within 28 days."""
        counted = self._window(daily, key, day, 28, BY_TEXT).reindex(range(len(frame)))
        for what in BY_TEXT:
            frame[f"{key}_{what}_28d"] = counted[what].fillna(0).to_numpy("int32")

    def _rate(self, hits: Any, shown: Any, prior: float) -> Any:
        rate = (hits + self.shrinkage * prior) / (shown + self.shrinkage)
        return np.asarray(rate, dtype="float32")

    def _priors(self, day: date) -> tuple[float, float]:
        total = self._window(self.by_job, "job", day, 28, COUNTS).sum()
        shown = total["impressions"]
        return total["clicks"] / shown, total["conversions"] / shown

    def _age(self, day: date, moments: pd.Series) -> np.ndarray:
        as_of = pd.Timestamp(day_start(day, self.zone))
        return ((as_of - moments) / timedelta(days=1)).to_numpy("float32")

    def _joined(self, day: date) -> np.ndarray:
        as_of = pd.Timestamp(day_start(day, self.zone))
        left = self.users["left_at"]
        return ((self.users["created_at"] < as_of) & (left.isna() | (left > as_of))).to_numpy()

    def _users_of(self, day: date) -> Frame:
        size = len(self.users)
        counts = self._windows(self.by_user, "user", day, size)
        click, conversion = self._priors(day)
        frame = pd.DataFrame({"user_id": self.users["user_id"]})
        for what, spans in (
            ("impressions", WINDOWS[:3]),
            ("clicks", WINDOWS),
            ("conversions", WINDOWS),
        ):
            for span in spans:
                frame[f"user_{what}_{span}d"] = counts[f"{what}_{span}d"].astype("int32")
        for name, what, prior in (
            ("click", "clicks", click),
            ("conversion", "conversions", conversion),
        ):
            for span in WINDOWS:
                frame[f"user_{name}_rate_{span}d"] = self._rate(
                    counts[f"{what}_{span}d"], counts[f"impressions_{span}d"], prior
                )
        self._add_texts(frame, self.by_user, "user", day)
        for span in (7, 28):
            texts = self._window(self.texts, "user", day, span, ["texts"])["texts"]
            frame[f"user_texts_{span}d"] = texts.reindex(range(size), fill_value=0).to_numpy()
        frame = frame.join(self._recency(self.by_user, "user", day, size, "user"))
        frame["user_tenure_days"] = self._age(day, self.users["created_at"])
        paid = self._window(self.by_user, "user", day, 90, ["priced_clicks", "clicked_cents"])
        paid = paid[paid["priced_clicks"] > 0]
        mean = (paid["clicked_cents"] / paid["priced_clicks"] / 100).reindex(range(size))
        frame["user_clicked_pay_90d"] = mean.to_numpy("float32")
        frame["user_desired_pay"] = self.users["desired_pay"].astype("float32")
        frame["user_region"] = self.users["region"]
        frame["user_shift"] = self.users["shift"]
        frame["user_experience_years"] = self.users["experience_years"].astype("float32")
        return frame[self._joined(day)]

    def _grouped(
        self, counts: Frame, group: np.ndarray, span: int, priors: Any
    ) -> list[np.ndarray]:
        columns = [f"{what}_{span}d" for what in COUNTS]
        sums = counts[columns].groupby(group).transform("sum")
        shown, clicks, conversions = (sums[column] for column in columns)
        return [self._rate(clicks, shown, priors[0]), self._rate(conversions, shown, priors[1])]

    def _jobs_of(self, day: date) -> Frame:
        size = len(self.jobs)
        as_of = pd.Timestamp(day_start(day, self.zone))
        counts = self._windows(self.by_job, "job", day, size)
        priors = self._priors(day)
        opened, closed = self.jobs["opened_at"], self.jobs["closed_at"]
        is_open = (opened <= as_of) & (closed.isna() | (closed > as_of))
        frame = pd.DataFrame({"job_id": self.jobs["job_id"], "open_at_start": is_open})
        for what in COUNTS:
            for span in WINDOWS[:3]:
                frame[f"job_{what}_{span}d"] = counts[f"{what}_{span}d"].astype("int32")
        for name, what, prior in zip(("click", "conversion"), COUNTS[1:], priors, strict=True):
            for span in WINDOWS[:3]:
                frame[f"job_{name}_rate_{span}d"] = self._rate(
                    counts[f"{what}_{span}d"], counts[f"impressions_{span}d"], prior
                )
        self._add_texts(frame, self.by_job, "job", day)
        frame = frame.join(self._recency(self.by_job, "job", day, size, "job"))
        frame["job_age_days"] = np.maximum(self._age(day, opened), 0)
        frame["job_popularity_rank"] = self._rank(frame, is_open)
        self._add_groups(frame, counts, priors)
        frame["job_pay"] = self.jobs["pay"].astype("float32")
        frame["job_openings"] = self.jobs["openings"].astype("float32")
        for name in ("category", "region", "shift"):
            frame[f"job_{name}"] = self.jobs[name]
        frame["job_remote"] = self.jobs["remote"].astype("float32")
        tomorrow = pd.Timestamp(day_start(day + ONE_DAY, self.zone))
        kept = closed.isna() | (closed >= as_of - timedelta(days=60))
        frame["_present"] = ((opened < tomorrow) & kept).to_numpy()
        return frame

    def _add_groups(self, frame: Frame, counts: Frame, priors: tuple[float, float]) -> None:
        for label, group, span in (
            ("category", self.category, 28),
            ("category", self.category, 90),
            ("employer", self.employer, 28),
        ):
            click, conversion = self._grouped(counts, group, span, priors)
            frame[f"job_{label}_click_rate_{span}d"] = click
            frame[f"job_{label}_conversion_rate_{span}d"] = conversion
        actions = counts["clicks_90d"] + counts["conversions_90d"]
        share = actions.groupby(self.category).transform("sum") / actions.sum()
        frame["job_category_action_share_90d"] = share.astype("float32")

    def _rank(self, frame: Frame, is_open: pd.Series) -> np.ndarray:
        """Per cent rank by conversion rate and then click rate, among the region's open jobs."""
        candidates = frame.loc[is_open, ["job_conversion_rate_28d", "job_click_rate_28d"]]
        order = candidates.sort_values(list(candidates.columns), ascending=False)
        group = order.groupby(list(candidates.columns), sort=False).ngroup()
        region = self.jobs["region"].reindex(group.index)
        rank = group.groupby(region).rank(method="min") - 1
        others = rank.groupby(region).transform("count") - 1
        return (rank / others.clip(lower=1)).reindex(frame.index).to_numpy("float32")

    def _categories_of(self, day: date) -> Frame:
        keys = ["user", "category"]
        short = self._window(self.by_category, keys, day, 28, COUNTS)
        long = self._window(self.by_category, keys, day, 90, COUNTS)
        joined = short.add_suffix("_28d").join(long.add_suffix("_90d"), how="right")
        joined = joined.fillna(0).astype("int32")
        seen = joined[[f"{what}_90d" for what in COUNTS]].sum(axis=1) > 0
        return joined[seen].reset_index()

    def _pairs_of(self, day: date, users: Frame, jobs: Frame, categories: Frame) -> Frame:
        user, job = self.shown[day]
        pairs = users.reindex(user).reset_index(drop=True)
        pairs["user_id"] = self.users["user_id"].to_numpy()[user]
        of_jobs = jobs.drop(columns=["open_at_start", "_present"]).reindex(job)
        pairs = pairs.join(of_jobs.reset_index(drop=True))
        keys = pd.DataFrame({"user": user, "job": job, "category": self.category[job]})
        mine = keys.merge(categories, on=["user", "category"], how="left").fillna(0)
        self._add_affinity(pairs, mine)
        self._add_history(pairs, day, keys)
        self._add_matches(pairs, user, job)
        pairs["day_of_week"] = np.float32(day.isoweekday())
        return pairs.astype(dict.fromkeys(pairs.select_dtypes("number").columns, "float32"))

    def _add_affinity(self, pairs: Frame, mine: Frame) -> None:
        for what in COUNTS:
            pairs[f"category_{what}_90d"] = mine[f"{what}_90d"]
        for name, what in (("click", "clicks"), ("conversion", "conversions")):
            prior = pairs[f"job_category_{name}_rate_90d"]
            for span in (28, 90):
                pairs[f"category_{name}_rate_{span}d"] = self._rate(
                    mine[f"{what}_{span}d"], mine[f"impressions_{span}d"], prior
                )
        share = (
            mine["clicks_90d"] + mine["conversions_90d"] + pairs["job_category_action_share_90d"]
        )
        actions = pairs["user_clicks_90d"] + pairs["user_conversions_90d"]
        pairs["category_action_share_90d"] = share / (actions + 1)

    def _add_history(self, pairs: Frame, day: date, keys: Frame) -> None:
        on = ["user", "job"]
        week = self._window(self.by_pair, on, day, 7, ["impressions"]).add_suffix("_7d")
        month = self._window(self.by_pair, on, day, 28, COUNTS).add_suffix("_28d")
        met = keys.merge(month.join(week), left_on=on, right_index=True, how="left").fillna(0)
        for name in ("impressions_7d", *(f"{what}_28d" for what in COUNTS)):
            pairs[f"pair_{name}"] = met[name].to_numpy()

    def _add_matches(self, pairs: Frame, user: np.ndarray, job: np.ndarray) -> None:
        offered = self.jobs["pay"].to_numpy()[job]
        wished = self.users["desired_pay"].to_numpy()[user]
        pairs["pay_difference"] = offered - wished
        pairs["pay_ratio"] = np.where(wished > 0, offered / wished, np.nan)
        pairs["pay_against_clicked"] = offered - pairs["user_clicked_pay_90d"]
        shifts = pd.factorize(pd.concat([self.users["shift"], self.jobs["shift"]]))[0]
        pairs["shift_match"] = shifts[user] == shifts[len(self.users) + job]
        skilled = np.zeros((len(self.users), len(self.categories)), dtype=bool)
        for code, name in enumerate(self.categories):
            framed = "|" + self.users["skills"] + "|"
            skilled[:, code] = framed.str.contains(f"|{name}|", regex=False)
        pairs["skill_match"] = skilled[user, self.category[job]]
        regions = pd.factorize(pd.concat([self.users["region"], self.jobs["region"]]))[0]
        pairs["same_region"] = regions[user] == regions[len(self.users) + job]
        for name in ("shift_match", "skill_match", "same_region"):
            pairs[name] = pairs[name].astype("float32")
        pairs["distance_km"] = self._distance(user, job)

    def _distance(self, user: np.ndarray, job: np.ndarray) -> np.ndarray:
        north, east = (np.radians(self.places[c].to_numpy()) for c in ("latitude", "longitude"))
        north_2, east_2 = (np.radians(self.jobs[c].to_numpy()) for c in ("latitude", "longitude"))
        cosines = np.cos(north)[user] * np.cos(north_2)[job]
        half = np.sin((north_2[job] - north[user]) / 2) ** 2
        half += cosines * np.sin((east_2[job] - east[user]) / 2) ** 2
        return np.minimum(12742.0176 * np.arcsin(np.sqrt(half)), self.farthest)
