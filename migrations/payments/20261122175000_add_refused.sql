-- A try that the provider refused says nothing about the tries before it, whose answers were never heard: one of them may
-- still be under way there. Since when all tries were refused, and which was the last one of those.
alter table provider_calls
    add column refused_since timestamptz,
    add column refused_try integer;
