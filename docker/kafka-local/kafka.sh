#!/usr/bin/env bash
# Apache Kafka on this machine without Docker: one JVM (KRaft, broker and controller in one), for tests.
set -euo pipefail

readonly VERSION=4.3.1
readonly PLUGIN_VERSION=3.8.1
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly HERE
readonly CACHE=${ORDERFLOW_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/orderflow}
readonly LIB=$CACHE/kafka-$VERSION/lib
readonly START_SECONDS_MAX=60
readonly STOP_SECONDS_MAX=15
readonly FETCH_SECONDS_MAX=300
readonly LOG_TAIL_LINES=40

usage() {
    cat <<EOF
usage: kafka.sh fetch                           resolve the jars with Maven, once
       kafka.sh fetched                         exit 0 when that is done, 3 when not; asks nobody
       kafka.sh start [--port P] [--dir DIR]    start in the background, print 127.0.0.1:PORT
       kafka.sh run   [--port P] [--dir DIR]    the same in the foreground
       kafka.sh stop  [--dir DIR]               stop it and remove DIR
       kafka.sh tool NAME ARGS...               run one of Kafka's own tools:
           topics, consumer-groups, console-producer, console-consumer, verifiable-producer,
           verifiable-consumer, producer-perf-test, broker-api-versions
DIR is /tmp/orderflow-kafka-UID unless given. The jars are in $LIB.
exit codes: 0 ok, 1 error, 2 usage, 3 the jars are not here and cannot be had
EOF
}

say() { echo "kafka.sh: $*" >&2; }
die() { say "$1"; exit "${2:-1}"; }

fetched() { [[ -f $LIB/kafka_2.13-$VERSION.jar ]]; }

fetch() {
    fetched && return
    command -v java >/dev/null || die "java not found; install a JRE 17 or newer" 3
    command -v mvn >/dev/null || die "mvn not found; install Maven, or copy a filled $LIB" 3
    mkdir -p "${LIB%/*}"
    local part limit=()
    # Copied beside its place and renamed, so that a broken download is never taken for a cache.
    part=$(mktemp -d "${LIB%/*}/lib.part.XXXXXX")
    trap 'rm -rf "$part"' EXIT
    command -v timeout >/dev/null && limit=(timeout "$FETCH_SECONDS_MAX")
    say "resolving Apache Kafka $VERSION from Maven Central (about 45 MB)"
    if ! ${limit[@]+"${limit[@]}"} mvn -B -q -Dstyle.color=never -f "$HERE/pom.xml" \
        "org.apache.maven.plugins:maven-dependency-plugin:$PLUGIN_VERSION:copy-dependencies" \
        -DincludeScope=runtime -DoutputDirectory="$part/lib" >"$part/mvn.log" 2>&1; then
        die "cannot resolve Apache Kafka $VERSION from Maven Central: $(sed -n '/ERROR/{s/^.*\[ERROR\] *//;s/ -> \[Help.*//;p;q;}' "$part/mvn.log")" 3
    fi
    # Someone else may have been faster: mv would then put ours inside theirs.
    fetched || mv "$part/lib" "$LIB"
    rm -rf "${LIB:?}/lib" "$part"
    trap - EXIT
}

jvm() { # LEVEL OPTIONS-AND-CLASS...
    local level=$1
    shift
    exec java -cp "$LIB/*" -Dlog4j2.configurationFile="$HERE/log4j2.properties" -Dkafka.local.level="$level" \
        -Djava.awt.headless=true "$@"
}

# C1 only and a small serial heap: a tool lives for a second.
small_jvm() { jvm WARN -Xmx128m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 "$@"; }

# The process of DIR, if it lives. The command line is compared because process ids are used again.
pid_of() {
    local pid
    pid=$(cat "$1/pid" 2>/dev/null) || return 1
    [[ $(ps -ww -p "$pid" -o args= 2>/dev/null) == *" $1/server.properties" ]] && echo "$pid"
}

listening() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Below the range from which the kernel gives ports to clients.
free_port() {
    local port
    for _ in {1..100}; do
        port=$((20000 + RANDOM % 10000))
        listening "$port" || { echo "$port"; return; }
    done
    die "no free port found between 20000 and 29999"
}

# Sends a request, given as printf's escapes, and prints the first bytes of the answer in hexadecimal.
ask() { # PORT REQUEST BYTES
    {
        exec 3<>"/dev/tcp/127.0.0.1/$1"
        # shellcheck disable=SC2059 # the escapes are the point
        printf "$2" >&3
        timeout 2 head -c "$3" <&3 | od -An -v -tx1 | tr -d ' \n'
    } 2>/dev/null
}

# Asks for Metadata (version 1, no topics) and looks at the number of brokers: while it is 0 the broker
# is still fenced, and a client would be told that it has no leader for anything.
answers() {
    local reply
    reply=$(ask "$1" '\0\0\0\016\0\003\0\001\0\0\0\007\377\377\0\0\0\0' 12) || return 1
    [[ $reply == ????????0000000700000001 ]]
}

# Asks for a producer id (InitProducerId, version 0) and looks at the error code. The first one ever asked for is refused
# while the broker fetches a block of them, and some clients take that badly.
gives_producer_ids() {
    local reply
    reply=$(ask "$1" '\0\0\0\020\0\026\0\0\0\0\0\007\377\377\377\377\0\0\352\140' 14) || return 1
    [[ $reply == ????????00000007????????0000 ]]
}

prepare() { # DIR PORT
    local dir=$1 port=$2 controller_port
    controller_port=$(free_port)
    while [[ $controller_port == "$port" ]]; do controller_port=$(free_port); done
    cat >"$dir/server.properties" <<EOF
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller_port
controller.listener.names=CONTROLLER
controller.quorum.voters=1@127.0.0.1:$controller_port
log.dirs=$dir/data

auto.create.topics.enable=true
num.partitions=1

# One machine: one copy of everything, and few internal partitions to open at the start.
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1

# Tests wait for rebalances and let members die.
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=100

# The cleaner takes this from the heap at the start; the default is 128 MB.
log.cleaner.dedupe.buffer.size=4194304
EOF
    (small_jvm kafka.tools.StorageTool format --ignore-formatted -t AAAAAAAAQACAAAAAAAAAAQ \
        -c "$dir/server.properties") >"$dir/format.log" 2>&1 || {
        cat "$dir/format.log" >&2
        die "formatting $dir/data failed"
    }
}

server() { # DIR: becomes the broker
    # -Xms and G1 as in Kafka's own scripts, only smaller: measurements are taken against this one too.
    jvm INFO -Xmx512m -Xms256m -XX:+UseG1GC -XX:MaxGCPauseMillis=20 kafka.Kafka "$1/server.properties"
}

wait_ready() { # DIR PORT PID
    local deadline=$((SECONDS + START_SECONDS_MAX))
    until answers "$2" && gives_producer_ids "$2"; do
        if ! kill -0 "$3" 2>/dev/null; then
            tail -n "$LOG_TAIL_LINES" "$1/server.log" >&2
            say "Apache Kafka ended while it was starting; the log is $1/server.log"
            return 1
        fi
        if ((SECONDS >= deadline)); then
            tail -n "$LOG_TAIL_LINES" "$1/server.log" >&2
            say "Apache Kafka did not answer within $START_SECONDS_MAX s; the log is $1/server.log"
            return 1
        fi
        sleep 0.1
    done
}

main() {
    local command=${1:-} dir="" port=""
    [[ $# -gt 0 ]] && shift
    case $command in
    fetch) fetch ;;
    fetched) fetched && command -v java >/dev/null || exit 3 ;;
    tool) tool "$@" ;;
    start | run | stop)
        while (($#)); do
            case $1 in
            --port) [[ ${2:-} =~ ^[0-9]+$ ]] || die "--port wants a number" 2; port=$2; shift 2 ;;
            --dir) [[ -n ${2:-} ]] || die "--dir wants a directory" 2; dir=$2; shift 2 ;;
            *) usage >&2; die "unknown argument $1" 2 ;;
            esac
        done
        dir=${dir:-/tmp/orderflow-kafka-$UID}
        if [[ $command == stop ]]; then
            [[ -d $dir ]] || return 0
        else
            mkdir -p "$dir"
        fi
        # One spelling for each directory: the running broker is known by it.
        dir=$(cd "$dir" && pwd -P)
        "$command" "$dir" "$port"
        ;;
    help | -h | --help) usage ;;
    *) usage >&2; exit 2 ;;
    esac
}

# Sets `port` and leaves DIR ready to be served from.
before_start() { # DIR PORT
    local running
    if running=$(pid_of "$1"); then die "$1 is in use by process $running; stop it first, or choose another --dir"; fi
    if [[ -n $2 ]] && listening "$2"; then die "port $2 is taken"; fi
    fetch
    port=${2:-$(free_port)}
    prepare "$1" "$port"
}

start() { # DIR PORT
    local dir=$1 port pid
    before_start "$dir" "$2"
    # Ctrl-C at the caller, or the end of its terminal, must not take the broker along.
    (trap '' HUP INT; server "$dir") </dev/null >"$dir/server.log" 2>&1 &
    pid=$!
    disown
    echo "$pid" >"$dir/pid"
    wait_ready "$dir" "$port" "$pid" || { kill -KILL "$pid" 2>/dev/null; exit 1; }
    echo "127.0.0.1:$port"
}

run() { # DIR PORT
    local dir=$1 port pid=$$
    before_start "$dir" "$2"
    (if wait_ready "$dir" "$port" "$pid"; then echo "127.0.0.1:$port"; else kill -TERM "$pid"; fi) &
    echo "$pid" >"$dir/pid"
    server "$dir" </dev/null >"$dir/server.log" 2>&1
}

stop() { # DIR
    local dir=$1 pid deadline=$((SECONDS + STOP_SECONDS_MAX))
    if pid=$(pid_of "$dir"); then
        kill -TERM "$pid"
        while kill -0 "$pid" 2>/dev/null && ((SECONDS < deadline)); do sleep 0.1; done
        if kill -KILL "$pid" 2>/dev/null; then
            say "process $pid did not stop within $STOP_SECONDS_MAX s: killed"
        fi
    fi
    # Only what start made: a mistyped --dir loses nothing.
    rm -rf "$dir/data" "$dir/pid" "$dir/server.properties" "$dir/server.log" "$dir/format.log"
    rmdir "$dir" 2>/dev/null || say "$dir holds files of others and stays"
}

tool() { # NAME ARGS...
    local class
    case ${1:-} in
    topics) class=org.apache.kafka.tools.TopicCommand ;;
    consumer-groups) class=org.apache.kafka.tools.consumer.group.ConsumerGroupCommand ;;
    console-producer) class=org.apache.kafka.tools.ConsoleProducer ;;
    console-consumer) class=org.apache.kafka.tools.consumer.ConsoleConsumer ;;
    verifiable-producer) class=org.apache.kafka.tools.VerifiableProducer ;;
    verifiable-consumer) class=org.apache.kafka.tools.VerifiableConsumer ;;
    producer-perf-test) class=org.apache.kafka.tools.ProducerPerformance ;;
    broker-api-versions) class=org.apache.kafka.tools.BrokerApiVersionsCommand ;;
    *) usage >&2; die "unknown tool ${1:-}" 2 ;;
    esac
    shift
    fetch
    small_jvm "$class" "$@"
}

main "$@"
