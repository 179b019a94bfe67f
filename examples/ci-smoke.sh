#!/usr/bin/env bash
# A smoke test for CI: brings up a cluster of its own on free ports, takes one order all the way, and leaves nothing
# behind. Needs jq.
set -euo pipefail

dir=$(mktemp -d)
# As root, PostgreSQL runs as another account, which has to get through.
chmod 711 "$dir"
export ORDERFLOW_DATA_DIR=$dir/cluster
finish() {
    code=$?
    # What went wrong is in the logs.
    test "$code" -eq 0 || orderflow logs --lines 20 >&2 || true
    orderflow reset --yes
    rm -rf "$dir"
}
trap finish EXIT

orderflow up --detach --any-port --timeout 2m
product=$(orderflow --as seller product add --name "Smoke" --price 1 --stock 1 -o json | jq -r .id)
order=$(orderflow --as customer order create --item "$product:1" -o json | jq -r .id)
orderflow --as seller order confirm "$order" --wait -o json | jq -e '.status == "CONFIRMED"'
orderflow --as customer order pay "$order" --token tok_visa --wait -o json | jq -e '.status == "PAID"'
orderflow --as seller order fulfill "$order" --wait -o json | jq -e '.status == "FULFILLED"'
orderflow --as seller product show "$product" -o json | jq -e '.on_hand == 0'
