-- The service's own copy of the catalogue, from the topic of that name: what orders are priced from.
create table catalog (
    product_id uuid primary key,
    seller_id uuid not null,
    name text not null,
    price_minor bigint not null check (price_minor > 0),
    currency text not null,
    version bigint not null
);

create table orders (
    id uuid primary key,
    customer_id uuid not null,
    seller_id uuid not null,
    lines jsonb not null,
    total_minor bigint not null,
    currency text not null,
    status text not null
        check (status in ('PENDING', 'CONFIRMING', 'CONFIRMED', 'PAID', 'FULFILLED', 'CANCELLED')),
    pay_until_ms bigint check ((status = 'CONFIRMED') = (pay_until_ms is not null)),
    cancel_reason text check ((status = 'CANCELLED') = (cancel_reason is not null)),
    reservation text not null,
    payment text not null,
    -- How often it has changed; who saves has to know the last one.
    version bigint not null,
    -- The number of its last event.
    sequence bigint not null,
    created_ms bigint not null,
    updated_ms bigint not null
);

-- Ids are in the order of time, so that they sort the lists.
create index orders_of_customer on orders (customer_id, id desc);
create index orders_of_seller on orders (seller_id, id desc);
create index orders_by_status on orders (status, id desc);
