#!/usr/bin/env bash
# Ten customers want the last piece at the same time: one gets it, nine are told that it is out of stock.
# Needs a running cluster (`orderflow up --detach`) and jq.
set -euo pipefail

product=$(orderflow --as seller product add --name "The last one" --price 99 --stock 1 -o json | jq -r .id)
orders=()
for _ in {1..10}; do
    orders+=("$(orderflow --as customer order create --item "$product:1" -o json | jq -r .id)")
done

jobs=()
for order in "${orders[@]}"; do
    orderflow --as seller order confirm "$order" --wait --quiet >/dev/null 2>&1 &
    jobs+=($!)
done

won=0 lost=0
for job in "${jobs[@]}"; do
    code=0
    wait "$job" || code=$?
    case $code in
        0) won=$((won + 1)) ;;
        5) lost=$((lost + 1)) ;;
        *) exit "$code" ;;
    esac
done
echo "$won got it, $lost did not"
test "$won" -eq 1
test "$lost" -eq 9
orderflow --as seller product show "$product" -o json | jq -e '.reserved == 1 and .available == 0'
