//! Several listeners: whoever comes to one is told its address, and no other.

use kafka_protocol::messages::{
    ApiVersionsRequest, DescribeClusterRequest, FindCoordinatorRequest, MetadataRequest, TopicName,
    metadata_request::MetadataRequestTopic,
};
use orderflow_broker::{Broker, Config, Handle, Listener};

use crate::{
    raw::{Client, frame, str},
    target::Target,
};

/// A broker with a plain listener, one that advertises an address of its own, and one that does not.
async fn broker(connections_max: usize) -> (Handle, [Target; 3], tempfile::TempDir) {
    let dir = tempfile::tempdir().expect("a directory");
    let anywhere = ([127, 0, 0, 1], 0).into();
    let more_listeners = vec![
        Listener { listen: anywhere, advertised: Some(("proxy.example".to_owned(), 4001)) },
        Listener { listen: anywhere, advertised: None },
    ];
    let config = Config { more_listeners, connections_max, ..Config::new(dir.path()) };
    let broker = Broker::start(config).await.expect("it starts");
    let &[told, plain] = broker.more_listeners() else { panic!("two more listeners") };
    let targets = [broker.bootstrap_servers(), told.to_string(), plain.to_string()].map(Target::at);
    (broker, targets, dir)
}

/// The address that a client is told, which every kind of request must agree on.
async fn told_at(target: &Target) -> String {
    let mut client = Client::connect(target).await;
    let metadata = client.call(9, &MetadataRequest::default()).await;
    let [broker] = metadata.brokers.as_slice() else { panic!("one broker: {metadata:?}") };
    let told = format!("{}:{}", broker.host, broker.port);
    let cluster = client.call(1, &DescribeClusterRequest::default()).await;
    assert_eq!(format!("{}:{}", cluster.brokers[0].host, cluster.brokers[0].port), told);
    let old = client.call(1, &FindCoordinatorRequest::default().with_key(str("a group"))).await;
    assert_eq!(format!("{}:{}", old.host, old.port), told);
    let new = FindCoordinatorRequest::default().with_coordinator_keys(vec![str("a group")]);
    let new = client.call(4, &new).await;
    assert_eq!(format!("{}:{}", new.coordinators[0].host, new.coordinators[0].port), told);
    told
}

#[tokio::test]
async fn each_client_is_told_the_address_of_its_own_listener() {
    let (broker, [first, told, plain], _dir) = broker(10).await;
    assert_eq!(told_at(&first).await, first.bootstrap());
    assert_eq!(told_at(&told).await, "proxy.example:4001");
    assert_eq!(told_at(&plain).await, plain.bootstrap());

    // It is one broker all the same: a topic made there is found here.
    let topic = MetadataRequestTopic::default().with_name(Some(TopicName(str("shared"))));
    let make = MetadataRequest::default().with_topics(Some(vec![topic])).with_allow_auto_topic_creation(true);
    Client::connect(&told).await.call(9, &make).await;
    let all = Client::connect(&plain).await.call(9, &MetadataRequest::default().with_topics(None)).await;
    assert!(all.topics.iter().any(|topic| topic.name == Some(TopicName(str("shared")))), "{all:?}");
    broker.shutdown().await;
}

#[tokio::test]
async fn the_limit_of_connections_is_one_for_all_listeners() {
    let (_broker, [first, told, plain], _dir) = broker(2).await;
    let mut served = Vec::new();
    for target in [&first, &told] {
        let mut client = Client::connect(target).await;
        client.call(0, &ApiVersionsRequest::default()).await;
        served.push(client);
    }
    let mut third = Client::connect(&plain).await;
    // The write may fail already; either way no answer comes.
    let _ = third.write(&frame(0, 1, &ApiVersionsRequest::default())).await;
    assert_eq!(third.read_frame().await, None);
}
