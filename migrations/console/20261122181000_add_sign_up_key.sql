-- The SHA-256 of the idempotency key that the account was opened with, if there was one: who opens it again with this key
-- and its password has lost the answer.
alter table accounts add column sign_up_key bytea;
