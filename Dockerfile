FROM python:3.13-slim

# BLAS threads of several visitors would fight over the cores; the engine has one thread of its own.
ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    BOKEH_RESOURCES=server \
    OPENBLAS_NUM_THREADS=1 \
    OMP_NUM_THREADS=1 \
    HOME=/tmp

WORKDIR /babysit
COPY pyproject.toml README.md ./
COPY engine ./engine
COPY app ./app
RUN pip install --no-cache-dir . && rm -rf build engine

# The package is installed; `app` stays here for `panel serve`, which wants a folder.
USER 65534:65534
EXPOSE 5006
STOPSIGNAL SIGTERM

HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:5006/liveness', timeout=4)"]

# Students reach it under whatever name the teacher gives them, hence every origin; put a proxy in front
# and name the origin there to be stricter. A session lives long enough to close a laptop for a break.
CMD ["panel", "serve", "app", "--address", "0.0.0.0", "--port", "5006", \
     "--allow-websocket-origin", "*", "--liveness", "--session-token-expiration", "86400", \
     "--unused-session-lifetime", "180000", "--check-unused-sessions", "15000"]
