#!/usr/bin/env bash
# Everything that can be broken is broken, in turn and then all together, for minutes, while orders keep coming; then it
# is mended, and everything is counted.
#
#     examples/soak.sh [--minutes 10] [--seed N] [--rate N] [--keep]
#
# 1. Each fault of `orderflow chaos` by itself, in each service, until its counter has gone up: one that never bites is
#    a failure. So it is with each line that is cut, each process that is paused and killed. Each clock is moved.
# 2. For so many minutes: all faults at once, each now and then, and by the seed's dice kill -9 of every process, of the
#    supervisor too, pauses, cuts, crashes at every point, clocks that go wrong.
# 3. `chaos clear`. The load drives to their end what it has begun; `verify`, no dead letter, an audit log that is whole,
#    and whatever is not over yet has to wait for a person, by `why`.
#
# Brings its own cluster, on free ports between 10000 and 20000, and leaves nothing behind; with --keep the cluster stays where something was
# found. Needs jq.
set -euo pipefail

minutes=10 seed=1 rate=5 keep=false
while (($#)); do
    case $1 in
        --minutes) minutes=$2 && shift 2 ;;
        --seed) seed=$2 && shift 2 ;;
        --rate) rate=$2 && shift 2 ;;
        --keep) keep=true && shift ;;
        *) echo "usage: $0 [--minutes 10] [--seed N] [--rate N] [--keep]" >&2 && exit 2 ;;
    esac
done
seconds=$(jq -n "$minutes * 60 | floor")
RANDOM=$seed

# How long something may take to bite, to be there again, to come to rest.
bite_max=60 back_max=120 rest_max=180
services=(orders inventory payments console)
processes=(orders inventory payments console psp broker postgres)
lines=("${services[@]/%/ broker}" "${services[@]/%/ postgres}" "payments provider")

# A copy, so that building another one meanwhile changes nothing here.
program=$(command -v orderflow || echo "$(dirname "$0")/../target/debug/orderflow")
dir=$(mktemp -d)
# As root, PostgreSQL runs as another account, which has to get through.
chmod 711 "$dir"
mkdir "$dir/bin" "$dir/home"
cp "$program" "$dir/bin/orderflow"
for variable in "${!ORDERFLOW_@}"; do unset "$variable"; done
export HOME=$dir/home ORDERFLOW_DATA_DIR=$dir/cluster PATH=$dir/bin:$PATH
load="" did=$dir/did
touch "$did"

finish() {
    code=$?
    trap - EXIT INT TERM
    test -z "$load" || kill "$load" 2>/dev/null || true
    if test "$code" -ne 0; then
        echo "failed after $SECONDS s with seed $seed" >&2
        tail -n 5 "$dir"/load.log >&2 || true
        if $keep; then
            echo "the cluster is still in $dir: HOME=$HOME ORDERFLOW_DATA_DIR=$ORDERFLOW_DATA_DIR" >&2
            exit "$code"
        fi
        orderflow logs --lines 20 >&2 || true
    fi
    orderflow --quiet reset --yes || true
    rm -rf "$dir"
    exit "$code"
}
trap finish EXIT
trap 'exit 130' INT TERM

say() { printf '%5d s  %s\n' "$SECONDS" "$*"; }

# What was done is counted by its words.
note() {
    say "$*"
    echo "$*" >>"$did"
}

# As admin, and without a word if it cannot be done: then it is not done, or tried again.
quietly() { orderflow --quiet --timeout 10s "$@" >/dev/null 2>&1; }

# Again and again until it works, for so many seconds.
insist() {
    local until=$((SECONDS + $1))
    shift
    until "$@"; do
        if ((SECONDS >= until)); then
            echo "in vain: $*" >&2
            return 1
        fi
        sleep 0.2
    done
}

broken() { orderflow chaos list -o json 2>/dev/null; }
status() { orderflow status -o json 2>/dev/null || true; }
healthy() { orderflow --quiet status -o json >/dev/null 2>&1; }
is() { jq -e "$@" >/dev/null 2>&1; }

# Free ports, and the same ones when the supervisor was killed: the load has to find the services again. Not by
# --any-port: for a moment nobody listens on them then, and other clusters of this machine choose from 20000 on.
ports=()
choose_ports() {
    local name port=$((10000 + ($$ * 7 + SECONDS * 70) % 9900))
    ports=()
    for name in console orders inventory payments provider broker postgres; do
        ports+=(--port "$name=$((port++))")
    done
}

up() { orderflow --quiet --timeout 60s up --detach "${ports[@]}" >/dev/null; }

up_somewhere() { choose_ports && up; }

# ---------------------------------------------------------------------------------------------------- 1. each in turn

# Whether a fault has struck wherever it was set.
has_struck() {
    broken >"$dir/broken.json" || return 1
    is --arg fault "$1" --argjson there "$2" \
        '[.faults[] | select(.name == $fault and .struck > 0) | .service] | contains($there)' "$dir/broken.json"
}

# Sets a fault, as `chaos set` has it, and waits until it has bitten in each of its services.
bite() {
    local fault=$1 there
    insist "$back_max" set_fault "$@" || return
    there=$(jq -c '[.[].service]' "$dir/set.json")
    if ! insist "$bite_max" has_struck "$fault" "$there"; then
        echo "$* has not bitten everywhere:" >&2
        jq -c --arg fault "$fault" '.faults[] | select(.name == $fault)' "$dir/broken.json" >&2
        return 1
    fi
    note "bites: $* ($(jq -r --arg fault "$fault" \
        '[.faults[] | select(.name == $fault) | "\(.service) \(.struck)"] | join(", ")' "$dir/broken.json"))"
    insist "$back_max" quietly chaos clear
}

set_fault() { orderflow --quiet chaos set "$@" --seed "$seed" -o json >"$dir/set.json" 2>/dev/null; }

each_fault() {
    local point service
    bite http-latency 50ms
    bite db-refused 50%
    bite db-slow 100ms
    bite commit-lost 30%
    bite relay-paused
    bite relay-twice
    # One after the other: where nobody listens, there is soon nothing to hear.
    for service in "${services[@]}"; do bite consumer-paused --service "$service"; done
    bite consumer-slow 100ms
    bite deliver-twice
    bite deliver-late 200ms --percent 30
    bite payment-failure
    bite provider-latency 200ms
    bite provider-timeout --times 2
    bite provider-error --percent 50
    for point in before-commit after-commit after-publish after-handling; do
        for service in "${services[@]}"; do
            # The console's relay has dead letters to publish, and there are none.
            test "$point $service" = "after-publish console" || bite crash "$point" --service "$service"
        done
    done
    bite crash after-answer --service payments
}

# A clock that is wrong is seen by its difference.
each_clock() {
    local service
    for service in "${services[@]}"; do
        insist "$back_max" quietly chaos set clock-skew 5m --service "$service"
        # A clock is written down by whoever it is moved for; it takes a look to see it.
        insist "$bite_max" clock_differs "$service"
        note "bites: clock-skew 5m --service $service"
        insist "$back_max" quietly chaos clear
    done
}

clock_differs() {
    broken >"$dir/broken.json" && is --arg service "$1" \
        '.clock_skews | any(.service == $service and .ahead_ms > 0)' "$dir/broken.json"
}

# How often something has struck in a service, or was done to a process, since the cluster began.
bites_of() {
    broken | jq --arg there "$1" --arg name "$2" '[.bites[] | select(.service == $there and .name == $name) | .bites] | add // 0'
}

has_bitten() { test "$(bites_of "$1" "$2")" -gt "$3" 2>/dev/null; }

# $1: where, $2: by which name it is counted, then what is done.
count() {
    local there=$1 name=$2 before
    shift 2
    before=$(bites_of "$there" "$name")
    insist "$back_max" quietly chaos "$@"
    insist "$bite_max" has_bitten "$there" "$name" "$before"
    note "bites: $* ($(($(bites_of "$there" "$name") - before)))"
}

each_line() {
    local line service from
    for line in "${lines[@]}"; do
        read -r service from <<<"$line"
        count "$service" "cut-from-$from" cut "$service" --from "$from"
        insist "$back_max" quietly chaos clear
    done
}

each_process() {
    local process
    for process in "${processes[@]}"; do
        count "$process" pause pause "$process"
        insist "$back_max" quietly chaos resume "$process"
        insist "$back_max" healthy
        count "$process" kill kill "$process"
        insist "$back_max" healthy
    done
}

# ---------------------------------------------------------------------------------------------------- 2. all together

# Moderate: orders still have to get through.
everything_at_once() {
    local fault
    while read -r -a fault; do
        insist "$back_max" quietly chaos set "${fault[@]}" --seed "$seed"
    done <<'FAULTS'
http-latency 50ms --percent 10
db-refused 2%
db-slow 50ms --percent 10
commit-lost 3%
relay-twice 10%
consumer-slow 50ms --percent 10
deliver-twice 10%
deliver-late 200ms --percent 3
payment-failure 10%
provider-latency 200ms --percent 20
provider-timeout 3%
provider-error 10%
FAULTS
}

# One of each, and more of what hurts most, in an order of the dice.
deck=()
shuffle() {
    local process line service point other index swap
    deck=("kill supervisor" "kill supervisor")
    for process in "${processes[@]}"; do
        deck+=("kill $process" "kill $process" "kill $process" "pause $process" "restart $process")
    done
    for line in "${lines[@]}"; do deck+=("cut $line"); done
    for service in "${services[@]}"; do
        for point in before-commit after-commit after-handling; do deck+=("crash $service $point"); done
        test "$service" = console || deck+=("crash $service after-publish")
        deck+=("skew $service")
    done
    deck+=("crash payments after-answer" "stop relay-paused" "stop consumer-paused")
    for ((index = ${#deck[@]} - 1; index > 0; index--)); do
        other=$((RANDOM % (index + 1)))
        swap=${deck[index]} deck[index]=${deck[other]} deck[other]=$swap
    done
}

# As the kernel does when memory is short: nobody is told before.
kill_process() {
    local pid
    if test "$1" = supervisor; then
        pid=$(status | jq .supervisor_pid)
    else
        pid=$(status | jq --arg name "$1" '.processes[] | select(.name == $name) | .pid // empty')
    fi
    # One that is not there at the moment cannot be killed.
    { test -n "$pid" && kill -9 "$pid" 2>/dev/null; } || return 0
    note "kill -9 $1"
    test "$1" != supervisor || insist "$back_max" up || exit 1
}

# $1: what, $2 and $3: with what.
strike() {
    local for=$((1 + RANDOM % 4))s
    case $1 in
        kill) kill_process "$2" ;;
        pause) quietly chaos pause "$2" --for "$for" && note "pause $2" ;;
        restart) quietly chaos restart "$2" && note "restart $2" ;;
        cut) quietly chaos cut "$2" --from "$3" --for "$for" && note "cut $2 --from $3" ;;
        crash) quietly chaos set crash "$3" --service "$2" && note "crash $3 --service $2" ;;
        stop) quietly chaos set "$2" --for "$for" && note "$2" ;;
        skew) quietly chaos set clock-skew $((RANDOM % 600 - 300))s --service "$2" && note "clock-skew --service $2" ;;
    esac
}

all_together() {
    local until=$((SECONDS + seconds)) card=()
    while ((SECONDS < until)); do
        ((${#deck[@]})) || shuffle
        read -r -a card <<<"${deck[-1]}"
        unset 'deck[-1]'
        strike "${card[@]}" || say "cannot be done now: ${card[*]}"
        sleep "$((RANDOM % 3)).$((RANDOM % 10))"
    done
}

# ---------------------------------------------------------------------------------------------------- 3. the reckoning

end_load() {
    kill -TERM "$load"
    local code=0
    wait "$load" || code=$?
    load=
    jq -r '"load: \(.orders) orders, \(.retries) retries, \(.unfinished | length) unfinished, \(.missing | length) missing",
        (.endings[] | "    \(.orders) \(.kind): \(.ending)"),
        (.not_finished[] | "    \(.orders) not finished at \(.stage): \(.why)")' "$dir/load.json"
    test "$code" -eq 0 || tail -n 5 "$dir/load.log" >&2
    return "$code"
}

# The ids of all orders with a status.
orders() {
    local cursor="" page
    while :; do
        page=$(orderflow --as admin order list --status "$1" --limit 200 ${cursor:+--cursor "$cursor"} -o json)
        jq -r '.items[].id' <<<"$page"
        cursor=$(jq -r '.next_cursor // empty' <<<"$page")
        test -n "$cursor" || return 0
    done
}

# Each order that is not over has to wait for a person and for nothing else.
explained() {
    local order all=0 odd=0 status
    for status in pending confirming confirmed paid; do
        for order in $(orders "$status"); do
            all=$((all + 1))
            orderflow --as admin why "$order" -o json >"$dir/why.json"
            is '.over or (.blocked_by | length > 0 and all(.kind == "person"))' "$dir/why.json" && continue
            odd=$((odd + 1))
            jq -c '{order_id, status, stands, waits_for, blocked_by}' "$dir/why.json" >&2
        done
    done
    say "why: $all orders are not over, $((all - odd)) of them wait for a person"
    test "$odd" -eq 0
}

reckon() {
    local code=0
    insist "$back_max" quietly chaos clear && insist "$back_max" healthy || return 1
    say "nothing is broken any more"
    end_load || code=1
    orderflow verify --timeout "${rest_max}s" || code=1
    orderflow audit verify || code=1
    orderflow dlq list -o json | is '.items == []' || { orderflow dlq list >&2 && code=1; }
    explained || code=1
    return "$code"
}

summary() {
    echo
    echo "what was done in $SECONDS s, with $minutes minutes of everything at once, seed $seed:"
    grep -v '^bites:' "$did" | sort | uniq -c || true
    echo "how often each fault has struck; what a service had not written down when it was killed is not in it:"
    broken | jq -r '.bites | group_by(.name)[] | "\(map(.bites) | add) \(.[0].name) (\(map("\(.service) \(.bites)") |
        join(", ")))"' | while read -r line; do echo "  $line"; done
    echo "$(grep -c '^kill -9' "$did" || true) kills in all; each fault by itself: $(grep -c '^bites:' "$did") were seen to bite"
}

# All of it is read before it begins, so that the file can be changed meanwhile.
main() {
    insist "$back_max" up_somewhere
    orderflow --as admin load --rate "$rate" --seed "$seed" --drain 2m -o json >"$dir/load.json" 2>"$dir/load.log" &
    load=$!
    say "a cluster with an order every $(jq -n "1000 / $rate | floor") ms, seed $seed"

    each_fault
    each_clock
    each_line
    each_process
    everything_at_once
    say "everything at once, for $seconds s"
    all_together
    local code=0
    reckon || code=1
    summary
    exit "$code"
}

main
