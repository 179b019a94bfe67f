//! Accounts and sessions.

use orderflow_contracts::{
    api::{Page, ops::AuditEntry},
    problem::Code,
};
use orderflow_platform::auth::Verifier;
use orderflow_testing::{Answer, Caller, eventually};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::world::World;

const PASSWORD: &str = "correct horse";

async fn sign_up(world: &World, email: &str, role: &str) -> Answer {
    let body = json!({ "email": email, "password": PASSWORD, "role": role });
    world.nobody().post("/v1/accounts", &body).await
}

async fn log_in(world: &World, email: &str, password: &str) -> Answer {
    world.nobody().post("/v1/sessions", &json!({ "email": email, "password": password })).await
}

async fn refresh(world: &World, token: &Value) -> Answer {
    world.nobody().post("/v1/sessions/refresh", &json!({ "refresh_token": token })).await
}

#[tokio::test]
async fn who_signs_up_has_an_account_and_a_token_for_every_service() {
    let world = World::start().await;
    for role in ["customer", "seller"] {
        let answer = sign_up(&world, &format!(" {role}@Example.com "), role).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        let account = &answer.body["account"];
        assert_eq!((&account["email"], &account["role"]), (&json!(format!("{role}@example.com")), &json!(role)));
        let token = answer.body["token"].as_str().unwrap();
        let me = Caller::new(world.service.url(), Some(token.to_owned())).get("/v1/accounts/me").await;
        assert_eq!(me.body, *account);
        // Whoever has the public key knows who it is, without asking the console.
        let principal = Verifier::new(world.keys.public()).unwrap().verify(token).unwrap();
        assert_eq!((json!(principal.account_id), principal.role.as_str()), (account["id"].clone(), role));
    }
    assert_eq!(world.database.count("select count(*) from accounts").await, 2);
    let hashed = "select count(*) from accounts where password_hash like '$argon2id$%'";
    assert_eq!(world.database.count(hashed).await, 2);
    let plain = "select count(*) from refresh_tokens where length(hash) <> 32";
    assert_eq!(world.database.count(plain).await, 0);
}

#[tokio::test]
async fn what_is_no_account_is_refused_and_nothing_is_made() {
    let world = World::start().await;
    let (short, long) = ("1234567", "x".repeat(129));
    let far = format!("{}@example.com", "x".repeat(250));
    for (email, password, role) in [
        ("a@example.com", PASSWORD, "admin"),
        ("a@example.com", PASSWORD, "king"),
        ("a@example.com", short, "customer"),
        ("a@example.com", &long, "customer"),
        ("", PASSWORD, "customer"),
        ("example.com", PASSWORD, "customer"),
        ("@example.com", PASSWORD, "customer"),
        ("a@", PASSWORD, "customer"),
        ("a\u{202e}moc@example.com", PASSWORD, "customer"),
        ("a@b@example.com", PASSWORD, "customer"),
        ("a b@example.com", PASSWORD, "customer"),
        ("a\0@example.com", PASSWORD, "customer"),
        (&far, PASSWORD, "customer"),
    ] {
        let body = json!({ "email": email, "password": password, "role": role });
        let answer = world.nobody().post("/v1/accounts", &body).await;
        assert_eq!(answer.code(), Some(Code::ValidationFailed), "{body}: {}", answer.body);
        assert!(!answer.body.to_string().contains(password), "{}", answer.body);
    }
    assert_eq!(world.database.count("select count(*) from accounts").await, 0);
}

#[tokio::test]
async fn an_address_has_one_account_however_it_is_written_and_however_many_try() {
    let world = World::start().await;
    let tries = ["a@example.com", "A@example.com", "a@EXAMPLE.com", " a@example.com"].map(|email| {
        let nobody = world.nobody();
        let body = json!({ "email": email, "password": PASSWORD, "role": "customer" });
        tokio::spawn(async move { nobody.post("/v1/accounts", &body).await })
    });
    let mut codes = Vec::new();
    for answer in tries {
        codes.push(answer.await.unwrap().code());
    }
    codes.retain(Option::is_some);
    assert_eq!(codes, [Some(Code::EmailTaken); 3]);
    assert_eq!(world.database.count("select count(*) from accounts").await, 1);
}

#[tokio::test]
async fn whoever_has_lost_the_answer_signs_up_again_with_the_same_key_and_nobody_else_does() {
    let world = World::start().await;
    let body = |email: &str, password: &str, role: &str| json!({ "email": email, "password": password, "role": role });
    let (mine, nobody) = (body("a@example.com", PASSWORD, "customer"), world.nobody());
    let first = nobody.with_key("k").post("/v1/accounts", &mine).await;
    assert_eq!((first.status.as_u16(), first.headers.get("idempotency-replayed")), (201, None));
    let again = nobody.with_key("k").post("/v1/accounts", &body(" A@example.com", PASSWORD, "customer")).await;
    assert_eq!((again.status.as_u16(), &again.body["account"]), (201, &first.body["account"]));
    assert_eq!(again.headers["idempotency-replayed"], "true");
    for session in [&first.body, &again.body] {
        assert_eq!(refresh(&world, &session["refresh_token"]).await.status, 200);
    }
    for (key, body) in [
        (None, mine.clone()),
        (Some("other"), mine.clone()),
        (Some("k"), body("a@example.com", "incorrect horse", "customer")),
        (Some("k"), body("a@example.com", PASSWORD, "seller")),
    ] {
        let caller = key.map_or_else(|| nobody.clone(), |key| nobody.with_key(key));
        assert_eq!(caller.post("/v1/accounts", &body).await.code(), Some(Code::EmailTaken), "{key:?} {body}");
    }
    // Keys are of nobody: somebody else may have the same.
    let others = nobody.with_key("k").post("/v1/accounts", &body("b@example.com", PASSWORD, "customer")).await;
    assert_eq!(others.status, 201);
    assert_eq!(world.database.count("select count(*) from accounts").await, 2);
    assert_eq!(world.database.count("select count(*) from idempotency_keys").await, 0);
    let bad = nobody.with_key(&"x".repeat(101)).post("/v1/accounts", &mine).await;
    assert_eq!(bad.code(), Some(Code::ValidationFailed));
}

#[tokio::test]
async fn many_at_once_with_one_key_open_one_account_and_all_have_it() {
    let world = World::start().await;
    let tries = (0..5).map(|_| {
        let nobody = world.nobody().with_key("k");
        let body = json!({ "email": "a@example.com", "password": PASSWORD, "role": "seller" });
        tokio::spawn(async move { nobody.post("/v1/accounts", &body).await })
    });
    let mut accounts = Vec::new();
    for answer in tries.collect::<Vec<_>>() {
        let answer = answer.await.unwrap();
        assert_eq!(answer.status, 201, "{}", answer.body);
        accounts.push(answer.body["account"].clone());
    }
    accounts.dedup();
    assert_eq!(accounts.len(), 1);
}

#[tokio::test]
async fn only_the_right_password_opens_a_session_and_a_wrong_one_tells_nothing() {
    let world = World::start().await;
    sign_up(&world, "a@example.com", "customer").await;
    let session = log_in(&world, " A@Example.com", PASSWORD).await;
    assert_eq!((session.status.as_u16(), &session.body["account"]["email"]), (201, &json!("a@example.com")));
    let mut answers = Vec::new();
    for (email, password) in [
        ("a@example.com", "correct horsE"),
        ("a@example.com", ""),
        ("b@example.com", PASSWORD),
        ("no address", PASSWORD),
        ("a@example.com\0", PASSWORD),
        ("' or true --@example.com", PASSWORD),
    ] {
        let answer = log_in(&world, email, password).await;
        assert_eq!((answer.code(), answer.status.as_u16()), (Some(Code::InvalidCredentials), 401), "{email}");
        answers.push((answer.body["title"].clone(), answer.body["detail"].clone()));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "whether there is such an account is not told: {answers:?}");
}

#[tokio::test]
async fn a_refresh_token_is_used_once_and_a_copy_ends_the_session() {
    let world = World::start().await;
    let first = sign_up(&world, "a@example.com", "customer").await.body;
    let second = refresh(&world, &first["refresh_token"]).await;
    assert_eq!((second.status.as_u16(), &second.body["account"]), (200, &first["account"]));
    assert_ne!(second.body["refresh_token"], first["refresh_token"]);
    // Two programs may share one and ask at the same time.
    let third = refresh(&world, &first["refresh_token"]).await;
    assert_eq!(third.status, 200);
    let later = "update refresh_tokens set used_at = used_at - interval '61 seconds' where used_at is not null";
    sqlx::query(later).execute(world.database.pool()).await.unwrap();
    let other = log_in(&world, "a@example.com", PASSWORD).await.body;
    assert_eq!(refresh(&world, &first["refresh_token"]).await.code(), Some(Code::InvalidCredentials));
    for followed in [second.body, third.body] {
        let answer = refresh(&world, &followed["refresh_token"]).await;
        assert_eq!(answer.code(), Some(Code::InvalidCredentials), "nobody knows which of them is the thief's");
    }
    assert_eq!(refresh(&world, &other["refresh_token"]).await.status, 200, "another session goes on");
}

#[tokio::test]
async fn a_session_ends_with_its_logout_or_its_time() {
    let world = World::start().await;
    let first = sign_up(&world, "a@example.com", "customer").await.body;
    let second = refresh(&world, &first["refresh_token"]).await.body;
    let log_out = async |token: &Value| {
        world.nobody().post("/v1/sessions/logout", &json!({ "refresh_token": token })).await.status.as_u16()
    };
    assert_eq!(log_out(&first["refresh_token"]).await, 204);
    for token in [&first["refresh_token"], &second["refresh_token"], &json!("nonsense"), &json!("")] {
        assert_eq!(refresh(&world, token).await.code(), Some(Code::InvalidCredentials));
        assert_eq!(log_out(token).await, 204, "what is over is over");
    }
    let old = log_in(&world, "a@example.com", PASSWORD).await.body;
    let later = "update refresh_tokens set expires_at = clock_timestamp()";
    sqlx::query(later).execute(world.database.pool()).await.unwrap();
    assert_eq!(refresh(&world, &old["refresh_token"]).await.code(), Some(Code::InvalidCredentials));
}

/// Lets a request go on in a task of its own until it waits for a lock of the database, as the so-many-th.
async fn until_it_waits(world: &World, count: i64, path: &'static str, token: &Value) -> JoinHandle<Answer> {
    let (nobody, body) = (world.nobody(), json!({ "refresh_token": token }));
    let asked = tokio::spawn(async move { nobody.post(path, &body).await });
    let waiting =
        "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    eventually("it waits", async || (world.database.count(waiting).await >= count).then_some(())).await;
    asked
}

#[tokio::test]
async fn a_session_that_ends_while_it_is_continued_has_no_token_left() {
    for is_stolen in [false, true] {
        let world = World::start().await;
        let first = sign_up(&world, "a@example.com", "customer").await.body;
        let second = refresh(&world, &first["refresh_token"]).await.body;
        let later = "update refresh_tokens set used_at = used_at - interval '61 seconds' where used_at is not null";
        sqlx::query(later).execute(world.database.pool()).await.unwrap();
        // It is continued, and held up before the next token is there.
        let mut held = world.database.pool().begin().await.unwrap();
        sqlx::query("lock table accounts in access exclusive mode").execute(&mut *held).await.unwrap();
        let continued = until_it_waits(&world, 1, "/v1/sessions/refresh", &second["refresh_token"]).await;
        let (path, token) = match is_stolen {
            true => ("/v1/sessions/refresh", &first["refresh_token"]),
            false => ("/v1/sessions/logout", &second["refresh_token"]),
        };
        let ended = until_it_waits(&world, 2, path, token).await;
        held.rollback().await.unwrap();
        let third = continued.await.unwrap();
        assert_eq!(third.status, 200, "it came first");
        assert_eq!(ended.await.unwrap().status, if is_stolen { 401 } else { 204 });
        let after = refresh(&world, &third.body["refresh_token"]).await;
        assert_eq!(after.code(), Some(Code::InvalidCredentials), "stolen: {is_stolen}");
    }
}

#[tokio::test]
async fn a_session_that_is_ended_first_is_not_continued() {
    let world = World::start().await;
    let first = sign_up(&world, "a@example.com", "customer").await.body;
    let second = refresh(&world, &first["refresh_token"]).await.body;
    // Its end is held up in the midst of its tokens.
    let mut held = world.database.pool().begin().await.unwrap();
    let one = "select from refresh_tokens where used_at is not null for update";
    sqlx::query(one).execute(&mut *held).await.unwrap();
    let ended = until_it_waits(&world, 1, "/v1/sessions/logout", &second["refresh_token"]).await;
    let continued = until_it_waits(&world, 2, "/v1/sessions/refresh", &second["refresh_token"]).await;
    held.rollback().await.unwrap();
    assert_eq!(ended.await.unwrap().status, 204);
    assert_eq!(continued.await.unwrap().code(), Some(Code::InvalidCredentials));
    let alive = "select count(*) from refresh_tokens where not revoked";
    assert_eq!(world.database.count(alive).await, 0);
}

#[tokio::test]
async fn what_people_do_with_their_sessions_is_in_the_audit_log_once() {
    let world = World::start().await;
    let first = sign_up(&world, "a@example.com", "customer").await.body;
    let token = json!({ "refresh_token": first["refresh_token"] });
    for _ in 0..2 {
        assert_eq!(world.nobody().post("/v1/sessions/logout", &token).await.status, 204);
    }
    assert_eq!(log_in(&world, "a@example.com", "wrong").await.code(), Some(Code::InvalidCredentials));
    let second = log_in(&world, "a@example.com", PASSWORD).await.body;
    assert_eq!(refresh(&world, &second["refresh_token"]).await.status, 200);
    let later = "update refresh_tokens set used_at = used_at - interval '61 seconds'";
    sqlx::query(later).execute(world.database.pool()).await.unwrap();
    for _ in 0..2 {
        assert_eq!(refresh(&world, &second["refresh_token"]).await.code(), Some(Code::InvalidCredentials));
    }
    let id = first["account"]["id"].as_str().unwrap();
    let log: Page<AuditEntry> = world.by(world.admin).get(&format!("/v1/audit?subject={id}")).await.into();
    let customer = format!("customer/{id}");
    let done: Vec<_> = log.items.iter().rev().map(|entry| (entry.actor.as_str(), entry.action.as_str())).collect();
    let expected = [
        (customer.as_str(), "account.opened"),
        (&customer, "session.closed"),
        (&customer, "session.opened"),
        ("console", "session.stolen"),
    ];
    assert_eq!(done, expected);
}

#[tokio::test]
async fn who_tries_many_passwords_for_an_address_has_to_wait_and_others_do_not() {
    let world = World::start().await;
    let tries = (0..40).map(|number| {
        let (nobody, email) = (world.nobody(), if number % 2 == 0 { "a@example.com" } else { " A@example.com" });
        let body = json!({ "email": email, "password": format!("password {number}") });
        tokio::spawn(async move { nobody.post("/v1/sessions", &body).await })
    });
    let mut limited = 0;
    for answer in tries.collect::<Vec<_>>() {
        let answer = answer.await.unwrap();
        let is_limited = answer.code() == Some(Code::RateLimited);
        assert!(is_limited || answer.code() == Some(Code::InvalidCredentials), "{}", answer.body);
        limited += usize::from(is_limited);
    }
    // Twenty at once; one more comes every five seconds, should this take so long.
    assert!((15..=20).contains(&limited), "{limited}");
    assert_eq!(log_in(&world, "b@example.com", PASSWORD).await.code(), Some(Code::InvalidCredentials));
}

#[tokio::test]
async fn the_test_accounts_exist_where_they_are_wanted_and_only_there() {
    let (with, without) = (World::start_with(true).await, World::start().await);
    // Started again, they are not made again.
    let again = World::serve(&with.database, &with.kafka, &with.keys, true).await;
    again.stop().await;
    for (email, password, role) in [
        ("user@orderflow.io", "User1234!", "customer"),
        ("seller@orderflow.io", "Seller123!", "seller"),
        ("admin@orderflow.io", "Admin123!", "admin"),
    ] {
        assert_eq!(log_in(&with, email, password).await.body["account"]["role"], role);
        assert_eq!(log_in(&without, email, password).await.code(), Some(Code::InvalidCredentials));
    }
    assert_eq!(with.database.count("select count(*) from accounts").await, 3);
    assert_eq!(without.database.count("select count(*) from accounts").await, 0);
}

#[tokio::test]
async fn without_a_good_token_nothing_is_shown() {
    let world = World::start().await;
    for path in
        ["/v1/accounts/me", "/v1/events", "/v1/stream", "/v1/orders/00000000-0000-0000-0000-000000000000/timeline"]
    {
        assert_eq!(world.nobody().get(path).await.code(), Some(Code::Unauthenticated), "{path}");
    }
    // A good token of an account that is not there.
    assert_eq!(world.by(world.customer).get("/v1/accounts/me").await.code(), Some(Code::NotFound));
}
