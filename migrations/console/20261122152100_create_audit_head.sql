-- The last entry of the audit log. The next one is chained to what stands here, and the newest entries cannot be taken
-- away without its being seen.
create table audit_head (
    only_row boolean primary key default true check (only_row),
    number bigint not null,
    hash bytea not null
);
insert into audit_head (number, hash) select number, hash from audit order by number desc limit 1;
