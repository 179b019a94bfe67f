#!/usr/bin/env bash
# A declined card: the order is cancelled, and its stock comes back by itself.
# Needs a running cluster (`orderflow up --detach`) and jq.
set -euo pipefail

product=$(orderflow --as seller product add --name "Test Widget" --price 29.99 --stock 10 -o json | jq -r .id)
order=$(orderflow --as customer order create --item "$product:2" -o json | jq -r .id)
orderflow --as seller order confirm "$order" --wait

# Exit code 5 says that the saga has ended with the order cancelled. A card's number comes over standard input only.
code=0
printf 'number=4000000000000002\nexp_month=12\nexp_year=2034\ncvc=123\n' |
    orderflow --as customer order pay "$order" --card-file - --wait || code=$?
test "$code" -eq 5

orderflow --as customer order show "$order" -o json |
    jq -e '.status == "CANCELLED" and .cancel_reason == "payment_failed"'

# The watch ends when stock and money are back as well.
orderflow --as customer order watch "$order" --timeout 30s
orderflow --as seller product show "$product" -o json | jq -e '.reserved == 0 and .available == 10'
