-- Faults that are set in this service of a local cluster. They outlive a restart, since some of them cause one.
create table faults (
    name text primary key,
    set jsonb not null,
    struck bigint not null default 0,
    ends_at timestamptz
);
