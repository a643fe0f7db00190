"""What the README says of commands, settings and metrics is printed from the code."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent import cli
from agent.telemetry.metrics import table

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")

# The names that callers and operators rely on.
METRICS = (
    "extraction_requests_total extraction_request_duration_seconds extraction_active_requests mcp_tools_available "
    "http_requests_total extraction_task_duration_seconds extraction_tasks extraction_queue_depth "
    "extraction_fields_total mcp_up mcp_restarts_total mcp_call_duration_seconds pdf_worker_restarts_total "
    "llm_requests_total llm_tokens_total llm_cost_usd_total cache_requests_total pool_connections "
    "push_deliveries_total rate_limited_total event_loop_lag_seconds extraction_agent_build_info"
)


def test_the_readme_shows_the_table_of_metrics() -> None:
    assert table() in README


@pytest.mark.parametrize("name", METRICS.split())
def test_a_metric_keeps_its_name(name: str) -> None:
    assert f"| `{name}` |" in table()


@pytest.mark.parametrize("command", sorted(cli.COMMANDS))
def test_every_command_has_a_module_with_its_function(command: str) -> None:
    module = (ROOT / "agent" / "cli" / f"{cli.COMMANDS[command]}.py").read_text(encoding="utf-8")
    assert f"def {command.replace('-', '_')}(options" in module


def test_no_module_has_more_than_400_lines_and_no_function_more_than_60() -> None:
    import ast

    found = []
    for path in [*ROOT.glob("agent/**/*.py"), *ROOT.glob("mcp_pdf/**/*.py")]:
        text = path.read_text(encoding="utf-8")
        if text.count("\n") > 400:
            found.append(f"{path.name}: {text.count(chr(10))} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                size = (node.end_lineno or 0) - node.lineno + 1
                if size > 60:
                    found.append(f"{path.name}:{node.name}: {size} lines")
    assert found == []
