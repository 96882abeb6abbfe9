#!/usr/bin/env bash
# The first start of PostgreSQL: a schema for Supabase Auth, a database for bearward, and a role for each, which sees nothing of the other's.
set -euo pipefail
: "${AUTH_DB_PASSWORD:?node deploy/secrets.mjs writes it}" "${BEARWARD_DB_PASSWORD:?node deploy/secrets.mjs writes it}"
# Passwords come from the environment, and stand on no command line.
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres <<'SQL'
\getenv auth_password AUTH_DB_PASSWORD
\getenv bearward_password BEARWARD_DB_PASSWORD
CREATE ROLE supabase_auth_admin LOGIN NOINHERIT CREATEROLE PASSWORD :'auth_password';
CREATE SCHEMA auth AUTHORIZATION supabase_auth_admin;
ALTER ROLE supabase_auth_admin SET search_path = auth;
GRANT CREATE ON DATABASE postgres TO supabase_auth_admin;
CREATE ROLE bearward LOGIN PASSWORD :'bearward_password';
CREATE DATABASE bearward OWNER bearward;
REVOKE CONNECT ON DATABASE bearward FROM PUBLIC;
REVOKE CONNECT ON DATABASE postgres FROM PUBLIC;
GRANT CONNECT ON DATABASE postgres TO supabase_auth_admin;
SQL
