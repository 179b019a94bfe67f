-- How often each fault has struck since the data of this service began: also what has ended or was taken back.
create table fault_bites (
    name text primary key,
    bites bigint not null
);
