"""The export of an applicant tracking system runs by settings alone, as its page shows."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conversion_platform_tests.command import call

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples/applicant_tracking"


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
