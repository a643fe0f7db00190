"""AWS Secrets Manager, spoken to by the real client against moto's server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from agent.credentials import AwsSecret, model_key
from agent.errors import ConfigError
from tests.gemini_server import KEY, in_thread
from tests.service import running


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def vault(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name, value in {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("secretsmanager")
    yield client
    for secret in client.list_secrets()["SecretList"]:
        client.delete_secret(SecretId=secret["Name"], ForceDeleteWithoutRecovery=True)
    client.close()


async def test_a_plain_secret_is_the_key(vault: Any) -> None:
    vault.create_secret(Name="google-api-key", SecretString="AIza-plain\n")
    assert await AwsSecret("google-api-key").read() == "AIza-plain"


async def test_a_key_of_a_json_secret_is_picked_by_name_and_alone_needs_none(vault: Any) -> None:
    vault.create_secret(Name="both", SecretString=json.dumps({"gemini": "AIza-json", "other": "x"}))
    vault.create_secret(Name="one", SecretString=json.dumps({"gemini": "AIza-one"}))
    assert await AwsSecret("both#gemini").read() == "AIza-json"
    assert await AwsSecret("one").read() == "AIza-one"
    with pytest.raises(ConfigError, match="several keys"):
        await AwsSecret("both").read()


async def test_a_binary_secret_is_read_as_text(vault: Any) -> None:
    vault.create_secret(Name="binary", SecretBinary=b"AIza-bytes")
    assert await AwsSecret("binary").read() == "AIza-bytes"


async def test_a_secret_that_is_not_there_is_named(vault: Any) -> None:
    del vault
    with pytest.raises(ConfigError, match="AWS_SECRET_ID: nowhere"):
        await AwsSecret("nowhere").read()


async def test_the_region_comes_from_awss_own_environment_and_its_absence_is_told(
    vault: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    del vault
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(ConfigError, match="region"):
        await AwsSecret("google-api-key").read()


async def test_an_unreachable_vault_is_a_configuration_error_within_its_time(
    vault: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    del vault
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(ConfigError, match="AWS_SECRET_ID"):
        await AwsSecret("google-api-key", timeout_s=1).read()


async def test_a_secret_that_is_rotated_in_the_vault_is_used_without_a_restart(vault: Any) -> None:
    vault.create_secret(Name="rotated", SecretString="AIza-before")
    kept, asking = AwsSecret("rotated"), AwsSecret("rotated", again_s=0)
    assert [await kept.read(), await asking.read()] == ["AIza-before", "AIza-before"]
    vault.put_secret_value(SecretId="rotated", SecretString="AIza-after")
    assert [await kept.read(), await asking.read()] == ["AIza-before", "AIza-after"]  # five minutes between two looks


async def test_an_outage_of_the_vault_takes_away_no_secret_that_is_known(
    vault: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    vault.create_secret(Name="kept", SecretString="AIza-known")
    secret = AwsSecret("kept", timeout_s=1, again_s=0)
    assert await secret.read() == "AIza-known"
    with monkeypatch.context() as down:
        down.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        assert await secret.read() == "AIza-known"
    assert [record.message for record in caplog.records if record.name == "agent.credentials"] == [
        "credentials.refresh_failed"
    ]
    assert "AIza-known" not in caplog.text


def test_the_service_takes_its_key_from_the_vault_and_tells_it_to_nobody(
    vault: Any, endpoint: str, tmp_path: Path
) -> None:
    """Neither its log nor the PDF server's environment nor a process title has the key."""
    vault.create_secret(Name="production", SecretString=json.dumps({"gemini": KEY, "other": "x"}))
    aws = {"AWS_ENDPOINT_URL": endpoint, "AWS_DEFAULT_REGION": "eu-central-1"}
    aws |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "hush-hush-hush"}
    with in_thread() as server:
        settings = {"USE_AWS_SECRETS": "true", "AWS_SECRET_ID": "production#gemini", "GEMINI_BASE_URL": server.url}
        with running(tmp_path / "data", settings=settings | aws) as service:
            service.wait(lambda: service.get("/health/ready")[1]["checks"]["llm"])
            child = Path(f"/proc/{service.mcp_pid()}")
            told = (child / "environ").read_bytes() + (child / "cmdline").read_bytes()
            assert b"MCP_PDF_SERVER_DIR" in told
        told += service.log.read_bytes()
    assert KEY.encode() not in told
    assert b"hush-hush-hush" not in told


async def test_what_a_template_left_in_the_vault_is_no_key(vault: Any) -> None:
    vault.create_secret(Name="google-api-key", SecretString="your-production-key")
    learnt: list[str] = []
    credentials = model_key(value=None, file=None, aws_secret_id="google-api-key", learnt=learnt.append)
    assert await credentials.value() is None
    assert learnt == []


async def test_a_key_of_the_vault_is_told_to_the_log_redaction(vault: Any) -> None:
    vault.create_secret(Name="google-api-key", SecretString="AIza-told")
    learnt: list[str] = []
    credentials = model_key(value=None, file=None, aws_secret_id="google-api-key", learnt=learnt.append)
    assert await credentials.value() == "AIza-told"
    assert (learnt, credentials.source) == (["AIza-told"], "AWS_SECRET_ID")
