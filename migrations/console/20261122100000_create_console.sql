create table accounts (
    id uuid primary key,
    -- In lower case.
    email text not null constraint accounts_email_unique unique,
    role text not null check (role in ('customer', 'seller', 'admin')),
    -- Argon2id, in the PHC format.
    password_hash text not null,
    created_at timestamptz not null default clock_timestamp()
);

-- Refresh tokens, by their SHA-256. Each is used once; those that follow from one login are a family, which ends as a
-- whole when one of them is used again.
create table refresh_tokens (
    hash bytea primary key,
    account_id uuid not null references accounts (id),
    family uuid not null,
    expires_at timestamptz not null,
    used_at timestamptz,
    revoked boolean not null default false
);
create index refresh_tokens_of_family on refresh_tokens (family);
create index refresh_tokens_expired on refresh_tokens (expires_at);

-- Everything that was heard on the topics.
create table events (
    position bigint generated always as identity primary key,
    event_id uuid not null unique,
    source text not null,
    event_type text not null,
    subject text not null,
    -- The order that it is about; none for the catalogue.
    order_id uuid,
    -- The seller of the product that it is about; none for orders.
    seller_id uuid,
    sequence bigint not null,
    correlation_id text not null,
    causation_id uuid,
    at_ms bigint not null,
    published_ms bigint not null,
    received_ms bigint not null default now_ms(),
    data jsonb not null
);
create index events_of_order on events (order_id, position) where order_id is not null;

-- Who may see the events of an order.
create table participants (
    order_id uuid primary key,
    customer_id uuid not null,
    seller_id uuid not null
);
create index participants_customer on participants (customer_id);
create index participants_seller on participants (seller_id);
