# syntax=docker/dockerfile:1
# Two images: `docker build .` (no OCR) and `docker build --target ocr .`. Size by package: ops/image/sizes.
# Dependencies come from hashed locks (ops/lock writes them); nothing is compiled from C and no compiler is installed.

FROM python:3.11-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
RUN python -m venv /opt/venv
WORKDIR /src
COPY ops/image/requirements.txt ops/image/requirements-build.txt ./
RUN /opt/venv/bin/pip install --quiet --require-hashes --only-binary=:all: -r requirements.txt \
 && python -m venv /opt/wheel \
 && /opt/wheel/bin/pip install --quiet --require-hashes --only-binary=:all: -r requirements-build.txt
COPY setup.cfg pyproject.toml README.md LICENSE ./
COPY agent agent
COPY mcp_pdf mcp_pdf
# The package is installed as a wheel: no source tree stands in the image. Byte code is made now, since the root file
# system is read-only later; it is never checked against its source, which cannot change either.
RUN /opt/wheel/bin/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir /wheel . \
 && /opt/venv/bin/pip install --quiet --no-deps /wheel/*.whl \
 && /opt/venv/bin/pip uninstall --quiet --yes pip setuptools \
 && find /opt/venv -type d \( -name tests -o -name test \) -prune -exec rm -rf {} + \
 && find /opt/venv -name '*.so' -exec sh -c 'command -v strip >/dev/null && strip --strip-unneeded "$@" || true' sh {} + \
 && python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/venv

FROM build AS build-ocr
COPY ops/image/requirements-ocr.txt ./
RUN python -m venv /opt/pip && /opt/pip/bin/pip --python /opt/venv/bin/python install --quiet --require-hashes \
    --only-binary=:all: -r requirements-ocr.txt \
 && python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/venv

FROM python:3.11-slim AS runtime
# No version of tini is named: the base's distribution offers one, and drops it when it fixes it.
# /var/lib/agent is 1777: runc gives a tmpfs laid over it root as owner and this mode, and the service must write there.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends tini \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin \
 && groupadd --gid 1000 agent \
 && useradd --uid 1000 --gid 1000 --home-dir /var/lib/agent --no-create-home --shell /usr/sbin/nologin agent \
 && install -d -m 1777 -o 1000 -g 1000 /var/lib/agent \
 && install -d -m 0755 /app /data/pdfs
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOST=0.0.0.0 \
    PORT=8080 \
    DATA_DIR=/var/lib/agent \
    MCP_PDF_SERVER_DIR=/data/pdfs
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Document Extraction Agent" \
      org.opencontainers.image.description="Typed values with proof from PDF documents, over A2A and MCP" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
WORKDIR /app
# Numeric, so that Kubernetes can see that it is not root. All it may write to: the volume and /tmp.
USER 1000:1000
VOLUME /var/lib/agent
EXPOSE 8080
# Docker marks a container unhealthy but does not restart it; the service restarts its PDF server by itself.
HEALTHCHECK --interval=30s --timeout=10s --start-period=40s --retries=3 CMD ["extraction-agent", "healthcheck"]
STOPSIGNAL SIGTERM
# An init: it hands signals on and reaps what the PDF server's workers leave behind.
ENTRYPOINT ["/usr/bin/tini", "--"]
CMD ["extraction-agent", "serve"]

FROM runtime AS ocr
COPY --from=build-ocr /opt/venv /opt/venv

FROM runtime AS agent
COPY --from=build /opt/venv /opt/venv
