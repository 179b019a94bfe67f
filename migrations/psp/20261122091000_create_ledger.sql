-- The provider's own books. No card number is in any column, nor anything that one could be computed from.

-- What stands for a card. The tokens of test cards are known without a row.
create table tokens (
    id uuid primary key,
    brand text not null,
    last4 text not null check (last4 ~ '^[0-9]{4}$'),
    -- What becomes of its charges: see src/test_cards.rs.
    behaviour text not null,
    created_ms bigint not null default now_ms()
);

-- Money that was taken, or not. Ids are in the order of time.
create table charges (
    id uuid primary key,
    amount_minor bigint not null check (amount_minor > 0),
    currency text not null check (currency in ('USD', 'EUR')),
    status text not null check (status in ('succeeded', 'declined')),
    decline_code text,
    brand text not null,
    last4 text not null,
    reference text not null,
    refunded_minor bigint not null default 0,
    created_ms bigint not null default now_ms(),
    constraint charges_declined_with_a_code check ((status = 'declined') = (decline_code is not null)),
    constraint charges_refunded_within_amount check (refunded_minor between 0 and amount_minor),
    constraint charges_refunded_if_succeeded check (status = 'succeeded' or refunded_minor = 0)
);

create table refunds (
    id uuid primary key,
    charge_id uuid not null references charges (id),
    amount_minor bigint not null check (amount_minor > 0),
    currency text not null check (currency in ('USD', 'EUR')),
    reference text not null,
    created_ms bigint not null default now_ms()
);

-- What was asked for with which idempotency key, and what was answered. Kept for good: this is a simulator, and a key
-- that is forgotten takes money twice.
create table request_keys (
    key text primary key,
    -- SHA-256 of what was asked for.
    fingerprint bytea not null,
    -- How often it was answered with an error that the token asks for.
    failures integer not null default 0,
    -- The charge or the refund as it was answered; none while there were only failures.
    answer jsonb,
    created_ms bigint not null default now_ms()
);

create index charges_reference on charges (reference, id);
create index refunds_reference on refunds (reference, id);
create index refunds_charge on refunds (charge_id);
