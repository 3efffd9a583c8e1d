# Babysit for a class: one process, no network, nothing written to disk, no rights.
FROM python:3.13-slim AS build

# Certificates are the system's, as behind a school's proxy.
ENV UV_NATIVE_TLS=true \
    UV_LINK_MODE=copy \
    UV_PYTHON_DOWNLOADS=never \
    UV_PROJECT_ENVIRONMENT=/venv
WORKDIR /babysit
RUN pip install --no-cache-dir uv==0.13.9
COPY pyproject.toml README.md ./
COPY engine ./engine
COPY app ./app
# Bytecode comes with the image: the file system may be read-only, and starting takes a third.
# --extra cluster: class rooms across processes.
ARG EXTRAS=
RUN uv sync --no-dev --no-editable --no-cache --compile-bytecode $EXTRAS \
    && find /venv -type d \( -name tests -o -name test \) -prune -exec rm -rf {} + \
    && find /venv -name '*.js.map' -delete


FROM python:3.13-slim

# BLAS threads of several visitors would fight over the cores; the engine has one thread of its own.
# One heap is enough for threads that share a core: one each would have holes of its own.
ENV PATH=/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    BOKEH_RESOURCES=server \
    OPENBLAS_NUM_THREADS=1 \
    OMP_NUM_THREADS=1 \
    MALLOC_ARENA_MAX=1 \
    HOME=/tmp \
    BABYSIT_MAX_VISITORS=60 \
    BABYSIT_MAX_PARAMETERS=4000000 \
    BABYSIT_MAX_UPLOAD_MB=8 \
    BABYSIT_FRAME_RATE=10 \
    BABYSIT_PIN_CORE=1 \
    BABYSIT_DATA=

WORKDIR /babysit
COPY --from=build /venv /venv
# The package is installed; `app` stays here for `panel serve`, which wants a folder.
COPY app ./app
USER 65534:65534
EXPOSE 5006
STOPSIGNAL SIGTERM

HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:5006/liveness', timeout=4)"]

# Students reach it under whatever name the teacher gives them, hence every origin; who puts a proxy
# in front sets BOKEH_ALLOW_WS_ORIGIN to the name there, and BABYSIT_BEHIND_PROXY=1. A run waits three
# minutes for a laptop that was closed, and its page may be open for a day. The font of error pages is
# the system's. A password for the class: BABYSIT_PASSWORD, or BABYSIT_PASSWORD_FILE, a secret that is
# mounted.
CMD ["panel", "serve", "app", "--address", "0.0.0.0", "--port", "5006", \
     "--allow-websocket-origin", "*", "--session-token-expiration", "86400", \
     "--unused-session-lifetime", "180000", "--check-unused-sessions", "15000", \
     "--page-config", "{\"theme_config\": {\"typography\": {\"fontFamily\": \"system-ui, sans-serif\"}}}"]
