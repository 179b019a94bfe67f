//! The requests we answer, in which versions, and who answers them.

use bytes::{Buf, Bytes, BytesMut};
use kafka_protocol::{
    error::ResponseError,
    messages::{ApiKey, ApiVersionsRequest, ApiVersionsResponse, RequestHeader, api_versions_response::ApiVersion},
    protocol::Decodable,
};

use super::{
    Client, Close,
    frame::{decode, encode},
};
use crate::{State, budget::Reserved, handlers};

/// API, smallest and largest version. The codec can do more; these are what the handlers do.
///
/// Left out on purpose: produce and fetch from 13 on (topics by id), list offsets from 8 on (tiered storage).
pub(crate) const APIS: [(ApiKey, i16, i16); 20] = [
    (ApiKey::Produce, 3, 12),
    (ApiKey::Fetch, 4, 12),
    (ApiKey::ListOffsets, 1, 7),
    (ApiKey::Metadata, 0, 13),
    (ApiKey::OffsetCommit, 2, 9),
    (ApiKey::OffsetFetch, 1, 9),
    (ApiKey::FindCoordinator, 0, 6),
    (ApiKey::JoinGroup, 0, 9),
    (ApiKey::Heartbeat, 0, 4),
    (ApiKey::LeaveGroup, 0, 5),
    (ApiKey::SyncGroup, 0, 5),
    (ApiKey::DescribeGroups, 0, 6),
    (ApiKey::ListGroups, 0, 5),
    (ApiKey::ApiVersions, 0, 4),
    (ApiKey::CreateTopics, 2, 7),
    (ApiKey::DeleteTopics, 1, 6),
    (ApiKey::InitProducerId, 0, 5),
    (ApiKey::DescribeConfigs, 1, 4),
    (ApiKey::DeleteGroups, 0, 2),
    (ApiKey::DescribeCluster, 0, 2),
];

/// An answer's frame, and its part of the memory budget where it is large.
pub(crate) struct Answer {
    pub frame: BytesMut,
    _memory: Option<Reserved>,
}

impl Answer {
    fn small(frame: BytesMut) -> Self {
        Self { frame, _memory: None }
    }
}

/// Handles one request. `None` when it wants no answer.
pub(crate) async fn dispatch(state: &State, client: &mut Client, frame: Bytes) -> Result<Option<Answer>, Close> {
    let mut start = frame.clone();
    let (key, version, correlation_id) = (start.get_i16(), start.get_i16(), start.get_i32());
    let unsupported = || Close::BadFrame(format!("API key {key} in version {version} is not supported"));
    let api = ApiKey::try_from(key).map_err(|()| unsupported())?;
    let &(_, min, max) = APIS.iter().find(|(k, ..)| *k == api).ok_or_else(unsupported)?;
    if !(min..=max).contains(&version) {
        return match api {
            ApiKey::ApiVersions => {
                // As Kafka does it: in the oldest format, and listing only this request.
                let refusal =
                    api_versions(&[(api, min, max)]).with_error_code(ResponseError::UnsupportedVersion.code());
                Ok(Some(Answer::small(encode(&refusal, correlation_id, 0)?)))
            }
            _ => Err(unsupported()),
        };
    }
    let mut body = frame;
    let header = RequestHeader::decode(&mut body, api.request_header_version(version));
    let header = header.map_err(|error| Close::BadFrame(format!("header: {error:#}")))?;
    client.client_id = header.client_id.as_deref().unwrap_or_default().to_owned();
    let client = &*client;

    macro_rules! answer {
        ($handled:expr) => {
            Ok(Some(Answer::small(encode(&$handled, correlation_id, version)?)))
        };
    }
    match api {
        ApiKey::Produce => match handlers::produce(state, decode(&body, version)?).await? {
            Some(response) => answer!(response),
            None => Ok(None),
        },
        ApiKey::Fetch => {
            let (response, memory) = handlers::fetch(state, client, decode(&body, version)?).await;
            Ok(Some(Answer { frame: encode(&response, correlation_id, version)?, _memory: memory }))
        }
        ApiKey::ListOffsets => answer!(handlers::list_offsets(state, decode(&body, version)?, version)),
        ApiKey::Metadata => answer!(handlers::metadata(state, client, decode(&body, version)?, version)),
        ApiKey::OffsetCommit => answer!(handlers::offset_commit(state, decode(&body, version)?).await),
        ApiKey::OffsetFetch => answer!(handlers::offset_fetch(state, decode(&body, version)?, version)),
        ApiKey::FindCoordinator => answer!(handlers::find_coordinator(client, decode(&body, version)?, version)),
        ApiKey::JoinGroup => answer!(handlers::join_group(state, client, decode(&body, version)?, version).await),
        ApiKey::Heartbeat => answer!(handlers::heartbeat(state, decode(&body, version)?)),
        ApiKey::LeaveGroup => answer!(handlers::leave_group(state, decode(&body, version)?, version)),
        ApiKey::SyncGroup => answer!(handlers::sync_group(state, client, decode(&body, version)?).await),
        ApiKey::DescribeGroups => answer!(handlers::describe_groups(state, decode(&body, version)?, version)),
        ApiKey::ListGroups => answer!(handlers::list_groups(state, decode(&body, version)?)),
        ApiKey::ApiVersions => answer!(introduce(&decode(&body, version)?, version)),
        ApiKey::CreateTopics => answer!(handlers::create_topics(state, decode(&body, version)?)),
        ApiKey::DeleteTopics => answer!(handlers::delete_topics(state, decode(&body, version)?)),
        ApiKey::InitProducerId => answer!(handlers::init_producer_id(state, decode(&body, version)?)),
        ApiKey::DescribeConfigs => answer!(handlers::describe_configs(state, decode(&body, version)?)),
        ApiKey::DeleteGroups => answer!(handlers::delete_groups(state, decode(&body, version)?)),
        ApiKey::DescribeCluster => answer!(handlers::describe_cluster(state, client, decode(&body, version)?)),
        _ => Err(unsupported()),
    }
}

/// A client introduces itself and asks what we can do.
fn introduce(request: &ApiVersionsRequest, version: i16) -> ApiVersionsResponse {
    let named = is_software_name(&request.client_software_name) && is_software_name(&request.client_software_version);
    if version >= 3 && !named {
        return ApiVersionsResponse::default().with_error_code(ResponseError::InvalidRequest.code());
    }
    api_versions(&APIS)
}

/// Letters and digits, inside also dots and dashes (KIP-511).
fn is_software_name(name: &str) -> bool {
    let ends_well = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    ends_well(name.chars().next()) && ends_well(name.chars().next_back()) && name.chars().all(legal)
}

fn api_versions(apis: &[(ApiKey, i16, i16)]) -> ApiVersionsResponse {
    let range = |&(api, min, max): &(ApiKey, i16, i16)| {
        // librdkafka looks at produce version 0 to see whether a broker can compress (KAFKA-18659), so Apache Kafka 4
        // advertises it and refuses it, and so do we.
        let min = if api == ApiKey::Produce { 0 } else { min };
        ApiVersion::default().with_api_key(api as i16).with_min_version(min).with_max_version(max)
    };
    ApiVersionsResponse::default().with_api_keys(apis.iter().map(range).collect())
}
