//! Reading everything, page by page.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicUsize, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use orderflow_contracts::{
    api::{
        PAGE_SIZE_MAX, Page,
        ops::{OutboxRow, UnreadableRow},
    },
    timestamp::Timestamp,
};

use super::snapshot::{Applied, Event, Letter, Part, Snapshot, Unread};
use crate::{Client, ClientError, ListQuery, ProductQuery, endpoints::Service};

/// Rows of a snapshot in all. An order makes some forty of them, of a hundred bytes and more: so many rows are a hundred
/// thousand orders, and half a gigabyte of memory.
pub const ROWS_MAX: usize = 4_000_000;

/// Reads lists to their ends, all of them together within the bound.
struct Reader<'a> {
    silent: &'a BTreeMap<Service, ClientError>,
    rows: AtomicUsize,
}

impl Reader<'_> {
    /// Whether a service answers at all.
    fn ask(&self, service: Service) -> Result<(), ClientError> {
        match self.silent.get(&service) {
            Some(why) => Err(ClientError::BadRequest(format!("{} was not asked, since {why}", service.name()))),
            None => Ok(()),
        }
    }

    /// All rows of a list, each kept as `keep` makes it.
    async fn all<T, K, F: Future<Output = Result<Page<T>, ClientError>>>(
        &self,
        service: Service,
        page: impl Fn(ListQuery) -> F,
        keep: impl Fn(T) -> K,
    ) -> Result<Vec<K>, ClientError> {
        self.ask(service)?;
        let mut all = Vec::new();
        let mut query = ListQuery { limit: Some(PAGE_SIZE_MAX), ..ListQuery::default() };
        loop {
            let Page { items, next_cursor } = page(query.clone()).await?;
            if self.rows.fetch_add(items.len(), Ordering::Relaxed) > ROWS_MAX {
                return Err(ClientError::BadRequest(format!("there are more than {ROWS_MAX} rows in all")));
            }
            all.extend(items.into_iter().map(&keep));
            match next_cursor {
                Some(cursor) => query.cursor = Some(cursor),
                None => return Ok(all),
            }
        }
    }
}

/// Reads something of each service at once.
macro_rules! of_each {
    ($what:expr) => {{
        let what = $what;
        let [orders, inventory, payments, console] = WITH_OUTBOX;
        let (a, b, c, d) = tokio::join!(what(orders), what(inventory), what(payments), what(console));
        [(orders, a), (inventory, b), (payments, c), (console, d)]
    }};
}

const WITH_OUTBOX: [Service; 4] = [Service::Orders, Service::Inventory, Service::Payments, Service::Console];

const OF_BUSINESS: [Part; 8] = [
    Part::Orders,
    Part::Products,
    Part::Reservations,
    Part::Ledger,
    Part::Payments,
    Part::Charges,
    Part::Refunds,
    Part::Clock,
];

/// Everything as it is now. What cannot be read is named in [`Snapshot::unread`], and why, for whoever has to decide
/// about it, beside the snapshot.
pub async fn take(client: &Client) -> (Snapshot, Vec<ClientError>) {
    take_from(client, &silent(client).await).await
}

/// Services that do not answer, and how. Each is asked once, for a short time: one that is paused would hold up every
/// list of it.
pub(super) async fn silent(client: &Client) -> BTreeMap<Service, ClientError> {
    let answers = of_each!(|service| client.readiness(service));
    answers.into_iter().filter_map(|(service, answer)| Some((service, answer.err()?))).collect()
}

/// The same, without asking those that are silent.
pub(super) async fn take_from(
    client: &Client,
    silent: &BTreeMap<Service, ClientError>,
) -> (Snapshot, Vec<ClientError>) {
    let reader = &Reader { silent, rows: AtomicUsize::new(0) };
    let mut taking = Taking { snapshot: Snapshot::empty(machine_now()), errors: Vec::new() };
    // Outboxes first: what is committed while the rest is read is counted in the end.
    let mut ends = BTreeMap::new();
    for (service, outbox) in of_each!(|service| outbox(client, reader, service)) {
        if let Some((end, events)) = taking.keep(Part::Outbox(service), outbox) {
            ends.insert(service, end);
            taking.snapshot.outboxes.insert(service, events);
        }
    }
    if ends.is_empty() {
        taking.give_up();
        return (taking.snapshot, taking.errors);
    }
    taking.business(client, reader).await;
    for (service, inbox) in of_each!(|service| inbox(client, reader, service)) {
        let inbox = taking.keep(Part::Inbox(service), inbox).unwrap_or_default();
        taking.snapshot.inboxes.insert(service, inbox);
    }
    for (service, letters) in of_each!(|service| letters(client, reader, service)) {
        let letters = taking.keep(Part::DeadLetters(service), letters).unwrap_or_default();
        taking.snapshot.dead_letters.extend(letters);
    }
    for (service, rows) in of_each!(|service| unreadable(client, reader, service)) {
        let rows = taking.keep(Part::Unreadable(service), rows).unwrap_or_default();
        taking.snapshot.unreadable.extend(rows.into_iter().map(|row| (service, row)));
    }
    for (service, end) in ends {
        // One page of news is as good as all of them: it moves.
        if let Some(news) = taking.keep(Part::Outbox(service), outbox_page(client, service, after(end)).await) {
            taking.snapshot.moved += super::findings::count(news.items.len());
        }
    }
    (taking.snapshot, taking.errors)
}

fn machine_now() -> Timestamp {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX))
}

fn after(end: i64) -> ListQuery {
    ListQuery { limit: Some(PAGE_SIZE_MAX), cursor: (end > 0).then(|| end.to_string()), ..ListQuery::default() }
}

async fn outbox_page(client: &Client, service: Service, page: ListQuery) -> Result<Page<OutboxRow>, ClientError> {
    client.outbox(service, &page).await
}

/// The events, and the place of the last one.
async fn outbox(client: &Client, reader: &Reader<'_>, service: Service) -> Result<(i64, Vec<Event>), ClientError> {
    let rows = reader.all(service, |page| outbox_page(client, service, page), |row| (row.id, Event::from(row))).await?;
    let end = rows.last().map_or(0, |(id, _)| *id);
    Ok((end, rows.into_iter().map(|(_, event)| event).collect()))
}

async fn inbox(client: &Client, reader: &Reader<'_>, service: Service) -> Result<Vec<Applied>, ClientError> {
    reader.all(service, |page| async move { client.inbox(service, &page).await }, Applied::from).await
}

async fn letters(client: &Client, reader: &Reader<'_>, service: Service) -> Result<Vec<Letter>, ClientError> {
    let page = |page| async move { client.dead_letters(service, &page).await };
    reader.all(service, page, |letter| Letter::of(service, &letter)).await
}

async fn unreadable(client: &Client, reader: &Reader<'_>, service: Service) -> Result<Vec<UnreadableRow>, ClientError> {
    reader.ask(service)?;
    client.unreadable(service).await
}

/// A snapshot that is being taken.
struct Taking {
    snapshot: Snapshot,
    errors: Vec<ClientError>,
}

impl Taking {
    /// What was read; what was not is noted.
    fn keep<T>(&mut self, part: Part, read: Result<T, ClientError>) -> Option<T> {
        match read {
            Ok(it) => Some(it),
            Err(error) => {
                self.snapshot.unread.push(Unread { part, why: error.to_string() });
                self.errors.push(error);
                None
            }
        }
    }

    /// Nobody gives their outbox, so nobody is asked for more: each would take as long to say nothing.
    fn give_up(&mut self) {
        let why = self.snapshot.unread.first().map(|unread| unread.why.clone()).unwrap_or_default();
        let of_services = WITH_OUTBOX
            .iter()
            .flat_map(|service| [Part::Inbox(*service), Part::DeadLetters(*service), Part::Unreadable(*service)]);
        let parts = OF_BUSINESS.into_iter().chain(of_services);
        self.snapshot.unread.extend(parts.map(|part| Unread { part, why: why.clone() }));
    }

    /// What the services keep of their business.
    async fn business(&mut self, client: &Client, reader: &Reader<'_>) {
        let products = |page| async move { client.products(&ProductQuery { page, ..ProductQuery::default() }).await };
        let (orders, payments, charges, refunds) = tokio::join!(
            reader.all(Service::Orders, |page| async move { client.orders(&page).await }, |order| (order.id, order)),
            reader.all(
                Service::Payments,
                |page| async move { client.payments(&page).await },
                |payment| (payment.order_id, payment)
            ),
            reader.all(Service::Payments, |page| async move { client.provider_charges(&page).await }, |charge| charge),
            reader.all(Service::Payments, |page| async move { client.provider_refunds(&page).await }, |refund| refund),
        );
        let (products, reservations, ledger, clock) = tokio::join!(
            reader.all(Service::Inventory, products, |product| (product.id, product)),
            reader.all(
                Service::Inventory,
                |page| async move { client.reservations(&page).await },
                |it| (it.order_id, it)
            ),
            reader.all(Service::Inventory, |page| async move { client.ledger(&page).await }, |sum| sum),
            async {
                reader.ask(Service::Inventory)?;
                client.clock(Service::Inventory).await
            },
        );
        self.snapshot.orders = self.keep(Part::Orders, orders).unwrap_or_default().into_iter().collect();
        self.snapshot.payments = self.keep(Part::Payments, payments).unwrap_or_default().into_iter().collect();
        self.snapshot.charges = self.keep(Part::Charges, charges).unwrap_or_default();
        self.snapshot.refunds = self.keep(Part::Refunds, refunds).unwrap_or_default();
        self.snapshot.products = self.keep(Part::Products, products).unwrap_or_default().into_iter().collect();
        self.snapshot.reservations =
            self.keep(Part::Reservations, reservations).unwrap_or_default().into_iter().collect();
        self.snapshot.ledger = self.keep(Part::Ledger, ledger).unwrap_or_default();
        self.snapshot.inventory_now = self.keep(Part::Clock, clock).map_or(self.snapshot.at, |clock| clock.now);
    }
}
