//! The first request of every client: what the broker speaks, also for a client that is newer than the broker.

use kafka_protocol::{
    error::{ParseResponseErrorCode as _, ResponseError},
    messages::{ApiKey, ApiVersionsRequest, ApiVersionsResponse, RequestHeader},
    protocol::{Decodable as _, Encodable as _},
};

use crate::{
    raw::{Client, prefixed, str},
    target::{Target, conformance},
};

conformance! {
    lists_the_same_in_every_version,
    unsupported_version_is_answered_in_version_zero,
    nonsense_as_software_name_is_refused,
    ranges_are_within_those_of_kafka,
}

fn request() -> ApiVersionsRequest {
    ApiVersionsRequest::default().with_client_software_name(str("conformance")).with_client_software_version(str("1.0"))
}

/// Key, lowest and highest version, sorted.
fn ranges(response: &ApiVersionsResponse) -> Vec<(i16, i16, i16)> {
    let keys = response.api_keys.iter();
    let mut ranges: Vec<_> = keys.map(|api| (api.api_key, api.min_version, api.max_version)).collect();
    ranges.sort_unstable();
    ranges
}

async fn lists_the_same_in_every_version(target: &Target) {
    let mut client = Client::connect(target).await;
    let newest = client.call(3, &request()).await;
    assert_eq!(newest.error_code.err(), None);
    for version in 0..3 {
        let answer = client.call(version, &ApiVersionsRequest::default()).await;
        assert_eq!((answer.error_code.err(), ranges(&answer)), (None, ranges(&newest)), "v{version}");
    }
    let keys: Vec<i16> = newest.api_keys.iter().map(|api| api.api_key).collect();
    for needed in [
        ApiKey::Produce,
        ApiKey::Fetch,
        ApiKey::ListOffsets,
        ApiKey::Metadata,
        ApiKey::OffsetCommit,
        ApiKey::OffsetFetch,
        ApiKey::FindCoordinator,
        ApiKey::JoinGroup,
        ApiKey::Heartbeat,
        ApiKey::LeaveGroup,
        ApiKey::SyncGroup,
        ApiKey::DescribeGroups,
        ApiKey::ListGroups,
        ApiKey::ApiVersions,
        ApiKey::CreateTopics,
        ApiKey::DeleteTopics,
        ApiKey::InitProducerId,
        ApiKey::DescribeConfigs,
        ApiKey::DeleteGroups,
        ApiKey::DescribeCluster,
    ] {
        assert!(keys.contains(&(needed as i16)), "{needed:?} is advertised");
    }
}

/// A client of the future asks in a version that the broker cannot read: it must learn which versions it may use, in
/// the one format that every client reads. (KIP-511: only ApiVersions itself is listed.)
async fn unsupported_version_is_answered_in_version_zero(target: &Target) {
    let mut client = Client::connect(target).await;
    let header = RequestHeader::default()
        .with_request_api_key(ApiKey::ApiVersions as i16)
        .with_request_api_version(99)
        .with_correlation_id(7)
        .with_client_id(Some(str("conformance")));
    let mut body = bytes::BytesMut::new();
    header.encode(&mut body, 2).expect("a header");
    body.extend_from_slice(b"whatever version 99 will be");
    client.write(&prefixed(&body)).await.expect("the broker reads");

    let mut answer = client.read_frame().await.expect("an answer");
    assert_eq!(answer.split_to(4)[..], 7_i32.to_be_bytes(), "the correlation id");
    let response = ApiVersionsResponse::decode(&mut answer, 0).expect("version 0");
    assert!(answer.is_empty(), "nothing follows");
    assert_eq!(response.error_code.err(), Some(ResponseError::UnsupportedVersion));
    let listed = ranges(&response);
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!((listed[0].0, listed[0].1), (ApiKey::ApiVersions as i16, 0));

    let next = client.call(listed[0].2, &request()).await;
    assert_eq!(next.error_code.err(), None, "the connection goes on in the highest version listed");
}

async fn nonsense_as_software_name_is_refused(target: &Target) {
    let mut client = Client::connect(target).await;
    let answer = client.call(3, &request().with_client_software_name(str(" / "))).await;
    assert_eq!(answer.error_code.err(), Some(ResponseError::InvalidRequest));
}

/// A version that Apache Kafka has removed would keep a client on a path that nobody tests any more.
async fn ranges_are_within_those_of_kafka(target: &Target) {
    let Some(apache) = Target::apache().filter(|_| !target.is_apache()) else {
        return;
    };
    let reference = ranges(&Client::connect(&apache).await.call(3, &request()).await);
    for (key, min, max) in ranges(&Client::connect(target).await.call(3, &request()).await) {
        let within = reference.iter().any(|(k, low, high)| *k == key && *low <= min && max <= *high);
        assert!(within, "API {key} v{min}..={max} is outside what Apache Kafka has");
    }
}
