#!/usr/bin/env bash
# More is ordered than there is: an order gets all of its lines or nothing, and nothing is owed.
# Needs a running cluster (`orderflow up --detach`) and jq.
set -euo pipefail

plenty=$(orderflow --as seller product add --name "Plenty" --price 5 --stock 100 -o json | jq -r .id)
scarce=$(orderflow --as seller product add --name "Scarce" --price 500 --stock 1 -o json | jq -r .id)
order=$(orderflow --as customer order create --item "$plenty:1" --item "$scarce:2" -o json | jq -r .id)

code=0
orderflow --as seller order confirm "$order" --wait || code=$?
test "$code" -eq 5

orderflow --as customer order show "$order" -o json |
    jq -e '.status == "CANCELLED" and .cancel_reason == "out_of_stock" and .payment.status == "NONE"'
orderflow --as seller product show "$plenty" -o json | jq -e '.reserved == 0'
orderflow --as seller product show "$scarce" -o json | jq -e '.reserved == 0'
