"""What commands have in the environment: the secrets that a run has."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from conversion_platform.errors import SettingsError
from conversion_platform.runs import with_secrets
from conversion_platform.settings import Settings, load_settings

ARN = "arn:aws:secretsmanager:us-east-1:000000000000:secret:MARKETPLACE_DSN-abcdef"


class SecretsManager(BaseHTTPRequestHandler):
    """Answers as AWS does: one secret that may be read, all others denied."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        known = asked["SecretId"] == ARN
        answer = (
            {"ARN": ARN, "Name": "MARKETPLACE_DSN", "SecretString": "postgresql://db/market"}
            if known
            else {"__type": "AccessDeniedException", "message": "not allowed"}
        )
        self.send_response(200 if known else 400)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture(autouse=True)
def _aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with HTTPServer(("127.0.0.1", 0), SecretsManager) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "test")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        yield
        server.shutdown()


def naming(folder: Path, arn: str) -> Settings:
    file = folder / "conversion_platform.toml"
    file.write_text(f'[platform]\naws_secrets = ["{arn}"]\n')
    return load_settings(file)


@pytest.mark.filterwarnings("ignore::dagster.BetaWarning")
def test_the_secrets_that_the_settings_name_are_there_and_gone_afterwards(
    tmp_path: Path,
) -> None:
    with with_secrets(naming(tmp_path, ARN)):
        assert os.environ["MARKETPLACE_DSN"] == "postgresql://db/market"
    assert "MARKETPLACE_DSN" not in os.environ


@pytest.mark.filterwarnings("ignore::dagster.BetaWarning")
def test_a_secret_that_may_not_be_read_names_the_setting_and_what_to_allow(tmp_path: Path) -> None:
    with (
        pytest.raises(SettingsError, match=r"platform\.aws_secrets") as caught,
        with_secrets(naming(tmp_path, ARN.replace("MARKETPLACE", "OTHER"))),
    ):
        raise AssertionError("the block was entered")
    assert "GetSecretValue" in caught.value.remedy


def test_without_such_a_setting_nobody_is_asked() -> None:
    before = dict(os.environ)
    with with_secrets(load_settings(None)):
        assert dict(os.environ) == before
