-- Which replica is asking the provider at the moment, by its name in the consumer group, if it has one: when it is started
-- again it goes on at once, and does not wait for the end of the lease.
alter table provider_calls add column leased_by text;
