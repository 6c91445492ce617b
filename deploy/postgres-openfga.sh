#!/bin/sh
# OpenFGA's own database, made once when the cluster is new. Everything else is made by `axion migrate`.
set -eu
psql --no-psqlrc --set=ON_ERROR_STOP=1 --set=password="$OPENFGA_DATABASE_PASSWORD" --username "$POSTGRES_USER" <<'SQL'
CREATE ROLE axion_sense_permissions LOGIN PASSWORD :'password';
CREATE DATABASE axion_sense_permissions OWNER axion_sense_permissions;
REVOKE ALL ON DATABASE axion_sense_permissions FROM PUBLIC;
SQL
