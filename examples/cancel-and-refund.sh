#!/usr/bin/env bash
# A paid order is called off: the stock is released, and the money goes back to the card.
# Needs a running cluster (`orderflow up --detach`) and jq.
set -euo pipefail

product=$(orderflow --as seller product add --name "Test Widget" --price 29.99 --stock 10 -o json | jq -r .id)
order=$(orderflow --as customer order create --item "$product:2" -o json | jq -r .id)
orderflow --as seller order confirm "$order" --wait
orderflow --as customer order pay "$order" --token tok_visa --wait

# Returns when stock and money are back.
orderflow --as customer order cancel "$order" --wait

orderflow --as customer payment show "$order" -o json | jq -e '.status == "REFUNDED" and .refund_id != null'
orderflow --as seller reservation show "$order" -o json | jq -e '.status == "RELEASED"'
orderflow --as seller product show "$product" -o json | jq -e '.on_hand == 10 and .reserved == 0'
