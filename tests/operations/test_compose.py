"""compose.yaml agrees with what it starts: names that others resolve, settings of the service, files that are there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from agent.config import Config
from agent.settings import is_placeholder, table

ROOT = Path(__file__).parents[2]
PROJECT: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, Any] = PROJECT["services"]
OWN = [name for name, service in SERVICES.items() if "extraction-agent" in service["image"] and name != "init"]
SETTINGS = set(re.findall(r"^\| `([A-Z_]+)`", table(Config), re.MULTILINE))


def names() -> set[str]:
    """Services, and their aliases."""
    networks = [service.get("networks", ()) for service in SERVICES.values()]
    joined = [one for several in networks if isinstance(several, dict) for one in several.values()]
    return set(SERVICES) | {alias for one in joined for alias in one.get("aliases", ())}


def test_nginx_and_prometheus_ask_for_services_that_are_there() -> None:
    upstreams = "".join(path.read_text(encoding="ascii") for path in (ROOT / "ops" / "nginx").glob("upstream-*.conf"))
    asked = set(re.findall(r"server ([\w-]+):8080", upstreams))
    scraped = yaml.safe_load((ROOT / "ops" / "prometheus" / "prometheus.yml").read_text(encoding="utf-8"))
    found = {name for place in scraped["scrape_configs"][0]["dns_sd_configs"] for name in place["names"]}
    assert len(asked) == 4
    assert asked | found <= names()
    assert found == set(OWN)


def test_a_service_is_told_only_settings_that_it_knows() -> None:
    for name in OWN:
        for setting in SERVICES[name]["environment"]:
            assert setting in SETTINGS or setting.removesuffix("_FILE") in SETTINGS, f"{name}: {setting}"


def test_all_processes_of_the_service_share_tasks_uploads_and_keys() -> None:
    assert len(OWN) == 5
    shared = ("STORE_URL_FILE", "UPLOAD_DIR", "API_KEYS_FILE")
    assert len({tuple(SERVICES[name]["environment"][setting] for setting in shared) for name in OWN}) == 1
    uploads = SERVICES["agent"]["environment"]["UPLOAD_DIR"]
    assert all(f"agent-uploads:{uploads}" in SERVICES[name]["volumes"] for name in OWN)


def test_what_starts_without_a_profile_is_the_service_its_store_and_its_monitoring() -> None:
    plain = {name for name, service in SERVICES.items() if "profiles" not in service}
    assert plain == {"init", "agent", "redis", "prometheus", "alertmanager"}
    assert {profile for service in SERVICES.values() for profile in service.get("profiles", ())} == {
        *("scale", "green", "grafana", "tracing", "logs")
    }


def test_volumes_are_declared_and_files_exist() -> None:
    used = set()
    for service in SERVICES.values():
        for volume in service.get("volumes", ()):
            source = volume["source"] if isinstance(volume, dict) else volume.split(":")[0]
            if source.startswith("./"):
                assert (ROOT / source).exists(), source
            elif re.fullmatch(r"[a-z-]+", source):
                used.add(source)
    assert used == set(PROJECT["volumes"])


def test_every_service_is_bounded_and_none_but_nginx_listens_beyond_this_host() -> None:
    for name, service in SERVICES.items():
        limits = service["deploy"]["resources"]["limits"]
        assert limits.keys() == {"cpus", "memory", "pids"}, name
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert name == "nginx" or all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))


def test_the_env_file_that_a_guide_shows_starts_the_service_too(tmp_path: Path) -> None:
    shown = {
        "GOOGLE_API_KEY": "your-production-key",
        "MCP_PDF_SERVER_DIR": "/data/pdfs",
        "MCP_PDF_SERVER_COMMAND": "python",
        "MCP_PDF_SERVER_ARGS": "/app/mcp_server/server.py",
        "MCP_PDF_TRANSPORT": "stdio",
        "HOST": "0.0.0.0",
        "PORT": "8080",
        "WORKERS": "4",
        "LOG_LEVEL": "INFO",
        "LOG_FORMAT": "json",
        "MAX_PDF_SIZE_KB": "1024",
        "REQUEST_TIMEOUT": "60",
        "LLM_TIMEOUT": "30",
        "ENABLE_METRICS": "true",
        "ENABLE_CACHE": "true",
        "CACHE_URL": "redis://redis:6379",
    }
    url = tmp_path / "redis-url"
    url.write_text("redis://:secret@redis:6379/0", encoding="ascii")
    own = {name: str(value) for name, value in SERVICES["agent"]["environment"].items()}
    own |= {"STORE_URL_FILE": str(url), "CACHE_URL_FILE": str(url), "METRICS_TOKEN_FILE": str(url)}
    own["TRUSTED_PROXIES"] = own["OTEL_EXPORTER_OTLP_ENDPOINT"] = ""  # what compose itself fills in
    config = Config.from_env(shown | own)
    assert (config.workers, config.store_url) == (1, "redis://:secret@redis:6379/0")
    assert config.mcp_pdf_server_args == ("-m", "mcp_pdf")
    assert is_placeholder(config.google_api_key or "")  # it warns, and counts as no key
