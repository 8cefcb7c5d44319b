# The two images of the platform, from one lock file: `--target operator` and `--target service`.
# The base needs nothing but Debian trixie and Python 3.13; the interpreter is called python3 in each.
ARG BASE_IMAGE=docker.io/library/python:3.13-slim-trixie

# Tools stay in this stage: nothing below inherits from it, only /opt/venv and the bytecode are copied out.
FROM ${BASE_IMAGE} AS build
# The system's certificates are trusted (UV_SYSTEM_CERTS), so that a build behind a company's proxy works like any other.
ENV DEBIAN_FRONTEND=noninteractive \
    PIP_NO_CACHE_DIR=1 \
    UV_NO_CACHE=1 \
    UV_LINK_MODE=copy \
    UV_COMPILE_BYTECODE=1 \
    UV_PYTHON_DOWNLOADS=never \
    UV_SYSTEM_CERTS=true \
    UV_PROJECT_ENVIRONMENT=/opt/venv
# A bare Debian has neither venv nor pip, and its python3 is the interpreter that the final image has too.
RUN python3 -c "import ensurepip, venv" 2>/dev/null || { \
      apt-get update && \
      apt-get install -y --no-install-recommends python3-venv python3-pip ca-certificates && \
      rm -rf /var/lib/apt/lists/*; }
RUN python3 -m venv /opt/uv && /opt/uv/bin/pip install --quiet "uv>=0.9,<1"
WORKDIR /src
COPY pyproject.toml uv.lock ./

FROM build AS operator-environment
RUN UV_PYTHON="$(command -v python3)" /opt/uv/bin/uv sync --frozen --no-dev --no-install-project --extra operator
COPY operator /opt/acme
RUN python3 -m compileall -q --invalidation-mode unchecked-hash /opt/acme

FROM build AS service-environment
RUN UV_PYTHON="$(command -v python3)" /opt/uv/bin/uv sync --frozen --no-dev --no-install-project --extra services
COPY services/acme_services /opt/acme/acme_services
COPY services/gen/acme_rpc /opt/acme/acme_rpc
RUN python3 -m compileall -q --invalidation-mode unchecked-hash /opt/acme

FROM ${BASE_IMAGE} AS runtime
ENV PATH=/opt/venv/bin:${PATH} \
    PYTHONPATH=/opt/acme \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
WORKDIR /opt/acme

FROM runtime AS operator
COPY --from=operator-environment /opt/venv /opt/venv
COPY --from=operator-environment /opt/acme /opt/acme
LABEL org.opencontainers.image.title="acme-operator" \
      org.opencontainers.image.description="The operator for AcmeService, AcmeDatastore and AcmeTopic" \
      org.opencontainers.image.licenses="Apache-2.0"
EXPOSE 8080
# After the copies, which belong to root; a number, because the kubelet cannot check runAsNonRoot against a name.
USER 10001:10001
ENTRYPOINT ["python3", "-m", "acme_operator"]

FROM runtime AS service
COPY --from=service-environment /opt/venv /opt/venv
COPY --from=service-environment /opt/acme /opt/acme
LABEL org.opencontainers.image.title="acme-services" \
      org.opencontainers.image.description="The Acme domain services; the argument names the one to run" \
      org.opencontainers.image.licenses="Apache-2.0"
EXPOSE 9090 9464
USER 10001:10001
ENTRYPOINT ["python3", "-m", "acme_services"]
