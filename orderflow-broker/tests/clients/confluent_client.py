"""What confluent-kafka (librdkafka) sees of a broker. Usage: confluent_client.py BOOTSTRAP PREFIX

Asserts by itself: exits with 0 and one line for each part that passed, or with 1 and a traceback. PREFIX makes
the names of topics and groups unique, and everything made under it is deleted at the end.
"""

import sys
import time

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    ConsumerGroupState,
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    Producer,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, OffsetSpec, ResourceType

BOOTSTRAP, PREFIX = sys.argv[1:]
COMMON = {"bootstrap.servers": BOOTSTRAP, "client.id": PREFIX}
# A waiting fetch holds up what else is asked on its connection, and a rebalance waits for the next heartbeat: the
# defaults, 500 ms and 3 s, would be most of this script's time.
CONSUMER = COMMON | {"fetch.wait.max.ms": 20, "heartbeat.interval.ms": 100, "session.timeout.ms": 6000}
CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]
PARTITIONS = 3
RECORDS = 300
# Milliseconds. Any moment will do that is not now: it shows that the producer's time is kept.
FIRST_TIMESTAMP = 1_700_000_000_000
LIMIT_SECONDS = 45


def check(actual, expected, what):
    assert actual == expected, f"{what}:\n  expected {expected!r}\n  found    {actual!r}"


def check_fails(code, what, action):
    try:
        result = action()
    except KafkaException as error:
        check(error.args[0].code(), code, what)
    else:
        raise AssertionError(f"{what}: expected error {code}, found {result!r}")


def until(what, ready):
    """Calls `ready` until it returns something, which is then returned."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while True:
        found = ready()
        if found:
            return found
        assert time.monotonic() < deadline, f"waited {LIMIT_SECONDS} s for {what}"


def only(futures):
    """The result of an admin call about one thing."""
    (future,) = futures.values()
    return future.result(LIMIT_SECONDS)


def record(index):
    headers = [("trace", b"t-%d" % index), ("empty", b""), ("null", None)]
    return {
        "key": b"order-%d" % (index % 17),
        "value": b"value-%d " % index * 20,
        "headers": headers,
        "timestamp": FIRST_TIMESTAMP + index,
    }


def seen(message):
    assert message.error() is None, message.error()
    return {
        "key": message.key(),
        "value": message.value(),
        "headers": message.headers(),
        "timestamp": message.timestamp()[1],
    }


class Producing:
    """Produces with idempotence; `finish` returns the records by (partition, offset) as they were acknowledged."""

    def __init__(self, topic, codec, indexes):
        self.what, self.count, self.acknowledged = f"{topic}, {codec}", len(indexes), {}
        self.producer = Producer(COMMON | {"enable.idempotence": True, "compression.type": codec, "linger.ms": 20})
        for index in indexes:
            self.producer.produce(topic, on_delivery=self.delivered(index), **record(index))

    def delivered(self, index):
        def callback(error, message):
            assert error is None, error
            self.acknowledged[message.partition(), message.offset()] = record(index)

        return callback

    def finish(self):
        check(self.producer.flush(LIMIT_SECONDS), 0, f"records still unacknowledged, {self.what}")
        check(len(self.acknowledged), self.count, f"different offsets acknowledged, {self.what}")
        return self.acknowledged


def produce(topic, codec, indexes):
    return Producing(topic, codec, indexes).finish()


def read(consumer, count):
    """The next `count` records by (partition, offset)."""
    found = {}
    deadline = time.monotonic() + LIMIT_SECONDS
    while len(found) < count:
        assert time.monotonic() < deadline, f"found {len(found)} of {count} records in {LIMIT_SECONDS} s"
        for message in consumer.consume(count, timeout=0.02):
            assert (message.partition(), message.offset()) not in found, "a record was delivered twice"
            found[message.partition(), message.offset()] = seen(message)
    return found


def by_partition(records):
    return {p: sum(1 for partition, _ in records if partition == p) for p in range(PARTITIONS)}


def group_consumer(group, **more):
    return Consumer(CONSUMER | {"group.id": group, "enable.auto.commit": False, "auto.offset.reset": "earliest"} | more)


def compressions(admin):
    """What was acknowledged is what is read, compressed or not, at the offsets that were acknowledged."""
    topics = {codec: f"{PREFIX}-{codec}" for codec in CODECS}
    for created in admin.create_topics([NewTopic(topic, PARTITIONS, 1) for topic in topics.values()]).values():
        created.result(LIMIT_SECONDS)
    # All at once: librdkafka takes half a second until it asks for a producer id.
    producing = {codec: Producing(topic, codec, range(RECORDS)) for codec, topic in topics.items()}
    for codec, topic in topics.items():
        acknowledged = producing[codec].finish()
        for partition, count in by_partition(acknowledged).items():
            offsets = sorted(offset for p, offset in acknowledged if p == partition)
            check(offsets, list(range(count)), f"offsets of {topic} [{partition}]")
        consumer = Consumer(CONSUMER | {"group.id": topic, "check.crcs": True})
        consumer.assign([TopicPartition(topic, p, OFFSET_BEGINNING) for p in range(PARTITIONS)])
        check(read(consumer, RECORDS), acknowledged, f"records of {topic}")
        for partition, count in by_partition(acknowledged).items():
            watermarks = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=LIMIT_SECONDS)
            check(watermarks, (0, count), f"watermarks of {topic} [{partition}]")
        consumer.close()
    for deleted in admin.delete_topics(list(topics.values())).values():
        deleted.result(LIMIT_SECONDS)


def offsets_by_time(admin):
    topic = f"{PREFIX}-time"
    only(admin.create_topics([NewTopic(topic, 1, 1)]))
    # Uncompressed: the embedded broker does not look into a compressed batch (a listed difference).
    produce(topic, "none", range(10))
    consumer = Consumer(CONSUMER | {"group.id": topic})
    moments = {FIRST_TIMESTAMP - 1: 0, FIRST_TIMESTAMP + 4: 4, FIRST_TIMESTAMP + 9: 9, FIRST_TIMESTAMP + 10: -1}
    for moment, offset in moments.items():
        (found,) = consumer.offsets_for_times([TopicPartition(topic, 0, moment)], timeout=LIMIT_SECONDS)
        check(found.offset, offset, f"the consumer's offset for {moment}")
    consumer.close()

    def listed(spec):
        result = only(admin.list_offsets({TopicPartition(topic, 0): spec}))
        return result.offset, result.timestamp

    check(listed(OffsetSpec.earliest()), (0, -1), "earliest offset")
    check(listed(OffsetSpec.latest()), (10, -1), "latest offset")
    check(listed(OffsetSpec.for_timestamp(FIRST_TIMESTAMP + 7)), (7, FIRST_TIMESTAMP + 7), "offset by time")
    only(admin.delete_topics([topic]))


def groups(admin):
    """Two members share the partitions, commit, leave; their successor continues; then the group is deleted."""
    topic, group = f"{PREFIX}-groups", f"{PREFIX}-group"
    only(admin.create_topics([NewTopic(topic, PARTITIONS, 1)]))
    acknowledged = produce(topic, "zstd", range(RECORDS))

    members = [group_consumer(group, **{"client.id": f"{PREFIX}-{name}"}) for name in ("a", "b")]
    for member in members:
        member.subscribe([topic])
    found = {}

    def poll_all():
        for member in members:
            # Nothing is committed yet, so a rebalance may bring a record again.
            for message in member.consume(RECORDS, timeout=0.02):
                found[message.partition(), message.offset()] = seen(message)

    def shared():
        poll_all()
        assigned = [[p.partition for p in member.assignment()] for member in members]
        return sorted(sum(assigned, [])) == [0, 1, 2] and all(assigned)

    until("both members to have partitions", shared)

    description = only(admin.describe_consumer_groups([group]))
    check(description.state, ConsumerGroupState.STABLE, "state of the group")
    check(description.is_simple_consumer_group, False, "simple group")
    check(description.partition_assignor, "range", "assignor")
    check(sorted(m.client_id for m in description.members), [f"{PREFIX}-a", f"{PREFIX}-b"], "clients of the members")
    check(
        {m.client_id: sorted(p.partition for p in m.assignment.topic_partitions) for m in description.members},
        {f"{PREFIX}-{n}": sorted(p.partition for p in c.assignment()) for n, c in zip("ab", members)},
        "assignment of the members",
    )
    check_fails(
        KafkaError.NON_EMPTY_GROUP, "deleting a group with members", lambda: only(admin.delete_consumer_groups([group]))
    )

    until("every record", lambda: poll_all() or len(found) == RECORDS)
    check(found, acknowledged, "records that the group read")
    counts = by_partition(acknowledged)
    for member in members:
        mine = [TopicPartition(topic, p.partition, counts[p.partition]) for p in member.assignment()]
        for committed in member.commit(offsets=mine, asynchronous=False):
            assert committed.error is None, committed.error
        member.close()

    state = only(admin.describe_consumer_groups([group]))
    check((state.state, state.members), (ConsumerGroupState.EMPTY, []), "the group after its members left")
    listed = admin.list_consumer_groups().result(LIMIT_SECONDS)
    check(listed.errors, [], "errors of the list of groups")
    check([g.state for g in listed.valid if g.group_id == group], [ConsumerGroupState.EMPTY], "the group in the list")
    stable = admin.list_consumer_groups(states={ConsumerGroupState.STABLE}).result(LIMIT_SECONDS)
    check([g.group_id for g in stable.valid if g.group_id == group], [], "the empty group among the stable ones")

    more = produce(topic, "none", range(RECORDS, RECORDS + 50))
    successor = group_consumer(group)
    successor.subscribe([topic])
    check(read(successor, 50), more, "records after the committed offsets")
    committed = successor.committed([TopicPartition(topic, p) for p in range(PARTITIONS)], timeout=LIMIT_SECONDS)
    check({p.partition: p.offset for p in committed}, counts, "committed offsets, asked by the consumer")
    successor.close()

    def group_offsets():
        result = only(admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)]))
        return {(p.topic, p.partition): p.offset for p in result.topic_partitions}

    check(group_offsets(), {(topic, p): n for p, n in counts.items()}, "committed offsets, asked by the admin")
    moved = ConsumerGroupTopicPartitions(group, [TopicPartition(topic, 1, 5)])
    only(admin.alter_consumer_group_offsets([moved]))
    check(group_offsets()[topic, 1], 5, "the altered offset")
    only(admin.delete_consumer_groups([group]))
    check_fails(
        KafkaError.GROUP_ID_NOT_FOUND, "deleting a group twice", lambda: only(admin.delete_consumer_groups([group]))
    )
    only(admin.delete_topics([topic]))


def topics(admin):
    topic = f"{PREFIX}-topics"
    only(admin.create_topics([NewTopic(topic, 4, 1, config={"retention.ms": "3600000"})]))
    check_fails(
        KafkaError.TOPIC_ALREADY_EXISTS,
        "creating a topic twice",
        lambda: only(admin.create_topics([NewTopic(topic, 4, 1)])),
    )
    check_fails(
        KafkaError.INVALID_REPLICATION_FACTOR,
        "more copies than brokers",
        lambda: only(admin.create_topics([NewTopic(f"{topic}-copies", 1, 3)])),
    )
    check_fails(
        KafkaError.TOPIC_EXCEPTION,
        "a topic's name with a space",
        lambda: only(admin.create_topics([NewTopic("a b", 1, 1)])),
    )
    only(admin.create_topics([NewTopic(f"{topic}-dry", 1, 1)], validate_only=True))

    def listed():
        """Apache Kafka's broker hears of a new topic a moment after its controller."""
        found = admin.list_topics(timeout=LIMIT_SECONDS)
        return topic in found.topics and found

    cluster = until("the topic in the metadata", listed)
    assert f"{topic}-dry" not in cluster.topics, "validate_only made a topic"
    assert f"{topic}-copies" not in cluster.topics, "a refused topic was made"
    (broker,) = cluster.brokers.values()
    check(f"{broker.host}:{broker.port}", BOOTSTRAP, "address of the broker")
    check(sorted(cluster.topics[topic].partitions), [0, 1, 2, 3], "partitions in the metadata")
    for partition in cluster.topics[topic].partitions.values():
        check(
            (partition.leader, partition.replicas, partition.isrs),
            (broker.id, [broker.id], [broker.id]),
            "leader and copies",
        )

    described = only(admin.describe_topics(TopicCollection([topic])))
    check((described.name, described.is_internal), (topic, False), "description")
    check(
        [(p.id, p.leader.id) for p in described.partitions], [(p, broker.id) for p in range(4)], "described partitions"
    )
    check_fails(
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        "describing an unknown topic",
        lambda: only(admin.describe_topics(TopicCollection([f"{topic}-unknown"]))),
    )
    nodes = admin.describe_cluster().result(LIMIT_SECONDS)
    check(
        [(n.id, n.host, n.port) for n in nodes.nodes], [(broker.id, broker.host, broker.port)], "nodes of the cluster"
    )
    check(nodes.controller.id, broker.id, "controller")
    assert nodes.cluster_id, "the cluster has no id"

    configs = only(admin.describe_configs([ConfigResource(ResourceType.TOPIC, topic)]))
    check(configs["retention.ms"].value, "3600000", "the topic's retention")
    check(configs["retention.ms"].is_default, False, "the topic's retention is not the default")
    check(configs["cleanup.policy"].value, "delete", "the topic's cleanup policy")

    only(admin.delete_topics([topic]))
    check_fails(KafkaError.UNKNOWN_TOPIC_OR_PART, "deleting a topic twice", lambda: only(admin.delete_topics([topic])))
    until("the topic to be gone", lambda: topic not in admin.list_topics(timeout=LIMIT_SECONDS).topics)


def main():
    admin = AdminClient(COMMON)
    for part in (topics, compressions, offsets_by_time, groups):
        started = time.monotonic()
        part(admin)
        print(f"passed {part.__name__} in {time.monotonic() - started:.1f} s", flush=True)


main()
