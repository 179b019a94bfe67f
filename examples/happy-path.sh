#!/usr/bin/env bash
# One order from the catalogue to the door: a product is listed, ordered, confirmed (stock is held), paid and shipped.
# Needs a running cluster (`orderflow up --detach`) and jq.
set -euo pipefail

product=$(orderflow --as seller product add --name "Test Widget" --price 29.99 --stock 10 -o json | jq -r .id)
order=$(orderflow --as customer order create --item "$product:2" -o json | jq -r .id)

# --wait returns when the saga has taken the step, and not only when it was asked for.
orderflow --as seller order confirm "$order" --wait
orderflow --as customer order pay "$order" --token tok_visa --wait
orderflow --as seller order fulfill "$order" --wait

orderflow --as customer order timeline "$order"
on_hand=$(orderflow --as seller product show "$product" -o json | jq .on_hand)
echo "10 were there, $on_hand are left"
test "$on_hand" -eq 8
