-- Who did what to what, for ever. Each entry has the hash of the one before in its own, so that none can be altered or
-- taken away unseen.
create table audit (
    number bigint primary key,
    at_ms bigint not null,
    actor text not null,
    action text not null,
    subject text not null,
    detail jsonb not null,
    hash bytea not null
);
create index audit_by_subject on audit (subject, number desc);
create index audit_by_actor on audit (actor, number desc);
