-- How often a fault was asked whether it strikes: which of its chances comes next, so that a seed goes on after a restart.
alter table faults add column asked bigint not null default 0;
