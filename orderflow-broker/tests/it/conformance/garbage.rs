//! What no client should send: it costs its own connection at most, and nobody else notices.

use bytes::BytesMut;
use kafka_protocol::{
    error::{ParseResponseErrorCode as _, ResponseError},
    messages::{ApiVersionsRequest, ApiVersionsResponse, MetadataRequest, ProduceRequest},
    protocol::Decodable as _,
};

use crate::{
    raw::{Batch, Client, frame, prefixed, produce_request},
    target::{Target, conformance, unique},
};

conformance! {
    bad_frames_close_their_connection,
    unsupported_versions_close_their_connection,
    every_cut_of_a_request_is_survived,
    random_bytes_are_survived,
    half_a_frame_holds_up_nobody,
    frame_in_single_bytes_is_read,
    requests_sent_at_once_are_answered_in_order,
}

/// A second connection, made before the harm was done, is served as ever.
async fn assert_served(bystander: &mut Client) {
    let answer = bystander.call(3, &ApiVersionsRequest::default()).await;
    // The name and version are empty here, which only the version 3 of the request refuses.
    assert_eq!(answer.error_code.err(), Some(ResponseError::InvalidRequest));
    assert_eq!(bystander.call(0, &ApiVersionsRequest::default()).await.error_code.err(), None);
}

async fn bad_frames_close_their_connection(target: &Target) {
    let mut bystander = Client::connect(target).await;
    let header = |key: i16, version: i16| {
        let mut header = Vec::new();
        header.extend_from_slice(&key.to_be_bytes());
        header.extend_from_slice(&version.to_be_bytes());
        header.extend_from_slice(&7_i32.to_be_bytes());
        header.extend_from_slice(&(-1_i16).to_be_bytes());
        header
    };
    let cases = [
        ("a negative length", (-1_i32).to_be_bytes().to_vec()),
        ("the lowest length", i32::MIN.to_be_bytes().to_vec()),
        ("the highest length", i32::MAX.to_be_bytes().to_vec()),
        ("a length beyond the limit", (200_i32 << 20).to_be_bytes().to_vec()),
        ("no header", prefixed(&[]).to_vec()),
        ("half an API key", prefixed(&[0]).to_vec()),
        ("half a header", prefixed(&header(3, 1)[..6]).to_vec()),
        ("an unknown API key", prefixed(&header(9_999, 0)).to_vec()),
        ("a negative API key", prefixed(&header(-1, 0)).to_vec()),
        ("a client id longer than the frame", prefixed(&[0, 3, 0, 1, 0, 0, 0, 7, 0x7f, 0xff]).to_vec()),
        ("a client id of length -2", prefixed(&[0, 3, 0, 1, 0, 0, 0, 7, 0xff, 0xfe]).to_vec()),
        ("no body", prefixed(&header(0, 3)).to_vec()),
        (
            "an array longer than the frame",
            prefixed(&[header(3, 1), i32::MAX.to_be_bytes().to_vec()].concat()).to_vec(),
        ),
        ("a web browser", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec()),
        ("a TLS client", vec![0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03]),
    ];
    for (what, bytes) in cases {
        let mut client = Client::connect(target).await;
        client.write(&bytes).await.expect("written");
        assert_eq!(client.read_frame().await, None, "{what} closes the connection");
        assert_served(&mut bystander).await;
    }
}

/// There is no answer that a client could read, but to ApiVersions (see `api_versions`).
async fn unsupported_versions_close_their_connection(target: &Target) {
    let mut bystander = Client::connect(target).await;
    for (key, version) in [(3_i16, 99_i16), (0, 99), (1, 99), (11, 99), (3, -1)] {
        let mut body = Vec::new();
        body.extend_from_slice(&key.to_be_bytes());
        body.extend_from_slice(&version.to_be_bytes());
        body.extend_from_slice(&7_i32.to_be_bytes());
        body.extend_from_slice(&(-1_i16).to_be_bytes());
        body.extend_from_slice(&[0; 64]);
        let mut client = Client::connect(target).await;
        client.write(&prefixed(&body)).await.expect("written");
        assert_eq!(client.read_frame().await, None, "API {key} v{version}");
        assert_served(&mut bystander).await;
    }
}

async fn every_cut_of_a_request_is_survived(target: &Target) {
    let mut bystander = Client::connect(target).await;
    let topic = unique("garbage");
    bystander.create_topic(&topic, 1, &[]).await;
    let request = produce_request(&topic, -1, &[(0, Batch::of(&["a"]).encode())]);
    let whole = frame::<ProduceRequest>(9, 1, &request);
    let mut sent = 0;
    for end in 4..whole.len() {
        let mut client = Client::connect(target).await;
        client.write(&prefixed(&whole[4..end])).await.expect("written");
        if client.read_frame().await.is_none() {
            sent += 1;
        }
    }
    assert_eq!(sent, whole.len() - 4, "no cut of it is a request");
    assert_served(&mut bystander).await;
    assert_eq!(bystander.produce(&topic, 0, Batch::of(&["b"]).encode()).await, Ok(0));
}

async fn random_bytes_are_survived(target: &Target) {
    let mut bystander = Client::connect(target).await;
    // xorshift64: the same bytes on every run.
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for _ in 0..100 {
        let length = usize::try_from(random() % 200).expect("small");
        let bytes: Vec<u8> = (0..length).map(|_| random().to_be_bytes()[0]).collect();
        let mut client = Client::connect(target).await;
        // As a frame, so that the broker tries to read it. It may close while this is written.
        let _ = client.write(&prefixed(&bytes)).await;
        assert_eq!(client.read_frame().await, None, "{bytes:?}");
    }
    assert_served(&mut bystander).await;
}

async fn half_a_frame_holds_up_nobody(target: &Target) {
    let mut bystander = Client::connect(target).await;
    let whole = frame(1, 7, &MetadataRequest::default());
    let mut slow = Client::connect(target).await;
    slow.write(&whole[..whole.len() / 2]).await.expect("written");
    assert_served(&mut bystander).await;
    slow.write(&whole[whole.len() / 2..]).await.expect("written");
    assert!(slow.read_frame().await.is_some(), "and it is answered when it is complete");
}

async fn frame_in_single_bytes_is_read(target: &Target) {
    let mut client = Client::connect(target).await;
    for byte in frame(0, 7, &ApiVersionsRequest::default()) {
        client.write(&[byte]).await.expect("written");
    }
    let mut answer = client.read_frame().await.expect("an answer");
    assert_eq!(answer.split_to(4)[..], 7_i32.to_be_bytes());
    assert_eq!(ApiVersionsResponse::decode(&mut answer, 0).expect("decoded").error_code.err(), None);
}

async fn requests_sent_at_once_are_answered_in_order(target: &Target) {
    let mut client = Client::connect(target).await;
    let mut frames = BytesMut::new();
    for id in 0..50_i32 {
        if id % 2 == 0 {
            frames.extend_from_slice(&frame(0, id, &ApiVersionsRequest::default()));
        } else {
            frames.extend_from_slice(&frame(12, id, &MetadataRequest::default()));
        }
    }
    client.write(&frames).await.expect("written");
    for id in 0..50_i32 {
        let mut answer = client.read_frame().await.expect("an answer");
        assert_eq!(answer.split_to(4)[..], id.to_be_bytes());
    }
}
