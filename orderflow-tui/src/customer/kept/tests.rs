use std::{os::unix::fs::PermissionsExt as _, sync::atomic::Ordering};

use orderflow_contracts::api::console::Role;

use super::*;
use crate::{
    customer::tests::catalogue,
    testing::{
        NOW_MS, account,
        services::{Console, Services},
    },
};

const NOW: Timestamp = Timestamp(NOW_MS);

fn store(dir: &Path) -> Store {
    Store::at(dir.join("console.open"), "default", Path::new("/data"), None)
}

fn me() -> AccountId {
    account(Role::Customer).id
}

fn two_mugs() -> What {
    let mug = &catalogue()[1];
    let (id, seller_id, name, price) = (mug.id, mug.seller_id, mug.name.clone(), mug.price);
    What::Order { lines: vec![Line { id, seller_id, name, price, quantity: 2 }], total: None }
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let Ok(found) = fs::read_dir(dir.join("console.open")) else { return Vec::new() };
    found.map(|entry| entry.unwrap().path()).collect()
}

#[tokio::test]
async fn what_is_kept_is_found_by_its_account_in_its_cluster_and_by_nobody_else() {
    let dir = tempfile::tempdir().unwrap();
    let (store, key) = (store(dir.path()), Uuid::new_v4());
    assert_eq!(store.recall(me(), NOW).await, Recalled::default());
    store.keep(me(), key, NOW, two_mugs()).await.unwrap();
    let found = store.recall(me(), NOW).await;
    assert!(matches!(&found.open[..], [kept] if kept.key == key && kept.what == two_mugs() && kept.at == NOW));
    let path = files(dir.path()).remove(0);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(store.recall(account(Role::Seller).id, NOW).await, Recalled::default());
    let elsewhere = Store::at(dir.path().join("console.open"), "default", Path::new("/other"), None);
    assert_eq!(elsewhere.recall(me(), NOW).await, Recalled::default());
    store.forget(key).await.unwrap();
    store.forget(key).await.unwrap();
    assert!(files(dir.path()).is_empty());
}

#[tokio::test]
async fn what_the_services_may_not_know_any_more_is_told_once_and_not_asked() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    store.keep(me(), Uuid::new_v4(), Timestamp(NOW_MS - ASKED_MS_MAX - 1), two_mugs()).await.unwrap();
    let found = store.recall(me(), NOW).await;
    assert_eq!((found.open.len(), found.late.len()), (0, 1));
    assert_eq!(store.recall(me(), NOW).await, Recalled::default());
}

#[tokio::test]
async fn what_is_damaged_is_told_and_set_aside_and_harms_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    let (good, bad) = (Uuid::new_v4(), Uuid::new_v4());
    store.keep(me(), good, NOW, two_mugs()).await.unwrap();
    fs::write(file_of(&dir.path().join("console.open"), bad), b"{\"key\":").unwrap();
    let found = store.recall(me(), NOW).await;
    assert_eq!(found.open.len(), 1);
    assert!(found.troubles[0].contains("cannot be read") && found.troubles[0].contains(".damaged"), "{found:?}");
    assert!(store.recall(me(), NOW).await.troubles.is_empty(), "it is told once");
    assert!(files(dir.path()).iter().any(|path| path.ends_with(format!("{bad}.damaged"))));
    // Set aside is not for ever.
    let at = fs::metadata(dir.path()).unwrap().modified().unwrap();
    let later = at.duration_since(std::time::UNIX_EPOCH).unwrap() + Duration::from_secs(8 * 24 * 3600);
    store.recall(me(), Timestamp(i64::try_from(later.as_millis()).unwrap())).await;
    assert!(files(dir.path()).is_empty());
}

#[tokio::test]
async fn a_place_that_cannot_be_written_to_or_is_full_is_told() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("console.open"), "a file is no directory").unwrap();
    assert!(store(dir.path()).keep(me(), Uuid::new_v4(), NOW, two_mugs()).await.is_err());
    assert!(!store(dir.path()).recall(me(), NOW).await.troubles.is_empty());
    let dir = tempfile::tempdir().unwrap();
    for _ in 0..FILES_MAX {
        store(dir.path()).keep(me(), Uuid::new_v4(), NOW, two_mugs()).await.unwrap();
    }
    let error = store(dir.path()).keep(me(), Uuid::new_v4(), NOW, two_mugs()).await.unwrap_err();
    assert!(error.to_string().contains("64 files"), "{error}");
    assert_eq!(store(dir.path()).recall(me(), NOW).await.open.len(), FILES_MAX);
}

#[tokio::test]
async fn a_lost_answer_outlives_the_console_and_is_asked_for_with_the_same_key_and_content() {
    let (dir, services) = (tempfile::tempdir().unwrap(), Arc::new(Services::default()));
    let endpoints = services.begin().await;
    let mut console = Console::of(&endpoints, dir.path()).await;
    console.press(&["down", "down", "down", "a", "a", "c", "enter"]);
    console.sees("? placed").await;
    let first = services.take_asked().remove(0);
    assert_eq!(first.2["lines"][0]["quantity"], 2);
    assert_eq!(files(dir.path()).len(), 1, "it was kept before it was sent");
    console.press(&["q"]);
    drop(console);

    let mut console = Console::of(&endpoints, dir.path()).await;
    console.press(&["3"]);
    console.sees("? placed").await;
    console.sees("2× Enamel Mug").await;
    console.sees("something from last time is not known").await;
    services.are_well.store(true, Ordering::SeqCst);
    console.press(&["r"]);
    console.sees("○ pending").await;
    assert_eq!(services.take_asked(), [first]);
    console.until(|_| files(dir.path()).is_empty()).await;
}

#[tokio::test]
async fn a_certain_outcome_leaves_nothing_and_a_disk_that_fails_keeps_nobody_from_ordering() {
    let (dir, services) = (tempfile::tempdir().unwrap(), Arc::new(Services::default()));
    services.are_well.store(true, Ordering::SeqCst);
    let endpoints = services.begin().await;
    let mut console = Console::of(&endpoints, dir.path()).await;
    console.press(&["down", "down", "down", "a", "c", "enter"]);
    console.sees("○ pending").await;
    console.until(|_| files(dir.path()).is_empty()).await;
    drop(console);
    fs::remove_dir(dir.path().join("console.open")).unwrap();
    fs::write(dir.path().join("console.open"), "a file is no directory").unwrap();
    let mut console = Console::of(&endpoints, dir.path()).await;
    console.press(&["down", "down", "down", "a", "c", "enter"]);
    console.sees("its key is lost").await;
    console.sees("○ pending").await;
}
