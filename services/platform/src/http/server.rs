//! The listener and what every request passes through.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Extension, Router,
    extract::{ConnectInfo, DefaultBodyLimit, MatchedPath, Request},
    http::Method,
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use orderflow_contracts::{api::chaos::FaultName, problem::Code};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
};
use uuid::Uuid;

use super::{ApiError, RateLimiter, error::finish};
use crate::{auth::Verifier, chaos::Chaos, metrics::Metrics, tasks::Stop};

/// Longest body of a request, in bytes. An order of fifty lines has five thousand.
pub const BODY_BYTES_MAX: usize = 64 * 1024;
/// Connections at once; more wait to be accepted.
const CONNECTIONS_MAX: usize = 1_024;
/// Requests that are worked on at once; more are told to come again.
const IN_FLIGHT_MAX: usize = 512;
/// How long a request may take, its body included.
const REQUEST_MAX: Duration = Duration::from_secs(30);
/// How long a client may take to send the headers of a request.
const HEADERS_MAX: Duration = Duration::from_secs(10);
/// How long requests may take to end once the service stops.
const DRAIN_MAX: Duration = Duration::from_secs(4);
/// Requests of one address: in the long run, and at once. Generous, since all of a local cluster come from one.
const ADDRESS_PER_SECOND: f64 = 2_000.0;
const ADDRESS_BURST: f64 = 4_000.0;
/// After an error of `accept`, as when there are no more file descriptors.
const ACCEPT_RETRY: Duration = Duration::from_millis(50);

/// A bound port, and what is served there.
pub struct Server {
    listener: TcpListener,
    router: Router,
}

struct Gate {
    in_flight: Arc<Semaphore>,
    addresses: RateLimiter<IpAddr>,
    metrics: Metrics,
    chaos: Chaos,
}

/// Puts limits, numbers and request ids around a service's routes.
pub fn harden(router: Router, verifier: Option<Verifier>, metrics: Metrics, chaos: Chaos) -> Router {
    let gate = Gate {
        in_flight: Arc::new(Semaphore::new(IN_FLIGHT_MAX)),
        addresses: RateLimiter::new(ADDRESS_PER_SECOND, ADDRESS_BURST),
        metrics,
        chaos,
    };
    let router = router
        .fallback(async || ApiError::new(Code::NotFound, "there is no such path"))
        .method_not_allowed_fallback(async || ApiError::new(Code::MethodNotAllowed, "the path has other methods"))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX));
    let router = match verifier {
        Some(verifier) => router.layer(Extension(Arc::new(verifier))),
        None => router,
    };
    router.layer(from_fn_with_state(Arc::new(gate), pass)).layer(from_fn(with_request_id))
}

/// Within the limits, and counted.
async fn pass(axum::extract::State(gate): axum::extract::State<Arc<Gate>>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = label_of(request.method());
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str).to_owned();
    // Looking at a service, logging in and taking its faults back work while they strike.
    if !["/health/", "/metrics", "/v1/chaos", "/v1/sessions"].iter().any(|path| route.starts_with(path)) {
        gate.chaos.delay(FaultName::HttpLatency).await;
    }
    let response = match admit(&gate, &request) {
        Ok(_permit) => match tokio::time::timeout(REQUEST_MAX, next.run(request)).await {
            Ok(response) => response,
            Err(_) => ApiError::new(Code::Timeout, "the request took too long; whether it was done is not known")
                .into_response(),
        },
        Err(refused) => refused.into_response(),
    };
    gate.metrics.answered(method, &route, response.status().as_u16(), started.elapsed());
    response
}

/// A client may send any word for a method; each would be a number of its own for ever.
fn label_of(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        _ => "OTHER",
    }
}

fn admit(gate: &Gate, request: &Request) -> Result<OwnedSemaphorePermit, ApiError> {
    let address = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    if address.is_some_and(|address| !gate.addresses.allows(address, Instant::now())) {
        return Err(ApiError::new(Code::RateLimited, "too many requests from this address"));
    }
    let busy = |_| ApiError::new(Code::Overloaded, "too many requests are being worked on; try again in a moment");
    Arc::clone(&gate.in_flight).try_acquire_owned().map_err(busy)
}

async fn with_request_id(request: Request, next: Next) -> Response {
    let id = Uuid::now_v7().to_string();
    finish(&id, next.run(request).await)
}

impl Server {
    /// Binds the address; port 0 takes a free one.
    pub async fn bind(address: SocketAddr, router: Router) -> std::io::Result<Self> {
        Ok(Self { listener: TcpListener::bind(address).await?, router })
    }

    /// Where it listens.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until it is told to stop, then lets what has begun end, within a limit.
    pub async fn run(self, mut stop: Stop) -> std::io::Result<()> {
        let connections = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        let mut open = JoinSet::new();
        while !stop.is_now() {
            let permit = tokio::select! {
                permit = Arc::clone(&connections).acquire_owned() => permit.map_err(std::io::Error::other)?,
                () = stop.wait() => break,
            };
            tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, peer)) => {
                        open.spawn(connection(stream, peer, self.router.clone(), permit, stop.clone()));
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        tokio::time::sleep(ACCEPT_RETRY).await;
                    }
                },
                () = stop.wait() => break,
            }
            while open.try_join_next().is_some() {}
        }
        let drained = async { while open.join_next().await.is_some() {} };
        if tokio::time::timeout(DRAIN_MAX, drained).await.is_err() {
            tracing::warn!("requests that were still under way are dropped");
        }
        Ok(())
    }
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    _permit: OwnedSemaphorePermit,
    mut stop: Stop,
) {
    // An answer is one write; nothing is gained by waiting for more.
    let _ = stream.set_nodelay(true);
    let service = TowerToHyperService::new(router.layer(Extension(ConnectInfo(peer))));
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEADERS_MAX);
    let mut serving = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = &mut serving => ended,
        () = stop.wait() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "a connection ended with an error");
    }
}
