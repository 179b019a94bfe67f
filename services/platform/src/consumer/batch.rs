//! A batch: the records that are there now, taken together, and each of them read.

use std::time::Duration;

use futures_util::{FutureExt, Stream, StreamExt, TryStreamExt};
use orderflow_contracts::envelope::{Envelope, EnvelopeError};
use rdkafka::{Message, consumer::StreamConsumer, error::KafkaError, message::Headers};

use super::{BACKOFF_MIN, RawRecord, Received, member::Rebalances};

/// Records of one transaction.
const BATCH_MAX: usize = 200;
/// Waiting for a record is begun anew after so long: a wake-up that librdkafka lost costs no more than this.
const WAIT_MAX: Duration = Duration::from_secs(1);

/// What comes over a consumer, record by record.
pub(super) fn records(
    consumer: &StreamConsumer<Rebalances>,
) -> impl Stream<Item = Result<RawRecord, KafkaError>> + Unpin {
    consumer.stream().map_ok(|message| own(&message))
}

/// What is there now, at least one record unless the wait is over. A fatal error is told by librdkafka once, and nothing
/// comes any more: another member has this one's name, as an example. What was taken before it comes to whoever takes
/// over.
pub(super) async fn next_batch(
    mut records: impl Stream<Item = Result<RawRecord, KafkaError>> + Unpin,
) -> Result<Vec<RawRecord>, KafkaError> {
    let mut batch = Vec::new();
    let mut next = tokio::time::timeout(WAIT_MAX, records.next()).await.unwrap_or_default();
    while let Some(taken) = next {
        match taken {
            Ok(record) => batch.push(record),
            Err(error @ KafkaError::MessageConsumptionFatal(_)) => return Err(error),
            Err(error) => {
                // librdkafka goes on by itself; a topic that is not there yet comes by here too.
                tracing::debug!(%error, "the consumer has a problem");
                if batch.is_empty() {
                    tokio::time::sleep(BACKOFF_MIN).await;
                }
                break;
            }
        }
        let is_full = batch.len() >= BATCH_MAX;
        next = if is_full { None } else { records.next().now_or_never().flatten() };
    }
    Ok(batch)
}

fn own(message: &impl Message) -> RawRecord {
    let headers = message.headers().into_iter().flat_map(Headers::iter);
    RawRecord {
        topic: message.topic().to_owned(),
        partition: message.partition(),
        offset: message.offset(),
        timestamp_ms: message.timestamp().to_millis().unwrap_or(0),
        key: message.key().map(<[u8]>::to_vec),
        headers: headers.map(|header| (header.key.to_owned(), header.value.unwrap_or_default().to_vec())).collect(),
        payload: message.payload().map(<[u8]>::to_vec),
    }
}

pub(super) fn read_one(record: &RawRecord) -> Result<Received, String> {
    let headers = record.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice()));
    let envelope = Envelope::from_headers(headers).map_err(|error: EnvelopeError| error.to_string())?;
    if record.key.as_deref() != Some(envelope.subject.as_bytes()) {
        return Err("the record's key is not the event's subject".to_owned());
    }
    let data = record.payload.clone().ok_or("the record has no value")?;
    let (topic, partition, offset) = (record.topic.clone(), record.partition, record.offset);
    Ok(Received { envelope, topic, partition, offset, timestamp_ms: record.timestamp_ms, data })
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use rdkafka::types::RDKafkaErrorCode;

    use super::*;

    fn record(offset: i64) -> Result<RawRecord, KafkaError> {
        let topic = "toys".to_owned();
        Ok(RawRecord { topic, partition: 0, offset, timestamp_ms: 0, key: None, headers: vec![], payload: None })
    }

    async fn offsets(taken: Vec<Result<RawRecord, KafkaError>>) -> Result<Vec<i64>, KafkaError> {
        // Then nothing comes for as long as anybody waits.
        let batch = next_batch(stream::iter(taken).chain(stream::pending())).await?;
        Ok(batch.into_iter().map(|record| record.offset).collect())
    }

    #[tokio::test]
    async fn a_batch_ends_at_an_error_and_a_fatal_one_is_told_wherever_it_comes() {
        let fatal = || Err(KafkaError::MessageConsumptionFatal(RDKafkaErrorCode::FencedInstanceId));
        let error = || Err(KafkaError::MessageConsumption(RDKafkaErrorCode::UnknownTopicOrPartition));
        assert_eq!(offsets(vec![]).await, Ok(vec![]));
        assert_eq!(offsets(vec![record(0), record(1)]).await, Ok(vec![0, 1]));
        assert_eq!(offsets(vec![error(), record(0)]).await, Ok(vec![]));
        assert_eq!(offsets(vec![record(0), error(), record(1)]).await, Ok(vec![0]));
        for before in [vec![], vec![record(0)], vec![record(0), record(1)]] {
            let taken = before.into_iter().chain([fatal()]).collect();
            assert!(matches!(offsets(taken).await, Err(KafkaError::MessageConsumptionFatal(_))));
        }
        let many = (0..).take(2 * BATCH_MAX).map(record).collect();
        assert_eq!(offsets(many).await.map(|batch| batch.len()), Ok(BATCH_MAX));
    }
}
