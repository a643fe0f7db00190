"""A real Prometheus on a free port with the shipped rules; it scrapes each second, so that tests need not wait."""

from __future__ import annotations

import contextlib
import json
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.redis_server import free_port

SHIPPED = Path(__file__).parents[2] / "ops" / "prometheus"


@dataclass
class PrometheusServer:
    directory: Path
    target: int  # the service's port
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        config = {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(SHIPPED / "rules.yml"), str(SHIPPED / "alerts.yml")],
            "scrape_configs": [
                {"job_name": "extraction-agent", "static_configs": [{"targets": [f"127.0.0.1:{self.target}"]}]}
            ],
        }
        file = self.directory / "prometheus.yml"
        file.write_text(json.dumps(config), encoding="ascii")  # JSON is YAML
        places = [f"--config.file={file}", f"--storage.tsdb.path={self.directory / 'data'}"]
        with (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen(
                ["prometheus", *places, f"--web.listen-address=127.0.0.1:{self.port}"], stdout=log, stderr=log
            )

    def get(self, path: str, **query: str) -> Any:
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)["data"]

    def values(self, query: str) -> list[float]:
        """The numbers an instant query gives; NaN, which is no data, is left out."""
        result = self.get("query", query=query)["result"]
        numbers = [float(sample["value"][1]) for sample in result]
        return [number for number in numbers if number == number]  # NaN is not itself

    def wait(self, query: str, within_s: float = 30.0) -> None:
        """Until the query gives a number."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            assert self.process is not None
            assert self.process.poll() is None, (self.directory / "log").read_text(encoding="utf-8")[-2000:]
            with contextlib.suppress(OSError):
                if self.values(query):
                    return
            time.sleep(0.05)  # a poll with a deadline
        raise AssertionError(f"no data within {within_s} s: {query}")


@contextlib.contextmanager
def prometheus_server(directory: Path, target: int) -> Iterator[PrometheusServer]:
    server = PrometheusServer(directory, target)
    server.start()
    try:
        yield server
    finally:
        assert server.process is not None
        server.process.terminate()
        server.process.wait(20)
