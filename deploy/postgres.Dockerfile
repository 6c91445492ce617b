# PostgreSQL 17 with the extensions the platform uses, from the same PGDG packages the official image is built on.
FROM postgres:17-bookworm
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        postgresql-17-postgis-3 postgresql-17-pgvector postgresql-17-partman \
    && rm -rf /var/lib/apt/lists/*
COPY deploy/postgres-openfga.sh /docker-entrypoint-initdb.d/10-openfga.sh
