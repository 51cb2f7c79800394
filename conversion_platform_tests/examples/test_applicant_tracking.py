"""The export of an applicant tracking system runs by settings alone, as its page shows."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conversion_platform.marketplace import check_sources
from conversion_platform.settings import CONFIG_NAME, load_settings
from conversion_platform_tests.command import call

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples/applicant_tracking"


def test_the_settings_that_the_page_shows_are_those_of_the_finished_file(tmp_path: Path) -> None:
    page = (ROOT / "docs/applicant-tracking.md").read_text("utf-8")
    first, proposed = re.findall(r"```toml\n(.*?)```", page, re.S)
    settings = tmp_path / CONFIG_NAME
    settings.write_text(first.replace('path = "export.csv"\n', f'path = "export.csv"\n{proposed}'))
    found, finished = load_settings(settings), load_settings(EXAMPLE / CONFIG_NAME)
    assert (found.events, found.schedule) == (finished.events, finished.schedule)
    assert found.platform.model_copy(update={"name": finished.platform.name}) == finished.platform
    for name in ("users", "jobs", "events"):
        mine, theirs = getattr(found.sources, name), getattr(finished.sources, name)
        assert mine.columns.items() <= theirs.columns.items()
        for key in ("path", "encoding", "date_format", "time_zone"):
            assert getattr(mine, key) == getattr(theirs, key)


@pytest.mark.slow
def test_each_step_of_the_page_works(tmp_path: Path) -> None:
    subprocess.run([sys.executable, EXAMPLE / "make_export.py", tmp_path], check=True, cwd=ROOT)
    settings = tmp_path / "conversion_platform.toml"
    shutil.copy(EXAMPLE / settings.name, settings)
    assert "José" in (tmp_path / "export.csv").read_text("latin-1")
    code, checked, said = call(tmp_path, "check-sources")
    assert code == 0, said
    for told in ("21,266", "users.years_worked (numeric)", "protected: users.gender"):
        assert told in checked
    for hidden in ("José", "example.com", "555-0"):
        assert hidden not in checked
    code, _, said = call(tmp_path, "run", "--from", "2026-03-18")
    assert code == 0, said
    query = "SELECT count(*) > 500 FROM sent_messages"
    _, asked, _ = call(tmp_path, "sql", "--format", "csv", query)
    assert asked.splitlines()[1].lower() == "true"


@pytest.mark.slow
def test_what_is_proposed_leads_to_the_finished_settings(tmp_path: Path) -> None:
    subprocess.run([sys.executable, EXAMPLE / "make_export.py", tmp_path], check=True, cwd=ROOT)
    finished = (EXAMPLE / CONFIG_NAME).read_text("utf-8")
    settings = tmp_path / CONFIG_NAME
    settings.write_text(PROPOSED.sub("", finished), "utf-8")
    assert '"latin-1"' not in settings.read_text("utf-8")
    for _ in ("encoding", "date_format", "time_zone"):
        report = check_sources(load_settings(settings))
        text = settings.read_text("utf-8")
        for source, line in pasted(" ".join(report.proposals)):
            text = text.replace(f"[sources.{source}]\n", f"[sources.{source}]\n{line}\n")
        settings.write_text(text, "utf-8")
    (listed,) = (one for one in report.proposals if one.startswith("[sources.users] attributes"))
    assert '"years_worked"' in listed
    assert not re.search("name|mail|address|notes|gender|mobile|zip", listed)
    found, wanted = load_settings(settings).sources, load_settings(EXAMPLE / CONFIG_NAME).sources
    assert found.users == wanted.users.model_copy(update={"attributes": ()})
    assert (found.jobs, found.events) == (wanted.jobs, wanted.events)


PROPOSED = re.compile(r"^(?:encoding|date_format|time_zone|attributes) = .*\n(?!start_date)", re.M)
"""Settings of the finished file that `check-sources` proposes; not the platform's zone."""


def pasted(proposals: str) -> list[tuple[str, str]]:
    """The sources and lines that proposals name, each once; not those of attributes."""
    found = re.findall(r'sources\.(\w+)\.(\w+ = "[^"]*")', proposals)
    return list(dict.fromkeys(found))
