-- The roles and functions that every Supabase project has, for a plain PostgreSQL database.
-- On Supabase, skip this file.

do $$
declare
  name text;
begin
  foreach name in array array['anon', 'authenticated'] loop
    if not exists (select from pg_catalog.pg_roles where rolname = name) then
      execute format('create role %I nologin noinherit', name);
    end if;
  end loop;
  -- The service logs in as this role. It has no privileges of its own, and NOINHERIT keeps it from
  -- using those of the roles below without switching to them.
  if not exists (select from pg_catalog.pg_roles where rolname = 'authenticator') then
    create role authenticator login noinherit nosuperuser nobypassrls;
  end if;
end
$$;
grant anon, authenticated to authenticator;

create schema if not exists auth;
grant usage on schema auth, public to anon, authenticated;

-- After a transaction, a setting that it has set is the empty string and not null.
create or replace function auth.jwt() returns jsonb language sql stable as
  $$ select nullif(current_setting('request.jwt.claims', true), '')::jsonb $$;

create or replace function auth.uid() returns uuid language sql stable as
  $$ select (auth.jwt() ->> 'sub')::uuid $$;

create or replace function auth.role() returns text language sql stable as
  $$ select auth.jwt() ->> 'role' $$;
