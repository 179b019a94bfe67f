//! Accounts and sessions.

use orderflow_contracts::problem::Code;
use orderflow_platform::auth::Verifier;
use orderflow_testing::{Answer, Caller};
use serde_json::{Value, json};

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
