"""What kafka-python, which shares no code with librdkafka, sees of a broker.

Usage: kafka_python_client.py BOOTSTRAP PREFIX

Asserts by itself: exits with 0 and one line for each part that passed, or with 1 and a traceback. PREFIX makes
the names of topics and groups unique, and everything made under it is deleted at the end.
"""

import sys
import threading
import time

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, OffsetSpec
from kafka.errors import TopicAlreadyExistsError, UnknownTopicOrPartitionError
from kafka.structs import OffsetAndMetadata

BOOTSTRAP, PREFIX = sys.argv[1:]
COMMON = {"bootstrap_servers": BOOTSTRAP, "client_id": PREFIX}
# The other codecs want packages of their own; confluent-kafka covers them.
CODECS = [None, "gzip"]
PARTITIONS = 3
RECORDS = 300
# Milliseconds. Any moment will do that is not now: it shows that the producer's time is kept.
FIRST_TIMESTAMP = 1_700_000_000_000
LIMIT_SECONDS = 45
# kafka-python gives up a join that takes longer than one poll, and a poll returns at once when there are records.
POLL_MS = 1000


def check(actual, expected, what):
    assert actual == expected, f"{what}:\n  expected {expected!r}\n  found    {actual!r}"


def check_fails(error, what, action):
    try:
        result = action()
    except error:
        return
    raise AssertionError(f"{what}: expected {error.__name__}, found {result!r}")


def until(what, ready):
    """Calls `ready` until it returns something, which is then returned."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while True:
        found = ready()
        if found:
            return found
        assert time.monotonic() < deadline, f"waited {LIMIT_SECONDS} s for {what}"
        time.sleep(0.01)


def record(index):
    return {
        "key": b"order-%d" % (index % 17),
        "value": b"value-%d " % index * 20,
        "headers": [("trace", b"t-%d" % index), ("empty", b"")],
        "timestamp_ms": FIRST_TIMESTAMP + index,
    }


def seen(message):
    return {
        "key": message.key,
        "value": message.value,
        "headers": list(message.headers),
        "timestamp_ms": message.timestamp,
    }


def produce(topic, indexes, **config):
    """Returns the records by (partition, offset) as they were acknowledged."""
    producer = KafkaProducer(**COMMON, linger_ms=20, **config)
    futures = {index: producer.send(topic, **record(index)) for index in indexes}
    acknowledged = {}
    for index, future in futures.items():
        metadata = future.get(timeout=LIMIT_SECONDS)
        acknowledged[metadata.partition, metadata.offset] = record(index)
    producer.close()
    check(len(acknowledged), len(indexes), "different offsets acknowledged")
    return acknowledged


def poll_into(consumer, found):
    for messages in consumer.poll(timeout_ms=POLL_MS).values():
        for message in messages:
            found[message.partition, message.offset] = seen(message)


def read(consumer, count):
    """The next `count` records by (partition, offset)."""
    found = {}
    until(f"{count} records", lambda: poll_into(consumer, found) or len(found) >= count)
    return found


def by_partition(records):
    return {p: sum(1 for partition, _ in records if partition == p) for p in range(PARTITIONS)}


def group_consumer(group, client_id):
    return KafkaConsumer(
        bootstrap_servers=BOOTSTRAP,
        client_id=client_id,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        heartbeat_interval_ms=100,
        fetch_max_wait_ms=20,
    )


class Member(threading.Thread):
    """A member of a group: joins and reads until it is told to commit and leave."""

    def __init__(self, group, topic, client_id):
        super().__init__(daemon=True)
        self.client_id, self.found, self.commits = client_id, {}, None
        self.consumer = group_consumer(group, client_id)
        self.consumer.subscribe([topic])
        self.start()

    def run(self):
        while self.commits is None:
            # Nothing is committed yet, so a rebalance may bring a record again.
            poll_into(self.consumer, self.found)
        self.consumer.commit({p: OffsetAndMetadata(self.commits[p], "", -1) for p in self.consumer.assignment()})
        self.consumer.close()

    def assigned(self):
        return sorted(p.partition for p in self.consumer.assignment())

    def leave(self, commits):
        self.commits = commits
        self.join(LIMIT_SECONDS)
        assert not self.is_alive(), f"{self.client_id} did not leave within {LIMIT_SECONDS} s"


def topics(admin):
    topic = f"{PREFIX}-topics"
    admin.create_topics({topic: {"num_partitions": 4, "replication_factor": 1, "configs": {"retention.ms": "3600000"}}})
    check_fails(
        TopicAlreadyExistsError, "creating a topic twice", lambda: admin.create_topics({topic: {"num_partitions": 4}})
    )
    admin.create_topics({f"{topic}-dry": {"num_partitions": 1}}, validate_only=True)
    # Apache Kafka's broker hears of a new topic a moment after its controller.
    until("the topic in the list", lambda: topic in admin.list_topics())
    names = admin.list_topics()
    assert f"{topic}-dry" not in names, "validate_only made a topic"

    cluster = admin.describe_cluster()
    (broker,) = cluster["brokers"]
    check(f"{broker['host']}:{broker['port']}", BOOTSTRAP, "address of the broker")
    check(cluster["controller_id"], broker["broker_id"], "controller")
    assert cluster["cluster_id"], "the cluster has no id"

    (described,) = admin.describe_topics([topic])
    check((described["error_code"], described["name"], described["is_internal"]), (0, topic, False), "description")
    partitions = sorted(described["partitions"], key=lambda p: p["partition_index"])
    check([p["partition_index"] for p in partitions], [0, 1, 2, 3], "described partitions")
    for partition in partitions:
        copies = (partition["leader_id"], partition["replica_nodes"], partition["isr_nodes"])
        check(copies, (broker["broker_id"], [broker["broker_id"]], [broker["broker_id"]]), "leader and copies")

    described = admin.describe_configs([ConfigResource("TOPIC", topic)], config_filter="all")
    configs = described["topic"][topic]
    check(configs["retention.ms"]["value"], "3600000", "the topic's retention")
    check(configs["cleanup.policy"]["value"], "delete", "the topic's cleanup policy")

    admin.delete_topics([topic])
    check_fails(UnknownTopicOrPartitionError, "deleting a topic twice", lambda: admin.delete_topics([topic]))
    until("the topic to be gone", lambda: topic not in admin.list_topics())


def records(admin):
    """Idempotent and plain, compressed or not: what was acknowledged is what is read."""
    for codec in CODECS:
        for idempotent in (True, False):
            what = f"{PREFIX}-{codec}-{'idempotent' if idempotent else 'plain'}"
            admin.create_topics({what: {"num_partitions": PARTITIONS}}, wait_for_metadata=True)
            acknowledged = produce(what, range(RECORDS), compression_type=codec, enable_idempotence=idempotent)
            for partition, count in by_partition(acknowledged).items():
                offsets = sorted(offset for p, offset in acknowledged if p == partition)
                check(offsets, list(range(count)), f"offsets of {what} [{partition}]")
            partitions = [TopicPartition(what, p) for p in range(PARTITIONS)]
            consumer = KafkaConsumer(**COMMON, check_crcs=True, fetch_max_wait_ms=20)
            consumer.assign(partitions)
            consumer.seek_to_beginning()
            check(read(consumer, RECORDS), acknowledged, f"records of {what}")
            counts = {TopicPartition(what, p): count for p, count in by_partition(acknowledged).items()}
            check(consumer.beginning_offsets(partitions), dict.fromkeys(partitions, 0), "beginning offsets")
            check(consumer.end_offsets(partitions), counts, "end offsets")
            consumer.close()
            listed = admin.list_partition_offsets(dict.fromkeys(partitions, OffsetSpec.LATEST))
            check({p: found.offset for p, found in listed.items()}, counts, "end offsets, asked by the admin")
            admin.delete_topics([what])


def offsets_by_time(admin):
    topic = f"{PREFIX}-time"
    admin.create_topics({topic: {"num_partitions": 1}}, wait_for_metadata=True)
    produce(topic, range(10))
    consumer = KafkaConsumer(**COMMON)
    partition = TopicPartition(topic, 0)
    moments = {FIRST_TIMESTAMP - 1: 0, FIRST_TIMESTAMP + 4: 4, FIRST_TIMESTAMP + 9: 9, FIRST_TIMESTAMP + 10: None}
    for moment, offset in moments.items():
        found = consumer.offsets_for_times({partition: moment})[partition]
        check(found and found.offset, offset, f"offset for {moment}")
    consumer.close()
    admin.delete_topics([topic])


def groups(admin):
    """Two members share the partitions, commit, leave; their successor continues; then the group is deleted."""
    topic, group = f"{PREFIX}-groups", f"{PREFIX}-group"
    admin.create_topics({topic: {"num_partitions": PARTITIONS}}, wait_for_metadata=True)
    acknowledged = produce(topic, range(RECORDS), compression_type="gzip")

    members = [Member(group, topic, f"{PREFIX}-{name}") for name in "ab"]

    def assignment():
        return {member.client_id: member.assigned() for member in members}

    def shared():
        now = assignment().values()
        return sorted(sum(now, [])) == [0, 1, 2] and all(now)

    until("both members to have partitions", shared)

    description = admin.describe_groups([group])[group]
    check((description["error"], description["group_state"]), (None, "Stable"), "state of the group")
    check((description["protocol_type"], description["protocol_data"]), ("consumer", "range"), "assignor")
    described = {
        member["client_id"]: sorted(
            p for t in member["member_assignment"]["assigned_partitions"] for p in t["partitions"]
        )
        for member in description["members"]
    }
    check(described, assignment(), "assignment of the members")
    check(admin.delete_groups([group]), {group: "NonEmptyGroupError"}, "deleting a group with members")

    def found():
        return members[0].found | members[1].found

    until("every record", lambda: len(found()) == RECORDS)
    check(found(), acknowledged, "records that the group read")
    counts = {TopicPartition(topic, p): count for p, count in by_partition(acknowledged).items()}
    for member in members:
        member.leave(counts)

    description = admin.describe_groups([group])[group]
    check((description["group_state"], description["members"]), ("Empty", []), "the group after its members left")
    listed = [g for g in admin.list_groups() if g["group_id"] == group]
    check([(g["protocol_type"], g["group_state"]) for g in listed], [("consumer", "Empty")], "the group in the list")

    more = produce(topic, range(RECORDS, RECORDS + 50))
    successor = group_consumer(group, f"{PREFIX}-c")
    successor.subscribe([topic])
    check(read(successor, 50), more, "records after the committed offsets")
    check({p: successor.committed(p) for p in counts}, counts, "committed offsets, asked by the consumer")
    successor.close()
    committed = admin.list_group_offsets([group])[group]
    check({p: found.offset for p, found in committed.items()}, counts, "committed offsets, asked by the admin")
    check(admin.delete_groups([group]), {group: "OK"}, "deleting the group")
    check(admin.delete_groups([group]), {group: "GroupIdNotFoundError"}, "deleting the group twice")
    admin.delete_topics([topic])


def main():
    admin = KafkaAdminClient(**COMMON)
    for part in (topics, records, offsets_by_time, groups):
        started = time.monotonic()
        part(admin)
        print(f"passed {part.__name__} in {time.monotonic() - started:.1f} s", flush=True)
    admin.close()


main()
