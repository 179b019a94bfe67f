-- What one order or product has told of is asked for by `orderflow why`, and published again by subject.
create index outbox_by_key on outbox (key, id);
