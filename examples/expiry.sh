#!/usr/bin/env bash
# Nobody pays: after half an hour the order is cancelled and the stock is free again. The clock is moved, so it takes a
# second. All orders of the cluster feel it: use one of your own (`orderflow up --detach --any-port --name clock`, and
# `export ORDERFLOW_CLUSTER=clock`). Needs jq.
set -euo pipefail

product=$(orderflow --as seller product add --name "Test Widget" --price 29.99 --stock 10 -o json | jq -r .id)
order=$(orderflow --as customer order create --item "$product:2" -o json | jq -r .id)
orderflow --as seller order confirm "$order" --wait

orderflow clock advance 31m
# Returns when the order is over, and stock and payment with it.
orderflow --as customer order watch "$order" --timeout 30s

orderflow --as customer order show "$order" -o json | jq -e '.status == "CANCELLED" and .cancel_reason == "expired"'
orderflow --as seller product show "$product" -o json | jq -e '.reserved == 0 and .available == 10'

# It is too late to pay.
if orderflow --as customer order pay "$order" --token tok_visa --wait; then
    echo "an expired order was paid" >&2
    exit 1
fi
