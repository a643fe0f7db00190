"""Every alert is told what to do about it, and proven to fire and to stay quiet (promtool, in ops/check-artifacts)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.telemetry.metrics import documentation

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "ops" / "prometheus"
PROCESS = {"process_resident_memory_bytes", "up"}  # of every process that Prometheus scrapes
ELSEWHERE = {"extraction_backup_last_success_timestamp_seconds"}  # ops/backup/backup.py writes it for a node exporter


def read(name: str) -> Any:
    return yaml.safe_load((PROMETHEUS / name).read_text(encoding="utf-8"))


ALERTS = {rule["alert"]: rule for group in read("alerts.yml")["groups"] for rule in group["rules"]}
RECORDED = {rule["record"]: rule["expr"] for group in read("rules.yml")["groups"] for rule in group["rules"]}
CASES = [case for file in sorted(PROMETHEUS.glob("*_test.yml")) for case in read(file.name)["tests"]]


@pytest.mark.parametrize("name", sorted(ALERTS))
def test_an_alert_is_tested_to_fire_and_to_stay_quiet(name: str) -> None:
    expected = [
        bool(test["exp_alerts"]) for case in CASES for test in case["alert_rule_test"] if test["alertname"] == name
    ]
    assert sorted(expected) == [False, True]


@pytest.mark.parametrize("name", sorted(ALERTS))
def test_an_alert_has_a_severity_words_and_a_runbook_with_a_section_of_its_name(name: str) -> None:
    alert = ALERTS[name]
    assert alert["labels"]["severity"] in ("page", "ticket")
    assert {"summary", "description", "runbook_url"} <= alert["annotations"].keys()
    runbook = (ROOT / alert["annotations"]["runbook_url"]).read_text(encoding="utf-8")
    assert f"`{name}`" in runbook


def test_rules_read_only_metrics_that_the_service_gives() -> None:
    given = {row.name: row.kind for row in documentation()}
    exposed = {
        name + suffix
        for name, kind in given.items()
        for suffix in (("_bucket", "_count", "_sum") if kind == "histogram" else ("",))
    }
    text = "\n".join([*RECORDED.values(), *(alert["expr"] for alert in ALERTS.values())])
    bare = re.sub(r'"[^"]*"|\{[^}]*\}|by \([^)]*\)|\[[^\]]*\]', " ", text)
    words = set(re.findall(r"[a-z][a-z0-9_:]*", bare))
    functions = {"sum", "max", "rate", "increase", "absent", "time", "and", "or", "histogram_quantile"}
    units = set(re.findall(r"(?<=\d)[a-z]\w*", bare))
    assert words - functions - units <= exposed | RECORDED.keys() | PROCESS | ELSEWHERE
