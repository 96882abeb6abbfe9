-- Todos belong to a user. The policies decide which rows a query sees, so no query needs a WHERE.
create table todos (
  id bigint generated always as identity primary key,
  user_id uuid not null default auth.uid(),
  title text not null check (length(title) between 1 and 200),
  done boolean not null default false
);
create index on todos (user_id);

alter table todos enable row level security;
grant select, insert, update, delete on todos to authenticated;

-- `(select auth.uid())` is evaluated once per statement instead of once per row.
create policy "users read and write their own todos" on todos
  for all to authenticated
  using (user_id = (select auth.uid()))
  with check (user_id = (select auth.uid()));

-- Announcements can be read by everyone, also without a token. Nobody can write them here.
create table announcements (
  id bigint generated always as identity primary key,
  text text not null
);

alter table announcements enable row level security;
grant select on announcements to anon, authenticated;

create policy "everyone reads announcements" on announcements
  for select to anon, authenticated
  using (true);

insert into announcements (text) values ('Welcome');
