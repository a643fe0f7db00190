"""The configuration: every problem in one message, names as documented, secrets never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.config import Config
from agent.errors import ConfigError
from agent.settings import is_placeholder, rows, table


def test_defaults_need_no_environment() -> None:
    config = Config.from_env({})
    assert (config.host, config.port, config.workers) == ("127.0.0.1", 8080, 1)
    assert config.max_pdf_size_kb == 25_600
    assert config.mcp_pdf_server_args == ("-m", "mcp_pdf")
    assert not config.has_model_source


def test_every_problem_stands_in_one_message() -> None:
    with pytest.raises(ConfigError) as caught:
        Config.from_env({"PORT": "http", "WORKERS": "0", "LOG_LEVEL": "loud", "TLS_CERT_FILE": "/nowhere/x.pem"})
    text = str(caught.value)
    for name in ("PORT='http'", "WORKERS='0'", "LOG_LEVEL='loud'", "TLS_CERT_FILE and TLS_KEY_FILE"):
        assert name in text


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"WORKERS": "4"}, "shared task store"),
        ({"MCP_PDF_TRANSPORT": "http"}, "MCP_PDF_URL"),
        ({"MCP_PDF_SERVER_ARGS": "/app/mcp_server/server.py"}, "no such file: /app/mcp_server/server.py"),
        ({"OIDC_ISSUER": "https://id.example.com"}, "OIDC_AUDIENCE"),
        ({"EXTRACTION_MODE": "model"}, "needs a key"),
        ({"EXTRACTION_MODE": "model", "GOOGLE_API_KEY": "your-production-key"}, "needs a key"),
        ({"RATE_LIMIT": "many"}, "RATE_LIMIT"),
        ({"CACHE_URL": "http://redis"}, "redis://"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(environment: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Config.from_env(environment)


def test_the_guides_workers_and_cache_url_work_as_they_stand() -> None:
    config = Config.from_env({"WORKERS": "4", "CACHE_URL": "redis://redis:6379"})
    assert config.shared_store_url == "redis://redis:6379"


def test_a_secret_is_never_shown_not_even_when_it_is_wrong() -> None:
    config = Config.from_env({"GOOGLE_API_KEY": "AIza-secret", "STORE_URL": "redis://:pw@r"})
    shown = " ".join(value for _, value, _ in config.effective())
    assert "AIza-secret" not in shown
    assert "pw@" not in shown
    with pytest.raises(ConfigError) as caught:
        Config.from_env({"STORE_URL": "ftp://:pw@r"})
    assert "pw" not in str(caught.value)


def test_command_line_beats_environment_and_says_so() -> None:
    config = Config.from_env({"PORT": "9000", "A2A_HOST": "127.0.0.2"}, {"PORT": "9001"})
    assert (config.port, config.host) == (9001, "127.0.0.2")
    assert config.sources == {"PORT": "command line", "HOST": "environment A2A_HOST"}


@pytest.mark.parametrize("text", ["your-production-key", "changeme", "<key>", "YOUR-KEY"])
def test_placeholders_count_as_no_key(text: str) -> None:
    assert is_placeholder(text)


@pytest.mark.parametrize(("text", "seconds"), [("30", 30), ("5m", 300), ("2h", 7200), ("7d", 604800), ("0.5s", 0.5)])
def test_times_may_carry_a_unit(text: str, seconds: float) -> None:
    assert Config.from_env({"TASK_TTL": text}).task_ttl_s == seconds


def test_the_body_limit_follows_from_the_pdf_limit() -> None:
    config = Config.from_env({"MAX_PDF_SIZE_KB": "1024"})
    assert config.max_body_bytes > 1024 * 1024 * 4 / 3


def test_the_readme_shows_the_table_of_settings() -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    assert table(Config) in readme
    assert len(rows(Config)) > 50


def test_a_secret_setting_may_stand_in_a_file_which_the_environment_outranks(tmp_path: Path) -> None:
    file = tmp_path / "cache-url"
    file.write_text("redis://:pw@cache:6379/0\n")
    config = Config.from_env({"CACHE_URL_FILE": str(file)})
    assert config.cache_url == "redis://:pw@cache:6379/0"
    assert config.sources["CACHE_URL"] == "file of CACHE_URL_FILE"
    assert Config.from_env({"CACHE_URL": "redis://other", "CACHE_URL_FILE": str(file)}).cache_url == "redis://other"


def test_a_secret_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"CACHE_URL.*cannot be read.*nowhere"):
        Config.from_env({"CACHE_URL_FILE": str(tmp_path / "nowhere")})
