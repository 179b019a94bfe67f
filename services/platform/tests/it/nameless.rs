//! A broker that does not say which cluster it is: Kafka before 0.10.1, whose answer has no place for it.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use orderflow_platform::{
    kafka::Kafka as Client,
    metrics::Metrics,
    outbox::{self, Outbox},
    relay::{Relay, RelayError},
};
use orderflow_testing::{Kafka, eventually};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy},
    net::{TcpListener, TcpStream},
};

use crate::toy::{TOPIC, TOPICS, World, event};

/// What the broker says of its metadata requests, as it introduces itself: number 3, from version 0 to 13. The cluster's
/// id is in its answers from version 2 on.
const METADATA: [u8; 6] = [0, 3, 0, 0, 0, 13];
const METADATA_OLD: [u8; 6] = [0, 3, 0, 0, 0, 1];

/// Stands before a broker, which seems to be an old one for as long as that is wanted.
struct Front {
    listener: TcpListener,
    is_old: Arc<AtomicBool>,
}

impl Front {
    async fn run(self, broker: SocketAddr) {
        while let Ok((client, _)) = self.listener.accept().await {
            let broker = TcpStream::connect(broker).await.expect("the broker is there");
            tokio::spawn(between(client, broker, Arc::clone(&self.is_old)));
        }
    }
}

/// Carries what the two say to each other, and changes the broker's first words.
async fn between(client: TcpStream, broker: TcpStream, is_old: Arc<AtomicBool>) -> std::io::Result<()> {
    let ((mut from_client, mut to_client), (mut from_broker, mut to_broker)) =
        (client.into_split(), broker.into_split());
    let asking = tokio::spawn(async move { copy(&mut from_client, &mut to_broker).await });
    let mut introduction = vec![0; from_broker.read_u32().await? as usize];
    from_broker.read_exact(&mut introduction).await?;
    if is_old.load(Ordering::Relaxed) {
        let at = introduction.windows(METADATA.len()).position(|window| window == METADATA);
        introduction[at.expect("it says so")..][..METADATA.len()].copy_from_slice(&METADATA_OLD);
    }
    to_client.write_u32(u32::try_from(introduction.len()).expect("a short one")).await?;
    to_client.write_all(&introduction).await?;
    copy(&mut from_broker, &mut to_client).await?;
    asking.abort();
    Ok(())
}

#[tokio::test]
async fn nothing_is_published_to_a_broker_that_does_not_say_which_it_is() {
    let world = World::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, is_old) = (listener.local_addr().unwrap(), Arc::new(AtomicBool::new(true)));
    let kafka = Kafka::start_behind(address).await;
    let front = Front { listener, is_old: Arc::clone(&is_old) };
    let front = tokio::spawn(front.run(kafka.bootstrap().parse().unwrap()));
    outbox::append(&mut world.pool.acquire().await.unwrap(), &[event("bear", 1)]).await.unwrap();

    let (client, outbox) = (Client::new(address.to_string(), BTreeMap::new()), Outbox::default());
    let mut relay = Relay::new(world.db.clone(), client, outbox.clone(), Metrics::default(), TOPICS);
    let refused = relay.relay_once().await;
    assert!(matches!(refused, Err(RelayError::NoClusterId)), "{refused:?}");
    assert!(outbox.is_failing());
    assert_eq!((world.pending().await, kafka.read(TOPIC).await.len()), (1, 0));

    is_old.store(false, Ordering::Relaxed);
    let told = async || relay.relay_once().await.ok();
    assert_eq!(eventually("it says which it is", told).await, 1);
    assert_eq!((world.pending().await, kafka.read(TOPIC).await.len()), (0, 1));
    front.abort();
}
