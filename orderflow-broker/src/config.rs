//! What an operator can choose, with the defaults and the limits.
//!
//! Names and defaults follow Apache Kafka's where Kafka has the setting; the others say why they are what they are.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    str::FromStr,
    time::Duration,
};

/// When an append is forced to the disk.
///
/// Whatever is chosen, an acknowledged record survives the death of the broker's process: it is in the
/// operating system's page cache before it is acknowledged. The policy decides about a loss of power.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flush {
    /// When the operating system sees fit, and when a segment is full. Apache Kafka's default, and ours.
    Os,
    /// Every so often, in the background. A loss of power costs at most that much time.
    Interval(Duration),
    /// Before each acknowledgement. Requests that wait together share one `fdatasync` (group commit).
    Always,
}

/// One more place to listen, with an address of its own for those who come there.
///
/// For clients that reach the broker by different ways, such as one proxy each: each is told its own way back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The `host:port` that its clients are told to use. Without one: the address at which the client reached us.
    pub advertised: Option<(String, u16)>,
}

impl FromStr for Listener {
    type Err = String;

    /// Reads `PORT=HOST:PORT`: the port on 127.0.0.1, and what is advertised there.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (port, advertised) = text.split_once('=').ok_or("PORT=HOST:PORT is needed")?;
        let (host, told) = advertised.rsplit_once(':').filter(|(host, _)| !host.is_empty()).ok_or("no HOST:PORT")?;
        let number = |port: &str| port.parse().map_err(|_| format!("{port} is no port"));
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, number(port)?));
        Ok(Self { listen, advertised: Some((host.to_owned(), number(told)?)) })
    }
}

/// Settings of a broker. [`Config::new`] gives the defaults.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen; port 0 takes a free one. Default `127.0.0.1:0`.
    pub listen: SocketAddr,
    /// The `host:port` that clients are told to use. Default: the address at which the client reached us.
    pub advertised: Option<(String, u16)>,
    /// More places to listen. Default: none.
    pub more_listeners: Vec<Listener>,
    /// Everything the broker keeps. One broker at a time: the directory is locked.
    pub data_dir: PathBuf,
    /// Path of the Unix socket through which faults are set (see [`crate::control`]). Default: none.
    pub control: Option<PathBuf>,
    /// Default [`Flush::Os`].
    pub flush: Flush,
    /// Create a topic that a producer or a consumer names (`auto.create.topics.enable`).
    pub auto_create_topics: bool,
    /// Partitions of a topic that is created without a number (`num.partitions`).
    pub partitions_default: i32,
    /// Size in bytes at which a segment is sealed (`log.segment.bytes`). Retention drops whole segments.
    pub segment_bytes: u64,
    /// How long records are kept, in milliseconds of their own time stamps; -1 is for ever (`log.retention.ms`).
    pub retention_ms: i64,
    /// How many bytes a partition keeps; -1 is no limit (`log.retention.bytes`).
    pub retention_bytes: i64,
    /// How often retention is looked at.
    pub retention_check: Duration,
    /// Largest record batch, in bytes (`message.max.bytes`).
    pub message_bytes_max: i32,
    /// Open connections, over all listeners; one more is closed at once.
    pub connections_max: usize,
    /// Largest produce request, in bytes. A frame that says it is larger closes its connection.
    pub frame_bytes_max: usize,
    /// Bytes of requests and answers held at one time, over all connections; further ones wait. A quarter is for
    /// requests, a quarter for those above 1 MiB, half for answers to fetches. While they are decoded and encoded they
    /// take up to twice as much.
    pub memory_bytes_max: usize,
    /// Most bytes of records in one fetch answer, whatever the client allows.
    pub fetch_bytes_max: usize,
    /// Partitions over all topics.
    pub partitions_max: usize,
    /// Consumer groups.
    pub groups_max: usize,
    /// Members of one group (`group.max.size`).
    pub group_members_max: usize,
    /// Shortest session time-out a member may ask for (`group.min.session.timeout.ms`).
    pub session_timeout_min: Duration,
    /// Longest session time-out a member may ask for (`group.max.session.timeout.ms`).
    pub session_timeout_max: Duration,
    /// How long an empty group waits for more members before its first rebalance
    /// (`group.initial.rebalance.delay.ms`). Default 0: on one machine a wait buys nothing.
    pub rebalance_delay: Duration,
    /// After a restart, how long a rebalance waits for members that were there before and have not been heard
    /// from since. Long enough for a living client to reconnect, short enough that dead ones do not hold up a start.
    pub restart_grace: Duration,
}

impl Config {
    /// Loopback, a free port, and the defaults for the rest.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            listen: ([127, 0, 0, 1], 0).into(),
            advertised: None,
            more_listeners: Vec::new(),
            data_dir: data_dir.into(),
            control: None,
            flush: Flush::Os,
            auto_create_topics: true,
            partitions_default: 1,
            segment_bytes: 64 << 20,
            retention_ms: 7 * 24 * 60 * 60 * 1000,
            retention_bytes: -1,
            retention_check: Duration::from_secs(30),
            message_bytes_max: (1 << 20) + 12,
            connections_max: 1000,
            frame_bytes_max: 32 << 20,
            memory_bytes_max: 256 << 20,
            fetch_bytes_max: 16 << 20,
            partitions_max: 2000,
            groups_max: 1000,
            group_members_max: 500,
            session_timeout_min: Duration::from_secs(6),
            session_timeout_max: Duration::from_secs(30 * 60),
            rebalance_delay: Duration::ZERO,
            restart_grace: Duration::from_millis(1500),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_is_a_port_and_what_is_told_there() {
        let listener: Listener = "4001=localhost:4002".parse().unwrap();
        assert_eq!(listener.listen, ([127, 0, 0, 1], 4001).into());
        assert_eq!(listener.advertised, Some(("localhost".to_owned(), 4002)));
        for bad in ["4001", "4001=", "4001=4002", "4001=:4002", "x=h:1", "1=h:x", "70000=h:1"] {
            assert!(bad.parse::<Listener>().is_err(), "{bad}");
        }
    }
}
