-- What every service has beside its own tables.

-- The clock of the service: its database's, moved by so much. One row.
create table clock (
    only_row boolean primary key default true check (only_row),
    offset_ms bigint not null default 0
);
insert into clock default values;

create function now_ms() returns bigint language sql volatile as $$
    select (extract(epoch from clock_timestamp()) * 1000)::bigint + offset_ms from clock
$$;

-- Events that were committed together with the change that they tell of. Rows are never updated.
create table outbox (
    id bigint generated always as identity primary key,
    event_id uuid not null unique,
    topic text not null,
    key text not null,
    headers jsonb not null,
    payload bytea not null,
    created_ms bigint not null default now_ms()
);

-- Which of them the relay has not published yet. Narrow, so that rows that come and go cost little.
create table outbox_pending (
    id bigint primary key references outbox (id)
);

-- Which events were applied, each once.
create table inbox (
    event_id uuid primary key,
    topic text not null,
    partition integer not null,
    "offset" bigint not null,
    applied_ms bigint not null default now_ms(),
    -- How often it came again and was passed over.
    duplicates integer not null default 0
);

-- What could not be applied and never will be as it is.
create table dead_letters (
    id uuid primary key,
    topic text not null,
    partition integer not null,
    "offset" bigint not null,
    key bytea,
    headers jsonb not null,
    payload bytea,
    reason text not null,
    created_ms bigint not null default now_ms()
);

-- Answers that were given to requests with an idempotency key.
create table idempotency_keys (
    account_id uuid not null,
    key text not null,
    -- SHA-256 of method, path and body.
    fingerprint bytea not null,
    status integer,
    body jsonb,
    created_ms bigint not null default now_ms(),
    primary key (account_id, key)
);

create index outbox_created on outbox (created_ms);
create index inbox_applied on inbox (applied_ms);
create index idempotency_keys_created on idempotency_keys (created_ms);
