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

-- How long things are kept goes by the machine's clock: the service's can be moved.
create function machine_ms() returns bigint language sql volatile as $$
    select (extract(epoch from clock_timestamp()) * 1000)::bigint
$$;
alter table outbox alter column created_ms set default machine_ms();
alter table inbox alter column applied_ms set default machine_ms();
alter table dead_letters alter column created_ms set default machine_ms();
alter table idempotency_keys alter column created_ms set default machine_ms();
