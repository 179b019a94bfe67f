-- The ledger is summed up for each product and order, page by page, in their order. What was received has no order; nil
-- stands for none. What the old index was for begins with the product too.
create index stock_ledger_by_order on stock_ledger
    (product_id, (coalesce(order_id, '00000000-0000-0000-0000-000000000000')));
drop index stock_ledger_of_product;
