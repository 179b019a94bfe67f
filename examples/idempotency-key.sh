#!/usr/bin/env bash
# A command that may have been lost is repeated with the same key: it is done once. The same key with another content
# is refused with exit code 6.
# Needs a running cluster (`orderflow up --detach`) and jq.
set -euo pipefail

product=$(orderflow --as seller product add --name "Test Widget" --price 29.99 --stock 10 -o json | jq -r .id)
key="order-$product"

first=$(orderflow --as customer order create --item "$product:2" --idempotency-key "$key" -o json | jq -r .id)
again=$(orderflow --as customer order create --item "$product:2" --idempotency-key "$key" -o json | jq -r .id)
test "$first" = "$again"

code=0
orderflow --as customer order create --item "$product:3" --idempotency-key "$key" || code=$?
test "$code" -eq 6

# Paying twice with one key charges once.
orderflow --as seller order confirm "$first" --wait
for _ in 1 2; do
    orderflow --as customer order pay "$first" --token tok_visa --idempotency-key "pay-$first" --wait
done
orderflow --as customer payment show "$first" -o json | jq -e '.status == "SUCCEEDED"'
