create table products (
    id uuid primary key,
    seller_id uuid not null,
    name text not null,
    price_minor bigint not null check (price_minor > 0),
    currency text not null,
    on_hand integer not null check (on_hand >= 0),
    -- Held for or allocated to orders. The constraint is what decides about the last piece.
    reserved integer not null check (reserved >= 0),
    -- How often name or price were set; the sequence of the product's events.
    version bigint not null,
    created_ms bigint not null,
    constraint products_not_oversold check (reserved <= on_hand)
);
create index products_of_seller on products (seller_id, id desc);
create index products_by_name on products (name, id);
create index products_by_price on products (price_minor, id);

-- Every movement of stock, for ever: on hand is what was received less what was shipped.
create table stock_ledger (
    id bigint generated always as identity primary key,
    product_id uuid not null references products (id),
    -- None where stock was received.
    order_id uuid,
    kind text not null check (kind in ('received', 'reserved', 'released', 'shipped')),
    quantity integer not null check (quantity > 0),
    at_ms bigint not null
);
create index stock_ledger_of_product on stock_ledger (product_id, id);

create table reservations (
    order_id uuid primary key,
    -- Both are unknown if the order was cancelled before stock was asked for.
    customer_id uuid,
    seller_id uuid,
    status text not null
        check (status in ('HELD', 'REFUSED', 'EXPIRED', 'ALLOCATED', 'LOST', 'COMMITTED', 'RELEASED')),
    -- What was asked for: a number for each product.
    lines jsonb not null,
    expires_ms bigint check ((status = 'HELD') = (expires_ms is not null)),
    -- For what the service does by itself: the command that all this follows from.
    correlation_id text not null,
    version bigint not null,
    sequence bigint not null,
    created_ms bigint not null,
    updated_ms bigint not null
);
create index reservations_to_expire on reservations (expires_ms) where status = 'HELD';
create index reservations_of_customer on reservations (customer_id, order_id desc);
create index reservations_of_seller on reservations (seller_id, order_id desc);
