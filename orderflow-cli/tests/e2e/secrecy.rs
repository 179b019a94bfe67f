//! No card, no password and no token is where others could read it: in arguments, environments, logs, or topics.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use crate::{
    cluster::Cluster,
    shop::{Stage, card, text},
};

const CARDS: [&str; 3] = ["4242424242424242", "4000000000000002", "378282246310005"];

#[tokio::test]
async fn nothing_secret_is_in_arguments_environments_logs_or_topics() {
    let shop = Cluster::start();
    let product = shop.product(5).await;
    for number in CARDS {
        let order = shop.order_at(Stage::Confirmed, &product, 1).await;
        shop.customer().run_with(&format!("order pay {order} --card-file - --wait"), &card(number)).await;
    }
    let visitor = shop.newcomer("secretive", "customer").await;
    visitor.run_with("login --email secretive@example.com --password-stdin", "Wrong1!password\n").await.ends(1);
    visitor.json("whoami").await;

    let mut secrets = in_documents(&shop);
    secrets.extend(["User1234!", "Seller123!", "Admin123!", "Newcomer123!", "Wrong1!password"].map(str::to_owned));
    secrets.extend(CARDS.map(str::to_owned));
    // Eight of the cluster, two of each of three sessions, five passwords, three cards.
    assert!(secrets.len() >= 22 && secrets.iter().all(|secret| secret.len() >= 9), "{} secrets", secrets.len());

    let arguments = Command::new("ps").args(["-A", "-ww", "-o", "args="]).output().unwrap().stdout;
    assert_none_in("the arguments of some process", &arguments, &secrets);
    for (name, pid) in shop.pids().await {
        // Where the system has no such file, there is nothing to read there either.
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        assert_none_in(&format!("the environment of {name}"), &environment, &secrets);
    }
    let logs = files(&shop.data().join("logs"));
    assert!(logs.len() >= 7, "{logs:?}");
    let topics = files(&shop.data().join("broker"));
    for file in logs.iter().chain(&topics).chain([&shop.dir().join("up.log"), &shop.data().join("cluster.json")]) {
        assert_none_in(&file.display().to_string(), &fs::read(file).unwrap(), &secrets);
    }
    // The database has passwords as hashes, and cards not at all.
    let written = ["User1234!", "Newcomer123!"].into_iter().chain(CARDS).map(str::to_owned).collect::<Vec<_>>();
    for file in files(&shop.data().join("postgres")) {
        // Some come and go while we look.
        assert_none_in(&file.display().to_string(), &fs::read(&file).unwrap_or_default(), &written);
    }
    owners_alone_can_read(&shop);
}

/// Every password, key and token that a file of the cluster has in it.
fn in_documents(shop: &Cluster) -> Vec<String> {
    let secrets = shop.secrets();
    let mut found = vec![text(&secrets["provider_key"]), text(&secrets["token_private_key"])];
    found.extend(secrets["postgres_passwords"].as_object().unwrap().values().map(text));
    found.push(fs::read_to_string(shop.data().join("postgres.password")).unwrap().trim().to_owned());
    let sessions = files(&shop.data().join("sessions")).into_iter().chain(files(&shop.dir().join("home")));
    for file in sessions.filter(|file| file.extension().is_some_and(|extension| extension == "json")) {
        let stored: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        found.extend(["token", "refresh_token"].map(|name| text(&stored["session"][name])));
    }
    found
}

fn owners_alone_can_read(shop: &Cluster) {
    use std::os::unix::fs::PermissionsExt;
    let private =
        ["secrets.json", "postgres.password", "config/orders.toml", "config/psp.toml", "sessions/customer.json"];
    for name in private {
        let mode = fs::metadata(shop.data().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name}");
    }
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else if path.is_file() {
            all.push(path);
        }
    }
    all
}

fn assert_none_in(place: &str, bytes: &[u8], secrets: &[String]) {
    let found = secrets.iter().find(|secret| bytes.windows(secret.len()).any(|window| window == secret.as_bytes()));
    assert!(found.is_none(), "{found:?} is in {place}");
}
