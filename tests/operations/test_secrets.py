"""AWS Secrets Manager, spoken to by the real client against moto's server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from agent.credentials import AwsSecret, model_key
from agent.errors import ConfigError


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
