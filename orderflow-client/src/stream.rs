//! The console's live stream of events.

use std::{collections::VecDeque, time::Duration};

use orderflow_contracts::{api::console::EventRecord, ids::OrderId};
use reqwest::{Response, header};

use crate::{
    endpoints::Service,
    error::ClientError,
    http::{Client, answered, failed},
    sse::{Parser, SseEvent},
};

/// The server says something every 10 s at least. After twice that and a little, the connection is gone: whoever looks
/// at what it told takes it for live until then.
const SILENCE_MAX: Duration = Duration::from_secs(25);
/// Longest time until the stream begins.
const BEGIN_MAX: Duration = Duration::from_secs(15);

/// The stream, from one position on. It is not opened again by itself: whoever reads it knows what to show meanwhile.
pub struct EventStream {
    url: String,
    response: Response,
    parser: Parser,
    ready: VecDeque<SseEvent>,
    position: Option<i64>,
    pub(crate) silence_max: Duration,
}

/// What came of the stream.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// An event.
    Event(Box<EventRecord>),
    /// The server has ended it.
    End,
}

impl Client {
    /// Opens the stream of everything, or of one order: what comes after a position. Without one, what is new.
    pub async fn stream(&self, order_id: Option<OrderId>, after: Option<i64>) -> Result<EventStream, ClientError> {
        let token = self.token(None).await?;
        let opened = self.open_stream(order_id, after, token.as_deref()).await;
        match (opened, token) {
            (Err(error), Some(old)) if error.is_refused_token() => {
                let token = self.token(Some(&old)).await?;
                self.open_stream(order_id, after, token.as_deref()).await
            }
            (opened, _) => opened,
        }
    }

    async fn open_stream(
        &self,
        order_id: Option<OrderId>,
        after: Option<i64>,
        token: Option<&str>,
    ) -> Result<EventStream, ClientError> {
        let url = format!("{}/v1/stream", self.endpoints().of(Service::Console).trim_end_matches('/'));
        let mut query = Vec::new();
        query.extend(order_id.map(|id| ("order_id", id.to_string())));
        query.extend(after.map(|position| ("after", position.to_string())));
        let mut request = self.http.get(&url).query(&query).header(header::ACCEPT, "text/event-stream");
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let sent = tokio::time::timeout(BEGIN_MAX, request.send()).await;
        let response = sent.map_err(|_| ClientError::Timeout { url: url.clone() })?;
        let response = response.map_err(|error| failed(&url, error))?;
        if !response.status().is_success() {
            answered(&url, response).await?;
            return Err(ClientError::BadAnswer { url, what: "it is no stream".into() });
        }
        let (parser, ready) = (Parser::default(), VecDeque::new());
        Ok(EventStream { url, response, parser, ready, position: after, silence_max: SILENCE_MAX })
    }
}

impl EventStream {
    /// The position of the last event that was given: where to go on after the stream has broken.
    pub const fn position(&self) -> Option<i64> {
        self.position
    }

    /// After so long without any sign of the server the stream is taken for broken.
    pub const fn silence_max(&self) -> Duration {
        self.silence_max
    }

    /// The next event. Nothing is lost if the future is dropped.
    pub async fn next(&mut self) -> Result<Next, ClientError> {
        loop {
            while let Some(event) = self.ready.pop_front() {
                // What has no record is not an event of ours, as the notice of a newer server.
                if let Ok(record) = serde_json::from_str::<EventRecord>(&event.data) {
                    self.position = Some(record.position);
                    return Ok(Next::Event(Box::new(record)));
                }
            }
            let chunk = tokio::time::timeout(self.silence_max, self.response.chunk()).await;
            let chunk = chunk.map_err(|_| ClientError::Timeout { url: self.url.clone() })?;
            let Some(bytes) = chunk.map_err(|error| failed(&self.url, error))? else {
                return Ok(Next::End);
            };
            let events = self.parser.feed(&bytes);
            let bad =
                |error: crate::sse::TooLarge| ClientError::BadAnswer { url: self.url.clone(), what: error.to_string() };
            self.ready.extend(events.map_err(bad)?);
        }
    }
}
