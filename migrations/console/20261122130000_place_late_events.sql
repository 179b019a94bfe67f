-- An event may be heard before the creation of its order, and is nobody's until then; admins see it at once. When the
-- order is known, it gets a position behind everything that was shown by then: whoever reads on from a position misses
-- nothing, and sees nothing twice.
alter table events add column late_position bigint;
create index events_by_place on events ((coalesce(late_position, position)));
