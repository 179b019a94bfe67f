create table payments (
    order_id uuid primary key,
    -- These four are unknown if the order was cancelled before anything was due.
    customer_id uuid,
    seller_id uuid,
    amount_minor bigint check (amount_minor > 0),
    currency text,
    pay_until_ms bigint,
    status text not null
        check (status in ('OPEN', 'PROCESSING', 'SUCCEEDED', 'FAILED', 'VOIDED', 'REFUNDING', 'REFUNDED')),
    -- The order was cancelled while the provider was being asked: a success is to be refunded.
    cancelled boolean not null default false,
    charge_id text check (charge_id is not null or status not in ('SUCCEEDED', 'REFUNDING', 'REFUNDED')),
    refund_id text check (refund_id is not null or status <> 'REFUNDED'),
    decline_code text,
    card_brand text,
    card_last4 text,
    version bigint not null,
    sequence bigint not null,
    created_ms bigint not null,
    updated_ms bigint not null
);
create index payments_of_customer on payments (customer_id, order_id desc);
create index payments_of_seller on payments (seller_id, order_id desc);
create index payments_by_status on payments (status, order_id desc);

-- What the provider is asked for. Committed before it is asked, with the key that makes asking again safe; asked
-- again until the answer is definite. One charge and one refund for an order at most.
create table provider_calls (
    order_id uuid not null references payments (order_id),
    kind text not null check (kind in ('charge', 'refund')),
    idempotency_key text not null unique,
    -- What stands for the card, for a charge.
    token text check ((token is not null) = (kind = 'charge')),
    charge_id text check ((charge_id is not null) = (kind = 'refund')),
    amount_minor bigint not null check (amount_minor > 0),
    currency text not null,
    tries integer not null default 0,
    -- By the machine's clock, not by the one that can be moved: this is about the provider, not about the order.
    next_try_at timestamptz not null default clock_timestamp(),
    last_error text,
    -- Where the order to pay, or to refund, came from.
    correlation_id text not null,
    causation_id uuid,
    traceparent text,
    answered_at timestamptz,
    primary key (order_id, kind)
);
create index provider_calls_due on provider_calls (next_try_at) where answered_at is null;
