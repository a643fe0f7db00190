"""dashboards.py [--check] - writes the Grafana dashboards beside it; with --check says whether they are as written.

Runs with the Python of ops/tools (grafana-foundation-sdk). A panel is a row below: title, unit, queries with legends.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from grafana_foundation_sdk.builders import common, dashboard, prometheus, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import LegendDisplayMode, LegendPlacement, TooltipDisplayMode, VisibilityMode
from grafana_foundation_sdk.models.dashboard import DataSourceRef, GridPos

HERE = Path(__file__).parent / "dashboards"
WIDTH, HEIGHT, ACROSS = 8, 7, 3
SOURCE = DataSourceRef(type_val="prometheus", uid="prometheus")


@dataclass(frozen=True)
class Panel:
    title: str
    words: str
    unit: str
    queries: tuple[tuple[str, str], ...]


def p95(metric: str, by: str) -> str:
    return f"histogram_quantile(0.95, sum by (le, {by}) (rate({metric}_bucket[$__rate_interval])))"


def rate(metric: str, by: str, only: str = "") -> str:
    return f"sum by ({by}) (rate({metric}{only}[$__rate_interval]))"


CALLERS = '{endpoint!~"/health.*|/metrics"}'

SERVICE = {
    "Requests": (
        Panel("Requests", "Answers a second by status; probes and scrapes left out.", "reqps",
              ((rate("http_requests_total", "code", CALLERS), "{{code}}"),)),
        Panel("Time to the answer (p95)", "For a stream, to its first byte.", "s",
              ((p95("extraction_request_duration_seconds", "endpoint"), "{{endpoint}}"),)),
        Panel("Error budget", "Share of failing requests; the objective allows 0.1 % in 30 days.", "percentunit",
              (("job:extraction_http_errors:ratio_rate5m", "{{job}}"),)),
        Panel("Open requests", "Requests being answered, streams among them.", "short",
              (("extraction_active_requests", "{{instance}}"),)),
        Panel("Refused", "By limit: caller, address, connections, memory.", "reqps",
              (("sum by (scope) (rate(rate_limited_total[$__rate_interval])) or vector(0)", "{{scope}}"),)),
        Panel("Streams (p95)", "How long a stream stayed open.", "s",
              ((p95("extraction_stream_duration_seconds", "endpoint"), "{{endpoint}}"),)),
    ),
    "Tasks": (
        Panel("Ended tasks", "A second, by outcome.", "ops",
              ((rate("extraction_requests_total", "status"), "{{status}}"),)),
        Panel("Time of a task (p95)", "From its acceptance to its end.", "s",
              ((p95("extraction_task_duration_seconds", "outcome"), "{{outcome}}"),)),
        Panel("Waiting", "At TASK_QUEUE_LIMIT callers get 503.", "short",
              (("extraction_queue_depth", "{{instance}}"),)),
        Panel("Stored tasks", "By state.", "short", (("max by (state) (extraction_tasks)", "{{state}}"),)),
        Panel("Types of documents", "Ended tasks a second.", "ops",
              ((rate("extraction_requests_total", "document_type"), "{{document_type}}"),)),
        Panel("Webhooks", "Attempts a second.", "ops", ((rate("push_deliveries_total", "outcome"), "{{outcome}}"),)),
    ),
    "Values": (
        Panel("Where values come from", "Values a second by source.", "ops",
              ((rate("extraction_fields_total", "source"), "{{source}}"),)),
        Panel("How values match the page", "Values a second.", "ops",
              ((rate("extraction_fields_total", "match"), "{{match}}"),)),
        Panel("Cache", "Look-ups a second.", "ops",
              ((rate("cache_requests_total", "layer, result"), "{{layer}} {{result}}"),)),
    ),
}  # fmt: skip

PARTS = {
    "PDF server": (
        Panel("Up", "1 while the PDF server answers.", "short", (("mcp_up", "{{instance}}"),)),
        Panel("Calls (p95)", "By tool.", "s", ((p95("mcp_call_duration_seconds", "tool"), "{{tool}}"),)),
        Panel("Calls", "A second, by tool.", "ops", ((rate("mcp_call_duration_seconds_count", "tool"), "{{tool}}"),)),
        Panel("Restarts", "Of the server, and of its workers, in an hour.", "short", (
            ("sum by (reason) (increase(mcp_restarts_total[1h])) or vector(0)", "server {{reason}}"),
            ("sum by (reason) (increase(pdf_worker_restarts_total[1h])) or vector(0)", "worker {{reason}}"),
        )),
        Panel("Tools", "Offered by the PDF server.", "short", (("mcp_tools_available", "{{instance}}"),)),
    ),
    "Model": (
        Panel("Calls", "A second, by model and outcome.", "ops",
              ((rate("llm_requests_total", "model, outcome"), "{{model}} {{outcome}}"),)),
        Panel("Tokens", "A minute, by kind.", "short",
              (("sum by (kind) (rate(llm_tokens_total[$__rate_interval])) * 60", "{{kind}}"),)),
        Panel("Cost", "US dollars in a day.", "currencyUSD",
              (("sum by (model) (increase(llm_cost_usd_total[1d]))", "{{model}}"),)),
    ),
    "Process": (
        Panel("Event loop", "How late it runs what is due.", "s", (("event_loop_lag_seconds", "{{instance}}"),)),
        Panel("Memory", "Resident, without the PDF server.", "bytes",
              (('process_resident_memory_bytes{job="extraction-agent"}', "{{instance}}"),)),
        Panel("Processor", "Cores, without the PDF server.", "short",
              (('rate(process_cpu_seconds_total{job="extraction-agent"}[$__rate_interval])', "{{instance}}"),)),
        Panel("Connections", "Of the pools, by state.", "short",
              (("sum by (pool, state) (pool_connections)", "{{pool}} {{state}}"),)),
        Panel("Open files", "Of the process.", "short",
              (('process_open_fds{job="extraction-agent"}', "{{instance}}"),)),
        Panel("Log lines lost", "In an hour.", "short", (("increase(log_lines_dropped_total[1h])", "{{instance}}"),)),
        Panel("Versions", "Processes by version.", "short",
              (("count by (version, python) (extraction_agent_build_info)", "{{version}}, Python {{python}}"),)),
    ),
}  # fmt: skip


def build(title: str, uid: str, rows: dict[str, tuple[Panel, ...]]) -> str:
    board = (
        dashboard.Dashboard(title)
        .uid(uid)
        .tags(["extraction-agent"])
        .refresh("30s")
        .time("now-1h", "now")
        .timezone("utc")
    )
    number, y = 0, 0
    for name, panels in rows.items():
        number += 1
        board.with_row(dashboard.Row(name).id(number).grid_pos(_place(0, y, 24, 1)))
        y += 1
        for place, panel in enumerate(panels):
            number += 1
            x = place % ACROSS * WIDTH
            board.with_panel(_chart(panel).id(number).grid_pos(_place(x, y + place // ACROSS * HEIGHT, WIDTH, HEIGHT)))
        y += -(-len(panels) // ACROSS) * HEIGHT
    return JSONEncoder(sort_keys=True, indent=2).encode(board.build()) + "\n"


def _place(x: int, y: int, width: int, height: int) -> GridPos:
    return GridPos(h=height, w=width, x=x, y=y)


def _chart(panel: Panel) -> timeseries.Panel:
    chart = timeseries.Panel().title(panel.title).description(panel.words).unit(panel.unit).datasource(SOURCE)
    chart.min(0).show_points(VisibilityMode.NEVER)
    chart.tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI))
    legend = common.VizLegendOptions().show_legend(True).display_mode(LegendDisplayMode.LIST)
    chart.legend(legend.placement(LegendPlacement.BOTTOM).calcs([]))
    for letter, (query, legend) in zip("ABCD", panel.queries, strict=False):
        chart.with_target(prometheus.Dataquery().expr(query).legend_format(legend).ref_id(letter).datasource(SOURCE))
    return chart


def main() -> int:
    boards = {
        "service.json": build("Extraction agent: service", "extraction-service", SERVICE),
        "parts.json": build("Extraction agent: parts", "extraction-parts", PARTS),
    }
    stale = [name for name, text in boards.items() if not _same(HERE / name, text)]
    if "--check" in sys.argv:
        print(
            *(f"{HERE / name} is not as ops/grafana/dashboards.py writes it" for name in stale),
            sep="\n",
            file=sys.stderr,
        )
        return 1 if stale else 0
    for name in stale:
        (HERE / name).write_text(boards[name], encoding="utf-8")
    return 0


def _same(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    sys.exit(main())
