# syntax=docker/dockerfile:1
# Wellread's image: web, workers, beat and migrations all run from it (docker-compose.yml).

FROM python:3.12-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /app
RUN python -m venv /opt/wellread
COPY requirements.txt ./
RUN /opt/wellread/bin/pip install --require-hashes --no-deps --only-binary :all: -r requirements.txt
COPY . ./
# Static files are collected with keys that exist for this one command only.
RUN SECRET_KEY="$(python -c 'import secrets; print(secrets.token_hex(32))')" \
    TOKEN_KEYS="1:$(python -c 'import secrets; print(secrets.token_hex(32))')" \
    LEDGER_KEYS="1:$(python -c 'import secrets; print(secrets.token_hex(32))')" \
    SUPPRESSION_KEYS="1:$(python -c 'import secrets; print(secrets.token_hex(32))')" \
    FACTOR_KEYS="1:$(python -c 'import secrets; print(secrets.token_hex(32))')" \
    BASE_URL=https://build.invalid VAR_DIR=/app/var STATIC_ROOT=/app/static-collected \
    /opt/wellread/bin/python manage.py collectstatic --noinput \
    && /opt/wellread/bin/python -m compileall -q project newsletter signup

FROM python:3.12-slim-bookworm
ENV PATH=/opt/wellread/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=project.settings \
    VAR_DIR=/var/lib/wellread \
    STATIC_ROOT=/app/static-collected \
    WEB_BIND=0.0.0.0:8000
RUN groupadd --gid 10001 wellread \
    && useradd --uid 10001 --gid wellread --no-create-home --home-dir /var/lib/wellread wellread \
    && install -d -o wellread -g wellread -m 0750 /var/lib/wellread
COPY --from=build /opt/wellread /opt/wellread
COPY --from=build /app /app
WORKDIR /app
USER wellread
VOLUME /var/lib/wellread
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-I", "project/probe.py"]
CMD ["gunicorn", "-c", "python:project.web"]
