"""Between the daily runs texts are sent, and none is planned."""

from __future__ import annotations

import shutil
from pathlib import Path

from conversion_platform_tests.tiny_platform import LIVED, NEXT, lake_in, rows, run_job


def test_a_day_whose_run_was_stopped_by_a_check_gets_no_text_from_the_next_tick(
    platform: Path,
) -> None:
    """The assignments are there, but the run that wrote them never came to its texts."""
    assigned = platform / "lake" / "job_of_the_day"
    shutil.copytree(assigned / f"dt={LIVED}", assigned / f"dt={NEXT}")
    states = rows(platform, "SELECT state, count(*) FROM sent_messages GROUP BY 1 ORDER BY 1")
    assert run_job(platform, "send_texts", NEXT).success
    after = rows(platform, "SELECT state, count(*) FROM sent_messages GROUP BY 1 ORDER BY 1")
    assert after == states
    assert lake_in(platform).storage.list(f"sent_messages/dt={NEXT}") != []
