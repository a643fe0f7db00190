"""Log lines that nobody reads: counted, told, and never waited for."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
from pathlib import Path

from agent.telemetry import logs
from agent.telemetry.redaction import Redactor
from tests.service import SAMPLES, Service

FEW = 5


def test_a_reader_that_stalls_costs_lines_and_hears_how_many() -> None:
    source, sink = os.pipe()
    capacity = 65536  # of a pipe on Linux
    with os.fdopen(sink, "wb", buffering=0) as stream, os.fdopen(source, encoding="utf-8") as pipe:
        output = logs.LogOutput(stream, logs.JsonLines(Redactor()), lines=FEW)
        heard: list[None] = []
        output.on_drop = lambda: heard.append(None)
        record = logging.makeLogRecord({"msg": "x" * 4000, "levelname": "INFO"})
        for _ in range(2 * capacity // 4000):
            output.handle(record)
        assert len(heard) == output.dropped > 0
        told = 0
        while told < output.dropped:  # the lines that still wait are written once somebody reads, and say it
            line = json.loads(pipe.readline())
            told += line["extra"]["lines"] if line["message"] == "log.dropped" else 0
        assert told == output.dropped
        output.close()


def test_the_metric_counts_the_lines_that_a_reader_who_went_away_does_not_get(tmp_path: Path) -> None:
    service = Service(tmp_path / "data")
    source, sink = os.pipe()
    environment = {"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path / "data"), "PORT": str(service.port)}
    environment["MCP_PDF_SERVER_DIR"] = str(SAMPLES)
    command = [sys.executable, "-m", "agent", "serve"]
    service.process = subprocess.Popen(command, env=environment, stdout=sink, stderr=sink)
    try:
        os.close(sink)
        os.close(source)
        service.wait(lambda: service.get("/health/ready")[0] == 200)

        def counted() -> bool:
            found = re.search(r"^log_lines_dropped_total (\S+)$", service.get("/metrics")[1], re.MULTILINE)
            return found is not None and float(found[1]) > 0

        service.wait(counted)
        assert service.stop() == 0
    finally:
        if service.process.poll() is None:
            service.kill()
