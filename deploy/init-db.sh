#!/usr/bin/env bash
# Runs at the first start of PostgreSQL: creates a schema for Supabase Auth, a database for bearward, and a role for each without access to the other.
set -euo pipefail
: "${AUTH_DB_PASSWORD:?is not set; run node deploy/secrets.mjs}" "${BEARWARD_DB_PASSWORD:?is not set; run node deploy/secrets.mjs}"
# Passwords are read from the environment, so that they are not visible in the process list.
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
