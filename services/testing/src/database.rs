//! One PostgreSQL for the whole test program, a database for each test.

use std::{
    sync::{OnceLock, mpsc},
    thread,
};

use orderflow_cluster::postgres::{Postgres, ensure_database};
use sqlx::{PgPool, postgres::PgPoolOptions};
use uuid::Uuid;

/// The URL of the administrator.
fn server() -> &'static str {
    static SERVER: OnceLock<String> = OnceLock::new();
    SERVER.get_or_init(|| {
        // It runs until this program ends: then the pipe closes that it lives by. A thread of its own has its runtime,
        // since that of the test which happens to be first ends with that test.
        let (tell, told) = mpsc::channel();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async {
                let server = Postgres::start_temporary().await.expect("PostgreSQL starts");
                tell.send(server.admin_url().to_owned()).expect("the first test waits");
                std::future::pending::<()>().await;
            });
        });
        told.recv().expect("PostgreSQL starts")
    })
}

/// Who a database belongs to.
#[derive(Debug, Clone)]
pub struct Role {
    /// Its name.
    pub name: String,
    /// Its password.
    pub password: String,
}

/// A database of a role of its own, as each service has one.
pub struct Database {
    url: String,
    role: Role,
    pool: PgPool,
}

impl Database {
    /// A new one.
    pub async fn new() -> Self {
        let admin = tokio::task::spawn_blocking(server).await.expect("PostgreSQL starts");
        let name = format!("test_{}", Uuid::new_v4().simple());
        let role = Role { name: name.clone(), password: Uuid::new_v4().simple().to_string() };
        ensure_database(admin, &name, &role.name, &role.password).await.expect("a database");
        let place = admin.rsplit_once('@').and_then(|(_, place)| place.split_once('/')).expect("a URL").0;
        let url = format!("postgres://{}:{}@{place}/{name}", role.name, role.password);
        let pool = PgPoolOptions::new().max_connections(4).connect_lazy(&url).expect("a URL of PostgreSQL");
        Self { url, role, pool }
    }

    /// For a service's settings.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Who it belongs to.
    pub const fn role(&self) -> &Role {
        &self.role
    }

    /// To look into it, beside the service.
    pub const fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// A number that a query gives.
    pub async fn count(&self, query: &'static str) -> i64 {
        sqlx::query_scalar(query).fetch_one(&self.pool).await.expect("a number")
    }
}
