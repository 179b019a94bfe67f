-- What people have to know of events and dead letters, and can do with the latter.

alter table inbox add column subject text not null default '';

alter table dead_letters
    add column status text not null default 'open' check (status in ('open', 'replayed', 'discarded')),
    add column event_id uuid,
    add column subject text;
create index dead_letters_by_status on dead_letters (status, created_ms desc, id);

-- The broker that the outbox was last published to. One that comes back empty has another id, and is fed again.
create table broker (
    only_row boolean primary key default true check (only_row),
    cluster_id text not null
);
