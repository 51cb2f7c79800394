from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from conversion_platform.errors import SourceError
from conversion_platform.simulator import Reactions, World, advance, build
from conversion_platform.simulator.geography import STOP_WORDINGS
from conversion_platform.simulator.reactions import Text
from conversion_platform_tests.simulator.conftest import NEXT_DAY, TINY
from conversion_platform_tests.simulator.reading import ask, digests, one

NOON = datetime.combine(NEXT_DAY, datetime.min.time(), UTC) + timedelta(hours=17)
BIG = World.tiny(users=4000, jobs=150, activity=0.4, history_days=4)
BIG_NOON = datetime.combine(BIG.days.last, datetime.min.time(), UTC) + timedelta(days=1, hours=17)


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("crowded")
    build(BIG, folder)
    return folder


def texts_to(folder: Path, at: datetime, where: str = "true") -> list[Text]:
    """A text to each user, about an open job of the metro."""
    rows = ask(
        folder,
        f"""
        SELECT user_id, min(job_id) FROM users u JOIN jobs j USING (region)
        JOIN '{folder}/truth/users.parquet' t USING (user_id)
        WHERE closed_at IS NULL AND left_at IS NULL AND {where} GROUP BY 1 ORDER BY 1
        """,
    )
    return [(f"m{user}", user, job, at) for user, job in rows]


def applied_in(crowded: Path, folder: Path, segment: str) -> tuple[int, int, int, Reactions]:
    """Applications decided on a day without texts; with them; those by text; and the day."""
    counts = []
    where = f"segment = '{segment}'"
    for name, texts in (("without", []), ("with", texts_to(crowded, BIG_NOON, where))):
        place = folder / name
        shutil.copytree(crowded, place)
        reactions = advance(place, BIG_NOON.date(), texts)
        applied = ask(
            place,
            f"SELECT count(*) FROM '{place}/truth/state/dt={BIG_NOON.date()}/applied.parquet' a "
            f"JOIN '{place}/truth/users.parquet' t ON t.user_id = 'u' || "
            f"lpad(a.user::VARCHAR, 7, '0') WHERE {where} AND day = 4",
        )[0][0]
        counts.append(applied)
    clicked = reactions.events["event_type"].to_pylist().count("click")
    return counts[0], counts[1], clicked, reactions


def test_publishing_the_last_day_again_gives_the_same_bytes(copied: Path) -> None:
    texts = texts_to(copied, NOON)
    first = advance(copied, NEXT_DAY, texts)
    before = digests(copied)
    second = advance(copied, NEXT_DAY, reversed(texts))
    assert digests(copied) == before
    assert second.replies == first.replies and second.events.equals(first.events)


def test_users_and_jobs_keep_arriving_after_the_history(copied: Path) -> None:
    for step in range(4):
        advance(copied, NEXT_DAY + timedelta(days=step), [])
    fresh = "count(*) FROM {} WHERE {}::DATE > DATE '2026-01-29'"
    assert one(copied, "SELECT " + fresh.format("users", "created_at")) > 5
    assert one(copied, "SELECT " + fresh.format("jobs", "opened_at")) > 5
    assert one(copied, "SELECT count(DISTINCT dt) FROM events") == TINY.history_days + 4


def test_a_published_file_never_changes(copied: Path) -> None:
    before = digests(copied / "source/events")
    advance(copied, NEXT_DAY, texts_to(copied, NOON))
    after = digests(copied / "source/events")
    assert before.items() <= after.items() and len(after) == len(before) + 1


def test_the_source_still_holds_no_future(copied: Path) -> None:
    advance(copied, NEXT_DAY, texts_to(copied, NOON))
    end = "TIMESTAMPTZ '2026-01-31 00:00:00'"
    assert one(copied, "SELECT max(occurred_at)::DATE FROM events") == NEXT_DAY
    assert (
        one(
            copied, f"SELECT count(*) FROM events WHERE greatest(occurred_at, recorded_at) >= {end}"
        )
        == 0
    )


def test_a_table_of_texts_and_a_list_of_them_are_the_same(copied: Path, tmp_path: Path) -> None:
    texts = texts_to(copied, NOON)
    names = ["message_id", "user_id", "job_id", "delivered_at"]
    table = pa.table(dict(zip(names, map(list, zip(*texts, strict=True)), strict=True)))
    twin = tmp_path / "twin"
    shutil.copytree(copied, twin)
    advance(copied, NEXT_DAY, texts)
    advance(twin, NEXT_DAY, table)
    assert digests(twin) == digests(copied)


def test_reactions_to_texts_go_on_in_later_days(copied: Path) -> None:
    advance(copied, NEXT_DAY, texts_to(copied, NOON))
    later = [advance(copied, NEXT_DAY + timedelta(days=n), []) for n in range(1, 5)]
    assert sum(day.events.num_rows for day in later) > 0


def test_a_day_out_of_order_is_refused(copied: Path) -> None:
    for day in (NEXT_DAY + timedelta(days=1), TINY.days.last - timedelta(days=1)):
        with pytest.raises(SourceError, match="Advance 2026-01-30 next"):
            advance(copied, day, [])


def test_a_text_about_an_unknown_job_is_refused_and_nothing_is_written(copied: Path) -> None:
    before = digests(copied)
    with pytest.raises(SourceError, match="job 'j999999'"):
        advance(copied, NEXT_DAY, [("m1", "u0000001", "j999999", NOON)])
    assert digests(copied) == before


def test_a_folder_without_a_world_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no simulated world"):
        advance(tmp_path, NEXT_DAY, [])


def test_a_text_wins_persuadables(crowded: Path, tmp_path: Path) -> None:
    without, with_texts, clicks, _ = applied_in(crowded, tmp_path, "persuadable")
    assert with_texts > 1.15 * without
    assert clicks > 50


def test_a_sure_thing_applies_as_often_as_without_a_text(crowded: Path, tmp_path: Path) -> None:
    without, with_texts, _, reactions = applied_in(crowded, tmp_path, "sure_thing")
    assert with_texts == without > 20
    assert "application" in reactions.events["event_type"].to_pylist()


def test_a_lost_cause_does_not_react(crowded: Path, tmp_path: Path) -> None:
    without, with_texts, _, reactions = applied_in(crowded, tmp_path, "lost_cause")
    assert with_texts == without
    assert set(reactions.events["event_type"].to_pylist()) <= {"click"}


def test_a_text_costs_applications_of_those_who_want_no_disturbance(
    crowded: Path, tmp_path: Path
) -> None:
    without, with_texts, _, annoyed = applied_in(crowded, tmp_path / "a", "do_not_disturb")
    *_, others = applied_in(crowded, tmp_path / "b", "lost_cause")
    assert with_texts < without
    assert stops(annoyed) > 2 * stops(others)


def stops(reactions: Reactions) -> int:
    return sum(reply.body in STOP_WORDINGS for reply in reactions.replies)


def test_replies_stop_in_many_wordings_ask_and_make_no_sense(crowded: Path, tmp_path: Path) -> None:
    shutil.copytree(crowded, tmp_path / "copy")
    texts = texts_to(crowded, BIG_NOON)
    replies = advance(tmp_path / "copy", BIG_NOON.date(), texts).replies
    by_message = {message: (user, at) for message, user, _, at in texts}
    assert 0.01 < len(replies) / len(texts) < 0.15
    assert len({reply.body for reply in replies if reply.body in STOP_WORDINGS}) > 8
    assert any(reply.body.endswith("?") for reply in replies)
    for reply in replies:
        user, at = by_message[reply.message_id]
        assert reply.user_id == user and at < reply.at < at + timedelta(hours=8)


def test_texts_every_day_wear_people_out(crowded: Path, tmp_path: Path) -> None:
    """Opt-outs rise with the texts of the week, and willingness falls."""
    tired = tmp_path / "tired"
    shutil.copytree(crowded, tired)
    counts = []
    for step in range(5):
        at = BIG_NOON + timedelta(days=step)
        counts.append(stops(advance(tired, at.date(), texts_to(crowded, at))))
    assert np.mean(counts[-2:]) > 1.5 * counts[0]
