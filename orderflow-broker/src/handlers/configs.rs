//! Describe configs: the settings of a topic, and those of the broker that a client may care about.

use kafka_protocol::{
    error::ResponseError,
    messages::{
        DescribeConfigsRequest, DescribeConfigsResponse,
        describe_configs_request::DescribeConfigsResource,
        describe_configs_response::{DescribeConfigsResourceResult, DescribeConfigsResult},
    },
    protocol::StrBytes,
};

use crate::{State, topic_config::TOPIC_SETTINGS, topics::check_name};

/// `config_source`: set for the topic itself, or the broker's default.
pub(super) const SOURCE_TOPIC: i8 = 1;
pub(super) const SOURCE_DEFAULT: i8 = 5;
/// Resource types.
const TOPIC: i8 = 2;
const BROKER: i8 = 4;
/// Type codes of Kafka's settings.
const BOOLEAN: i8 = 1;
const INT: i8 = 3;

/// Name, type code, value, and whether the resource itself has set it.
type Setting = (&'static str, i8, String, bool);

pub(crate) fn describe_configs(state: &State, request: DescribeConfigsRequest) -> DescribeConfigsResponse {
    let results = request.resources.into_iter().map(|resource| {
        let result = DescribeConfigsResult::default()
            .with_error_message(None)
            .with_resource_type(resource.resource_type)
            .with_resource_name(resource.resource_name.clone());
        match settings(state, &resource) {
            Ok(settings) => {
                let keys = resource.configuration_keys;
                let asked = |name: &str| keys.as_ref().is_none_or(|keys| keys.iter().any(|key| key.as_str() == name));
                result.with_configs(settings.into_iter().filter(|s| asked(s.0)).map(describe).collect())
            }
            Err((error, why)) => {
                result.with_error_code(error.code()).with_error_message(Some(StrBytes::from_string(why)))
            }
        }
    });
    DescribeConfigsResponse::default().with_results(results.collect())
}

fn settings(state: &State, resource: &DescribeConfigsResource) -> Result<Vec<Setting>, (ResponseError, String)> {
    match resource.resource_type {
        TOPIC => {
            check_name(&resource.resource_name).map_err(|why| (ResponseError::InvalidTopicException, why))?;
            let unknown =
                || (ResponseError::UnknownTopicOrPartition, "This server does not host this topic.".to_owned());
            let topic = state.topics.get(&resource.resource_name).ok_or_else(unknown)?;
            let setting = |(name, of_type)| {
                let (value, own) = topic.config.get(name, &state.config);
                (name, of_type, value, own)
            };
            Ok(TOPIC_SETTINGS.into_iter().map(setting).collect())
        }
        BROKER => {
            let config = &state.config;
            Ok(vec![
                ("auto.create.topics.enable", BOOLEAN, config.auto_create_topics.to_string(), false),
                ("message.max.bytes", INT, config.message_bytes_max.to_string(), false),
                ("num.partitions", INT, config.partitions_default.to_string(), false),
            ])
        }
        other => Err((ResponseError::InvalidRequest, format!("Resources of type {other} have no settings here."))),
    }
}

fn describe((name, of_type, value, own): Setting) -> DescribeConfigsResourceResult {
    DescribeConfigsResourceResult::default()
        .with_name(StrBytes::from_static_str(name))
        .with_value(Some(StrBytes::from_string(value)))
        .with_config_source(if own { SOURCE_TOPIC } else { SOURCE_DEFAULT })
        .with_config_type(of_type)
}
