"""The manifests name what the service has: routes, limits, times, metrics, version. Schemas: ops/check-artifacts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web

from agent import __version__
from agent.app import make_app
from agent.cli.pdf_server import pdf_server
from agent.config import Config
from agent.telemetry.metrics import documentation

ROOT = Path(__file__).parents[2] / "ops" / "kubernetes"
MARGIN_S = 10


def manifests() -> Iterator[dict[str, Any]]:
    for path in ROOT.rglob("*.yaml"):
        yield from (part for part in yaml.safe_load_all(path.read_text(encoding="utf-8")) if part)


def of_kind(kind: str) -> list[dict[str, Any]]:
    return [manifest for manifest in manifests() if manifest.get("kind") == kind]


def settings() -> dict[str, str]:
    text = (ROOT / "base" / "agent" / "settings.env").read_text(encoding="ascii")
    return dict(line.split("=", 1) for line in text.split())


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    config = Config.from_env({"DATA_DIR": str(tmp_path_factory.mktemp("data"))})
    app: web.Application = make_app(config, pdf_server(config))
    return {resource.canonical for resource in app.router.resources()}


def reached(path: str, rules: list[dict[str, Any]]) -> bool:
    """By the rules of an Ingress: Exact as it stands, Prefix by whole segments."""
    return any(
        path == rule["path"] if rule["pathType"] == "Exact" else f"{path}/".startswith(f"{rule['path'].rstrip('/')}/")
        for rule in rules
    )


def test_the_ingress_publishes_every_route_of_callers_and_none_of_operators(routes: set[str]) -> None:
    (ingress,) = of_kind("Ingress")
    rules = ingress["spec"]["rules"][0]["http"]["paths"]
    private = {path for path in routes if path.startswith(("/health", "/metrics", "/admin"))}
    assert len(private) > 5
    assert {path for path in routes if reached(path, rules)} == routes - private


def test_the_ingress_has_the_services_limits_and_is_no_shorter_than_its_waits() -> None:
    (ingress,) = of_kind("Ingress")
    config = Config.from_env({})
    given = {name.rsplit("/", 1)[1]: value for name, value in ingress["metadata"]["annotations"].items()}
    assert int(given["proxy-body-size"]) == config.max_body_bytes
    assert int(given["proxy-read-timeout"]) > config.request_timeout_s
    assert f"{given['limit-rpm']}/minute" == config.rate_limit
    assert given["proxy-buffering"] == "off"


def test_a_pod_is_given_longer_to_end_than_the_service_needs() -> None:
    drain = Config.from_env(settings() | {"METRICS_TOKEN_FILE": ""}).shutdown_timeout_s
    for deployment in of_kind("Deployment"):
        pod = deployment["spec"]["template"]["spec"]
        before = pod["containers"][0].get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        assert pod["terminationGracePeriodSeconds"] >= before + drain + MARGIN_S


def test_probes_ask_the_services_own_paths(routes: set[str]) -> None:
    for deployment in of_kind("Deployment"):
        container = deployment["spec"]["template"]["spec"]["containers"][0]
        asked = {name: container[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "liveness", "readiness")}
        assert asked == {"startup": "/health/live", "liveness": "/health/live", "readiness": "/health/ready"}
        assert set(asked.values()) <= routes
        ports = {port["name"] for port in container["ports"]}
        assert {container[f"{name}Probe"]["httpGet"]["port"] for name in asked} <= ports


def test_ports_and_directories_are_those_of_the_settings() -> None:
    given = settings()
    for deployment in of_kind("Deployment"):
        container = deployment["spec"]["template"]["spec"]["containers"][0]
        ports = {port["name"]: str(port["containerPort"]) for port in container["ports"]}
        assert ports.items() <= {"http": given["PORT"], "operations": given["METRICS_PORT"]}.items()
        mounted = {mount["mountPath"]: mount.get("readOnly", False) for mount in container["volumeMounts"]}
        assert mounted[given["MCP_PDF_SERVER_DIR"]] is True
        assert mounted[given["DATA_DIR"]] is False
        assert mounted[str(Path(given["API_KEYS_FILE"]).parent)] is True


def test_every_pod_is_restricted() -> None:
    workloads = of_kind("Deployment") + of_kind("StatefulSet")
    assert len(workloads) == 3
    for workload in workloads:
        pod = workload["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        (container,) = pod["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


def test_what_scales_reads_metrics_that_exist_at_seventy_percent_of_what_a_process_runs() -> None:
    known = {row.name for row in documentation()}
    target = str(round(0.7 * Config.from_env({}).max_concurrent_tasks))
    adapter = yaml.safe_load((ROOT / "prometheus-adapter.yaml").read_text(encoding="utf-8"))["rules"]
    served = {rule["seriesQuery"].split("{")[0] for kind in ("custom", "external") for rule in adapter[kind]}
    scalers = of_kind("HorizontalPodAutoscaler")
    read = {}
    for scaler in scalers:
        (metric,) = scaler["spec"]["metrics"]
        source = metric["pods" if metric["type"] == "Pods" else "external"]
        read[source["metric"]["name"]] = source["target"]["averageValue"]
    assert len(scalers) == 2
    assert read.keys() == served <= known
    assert set(read.values()) == {target}


def test_no_replicas_stand_where_an_autoscaler_owns_them() -> None:
    assert all("replicas" not in deployment["spec"] for deployment in of_kind("Deployment"))


def test_traffic_is_closed_both_ways_and_names_are_asked_over_udp_and_tcp() -> None:
    policies = {policy["metadata"]["name"]: policy["spec"] for policy in of_kind("NetworkPolicy")}
    assert policies["default-deny"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    ports = policies["names"]["egress"][0]["ports"]
    assert {port["protocol"] for port in ports} == {"UDP", "TCP"}
    assert policies.keys() >= {"callers", "prometheus", "public-tls", "redis", "redis-callers"}


def test_the_image_is_of_this_version() -> None:
    tags = [
        image["newTag"]
        for path in ROOT.rglob("kustomization.yaml")
        for image in yaml.safe_load(path.read_text(encoding="utf-8")).get("images", ())
    ]
    assert tags
    assert set(tags) == {__version__}
