use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use orderflow_cluster::postgres::{
    Options, Postgres, PostgresError, create_from_template, drop_database, ensure_database,
};
use sqlx::{Connection, PgConnection, query, query_scalar};

use crate::processes::{self, Other, eventually, nobody_works_on, public_tempdir};

fn options(dir: &Path) -> Options {
    Options { data_dir: dir.join("pg"), port: 0, durable: false }
}

fn url(server: &Postgres, role: &str, password: &str, database: &str) -> String {
    format!("postgres://{role}:{password}@127.0.0.1:{}/{database}", server.port())
}

async fn connect(url: &str) -> Result<PgConnection, sqlx::Error> {
    PgConnection::connect(url).await
}

fn code(error: &sqlx::Error) -> String {
    error.as_database_error().unwrap().code().unwrap().into_owned()
}

#[tokio::test]
async fn starts_and_stops_and_keeps_what_it_was_told() {
    let dir = public_tempdir();
    let server = Postgres::start(options(dir.path())).await.unwrap();
    let mut admin = connect(server.admin_url()).await.unwrap();
    query("create table kept (n int)").execute(&mut admin).await.unwrap();
    query("insert into kept values (7)").execute(&mut admin).await.unwrap();
    let encoding: String = query_scalar("show server_encoding").fetch_one(&mut admin).await.unwrap();
    assert_eq!(encoding, "UTF8");
    let listens: String = query_scalar("show listen_addresses").fetch_one(&mut admin).await.unwrap();
    assert_eq!(listens, "127.0.0.1");
    drop(admin);
    let pid = server.pid();
    server.stop().await;
    assert!(!processes::alive(pid));

    let server = Postgres::start(options(dir.path())).await.unwrap();
    let mut admin = connect(server.admin_url()).await.unwrap();
    let kept: i32 = query_scalar("select n from kept").fetch_one(&mut admin).await.unwrap();
    assert_eq!(kept, 7);
    let password = dir.path().join("pg.password");
    assert_eq!(fs::metadata(&password).unwrap().permissions().mode() & 0o777, 0o600);
    let secret = fs::read_to_string(password).unwrap();
    let seen = processes::with_text(dir.path().to_str().unwrap());
    assert!(!seen.is_empty() && seen.iter().all(|(_, command)| !command.contains(&secret)));
    server.stop().await;
    nobody_works_on(dir.path()).await;
}

#[tokio::test]
async fn two_servers_on_one_directory_are_refused() {
    let dir = public_tempdir();
    let first = Postgres::start(options(dir.path())).await.unwrap();
    let second = Postgres::start(options(dir.path())).await;
    assert!(matches!(second, Err(PostgresError::InUse(_))), "{second:?}");
    first.stop().await;
}

#[tokio::test]
async fn a_role_reaches_its_own_database_only() {
    let server = Postgres::start_temporary().await.unwrap();
    for name in ["one", "two", "odd\"na'me"] {
        ensure_database(server.admin_url(), name, name, "first").await.unwrap();
        ensure_database(server.admin_url(), name, name, "secret").await.unwrap();
    }
    let mut own = connect(&url(&server, "one", "secret", "one")).await.unwrap();
    query("create table mine ()").execute(&mut own).await.unwrap();
    for forbidden in ["two", "postgres", "template1"] {
        let refused = connect(&url(&server, "one", "secret", forbidden)).await.unwrap_err();
        assert_eq!(code(&refused), "42501", "{forbidden}: {refused}");
    }
    let old = connect(&url(&server, "one", "first", "one")).await.unwrap_err();
    assert_eq!(code(&old), "28P01");
    let refused = query("create database more").execute(&mut own).await.unwrap_err();
    assert_eq!(code(&refused), "42501");
    assert!(connect(&url(&server, "odd%22na%27me", "secret", "odd%22na%27me")).await.is_ok());
    server.stop().await;
}

#[tokio::test]
async fn a_copy_of_a_template_is_as_private_as_its_model() {
    let server = Postgres::start_temporary().await.unwrap();
    ensure_database(server.admin_url(), "model", "owner", "pw").await.unwrap();
    ensure_database(server.admin_url(), "other", "other", "pw").await.unwrap();
    let mut model = connect(&url(&server, "owner", "pw", "model")).await.unwrap();
    query("create table t as select 1 as n").execute(&mut model).await.unwrap();
    model.close().await.unwrap();
    let copies = ["copy_a", "copy_b", "copy_c"].map(|name| {
        let admin = server.admin_url().to_owned();
        tokio::spawn(async move { create_from_template(&admin, name, "model", "owner").await })
    });
    for copy in copies {
        copy.await.unwrap().unwrap();
    }
    let mut copy = connect(&url(&server, "owner", "pw", "copy_b")).await.unwrap();
    query("insert into t values (2)").execute(&mut copy).await.unwrap();
    assert_eq!(code(&connect(&url(&server, "other", "pw", "copy_b")).await.unwrap_err()), "42501");
    drop_database(server.admin_url(), "copy_b").await.unwrap();
    drop_database(server.admin_url(), "copy_b").await.unwrap();
    assert_eq!(code(&connect(&url(&server, "owner", "pw", "copy_b")).await.unwrap_err()), "3D000");
    server.stop().await;
}

#[tokio::test]
async fn a_temporary_one_leaves_nothing() {
    let server = Postgres::start_temporary().await.unwrap();
    let home = server.log().parent().unwrap().to_owned();
    assert!(home.exists());
    drop(server);
    eventually("the directory goes", async || !home.exists()).await;
}

/// The process that is killed.
#[tokio::test]
#[ignore = "run by another test"]
async fn hold_a_server() {
    let Some(dir) = processes::argument() else { return };
    let server = Postgres::start(options(&dir)).await.unwrap();
    println!("\npid={}", server.pid());
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn it_dies_with_the_process_that_started_it() {
    let dir = public_tempdir();
    let mut other = Other::run("postgres::hold_a_server", dir.path());
    let pid: u32 = other.says("pid=").parse().unwrap();
    assert!(processes::alive(pid));
    other.kill();
    nobody_works_on(dir.path()).await;
}

#[tokio::test]
async fn one_that_was_left_behind_is_taken_over() {
    let dir = public_tempdir();
    let mut other = Other::run("postgres::hold_a_server", dir.path());
    let pid: u32 = other.says("pid=").parse().unwrap();
    // Its shell and the shell's watcher first, so that nobody is left to tell it.
    let all = processes::with_text(dir.path().to_str().unwrap());
    let shells: Vec<u32> =
        all.into_iter().filter(|(_, command)| command.starts_with("/bin/sh")).map(|(pid, _)| pid).collect();
    assert_eq!(shells.len(), 2);
    for shell in shells {
        processes::signal(shell, "-KILL");
    }
    other.kill();
    assert!(processes::alive(pid));
    let server = Postgres::start(options(dir.path())).await.unwrap();
    assert!(!processes::alive(pid));
    assert!(connect(server.admin_url()).await.is_ok());
    server.stop().await;
}

#[tokio::test]
async fn a_lost_password_and_a_taken_port_are_named() {
    let dir = public_tempdir();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let refused = Postgres::start(Options { port, ..options(dir.path()) }).await;
    let Err(PostgresError::NotReady { log_tail, .. }) = refused else { panic!("{refused:?}") };
    assert!(log_tail.contains("Address already in use"), "{log_tail}");
    fs::remove_file(dir.path().join("pg.password")).unwrap();
    let refused = Postgres::start(options(dir.path())).await;
    assert!(matches!(refused, Err(PostgresError::PasswordLost(_))), "{refused:?}");
    nobody_works_on(dir.path()).await;
}

#[tokio::test]
async fn a_directory_that_its_account_cannot_enter_is_named() {
    if !rustix::process::geteuid().is_root() {
        return; // anybody else runs it as himself
    }
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let refused = Postgres::start(options(dir.path())).await;
    let Err(PostgresError::Barred { dir: barred, .. }) = &refused else { panic!("{refused:?}") };
    assert_eq!(*barred, dir.path().canonicalize().unwrap());
    assert!(refused.unwrap_err().to_string().contains("--data-dir"));
}

#[tokio::test]
#[ignore = "downloads from Maven Central, and needs ORDERFLOW_POSTGRES_BIN unset"]
async fn a_downloaded_one_serves() {
    let bin = orderflow_cluster::postgres::download_binaries().await.unwrap();
    println!("{}", bin.display());
    assert!(bin.join("initdb").is_file());
}
