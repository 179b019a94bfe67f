//! The manners of the command line: what is written where, exit codes, and what is refused.

use serde_json::Value;

use crate::{
    cluster::Cluster,
    command::finish,
    shop::{Stage, card, id, text},
};

const NOBODYS: &str = "00000000-0000-7000-8000-000000000000";

#[tokio::test]
async fn json_is_one_document_and_everything_else_is_on_standard_error() {
    let shop = Cluster::shared();
    let product = shop.product(5).await;
    let order = shop.order_at(Stage::Paid, &product, 1).await;
    let (customer, seller, admin) = (shop.customer(), shop.seller(), shop.admin());
    // `json` reads exactly one document.
    for line in [
        "whoami".to_owned(),
        "status".to_owned(),
        "product list --search Widget --in-stock --sort price".to_owned(),
        format!("product show {product}"),
        "order list --status paid".to_owned(),
        format!("order show {order}"),
        format!("order timeline {order}"),
        "reservation list".to_owned(),
        format!("reservation show {order}"),
        "payment list".to_owned(),
        format!("payment show {order}"),
        format!("events tail --no-follow --order {order}"),
        "clock show".to_owned(),
        "doctor --any-port".to_owned(),
    ] {
        for who in [&customer, &seller, &admin] {
            who.json(&line).await;
        }
    }
    // A failure after something was written is on standard error as well; so is the key.
    let paid = shop.customer().run_with(&format!("order pay {order} --token tok_visa"), "").await.ends(1);
    assert!(paid.err.contains("already_paid"), "{paid:#?}");
    let line = format!("order create --item {product}:1 --idempotency-key text-{product}");
    let said = shop.customer().run(&line).await.ends(0).says(&format!("idempotency key text-{product}"));
    assert!(said.out.contains("PENDING") && !said.out.contains("text-") && !said.out.contains('\u{1b}'), "{said:#?}");
    let quiet = shop.customer().run(&format!("order show {order} --quiet")).await.ends(0);
    assert_eq!(quiet.err, "");
    let colourless = shop.customer().with([("NO_COLOR", "1")]).run("order list").await.ends(0);
    assert!(!colourless.out.contains('\u{1b}'), "{colourless:#?}");
}

#[tokio::test]
async fn jsonl_is_one_document_a_line_and_a_list_goes_on_where_it_has_ended() {
    let shop = Cluster::shared();
    let seller = shop.newcomer("lister", "seller").await;
    for number in 0..5 {
        seller.json(&format!("product add --name Thing-{number} --price {}.50 --stock {number}", 5 - number)).await;
    }
    let account = id(&seller.json("whoami").await);
    let list = format!("product list --seller-id {account}");
    let lines = seller.run(&format!("{list} -o jsonl --sort name")).await.ends(0);
    let names: Vec<_> =
        lines.out.lines().map(|line| text(&serde_json::from_str::<Value>(line).unwrap()["name"])).collect();
    assert_eq!(names, ["Thing-0", "Thing-1", "Thing-2", "Thing-3", "Thing-4"]);
    let in_stock = seller.json(&format!("{list} --in-stock --sort price")).await;
    let prices: Vec<_> =
        in_stock["items"].as_array().unwrap().iter().map(|one| one["price"]["minor"].as_i64()).collect();
    assert_eq!(prices, [Some(150), Some(250), Some(350), Some(450)]);

    let first = seller.json(&format!("{list} --limit 3")).await;
    let rest = seller.json(&format!("{list} --limit 3 --cursor {}", text(&first["next_cursor"]))).await;
    let count = |page: &Value| page["items"].as_array().unwrap().len();
    assert_eq!((count(&first), count(&rest), &rest["next_cursor"]), (3, 2, &Value::Null));
    seller.run(&format!("{list} --limit 3")).await.ends(0).says("--cursor ");
    let empty = seller.run("order list -o jsonl").await.ends(0);
    assert_eq!(empty.out, "");
}

#[tokio::test]
async fn what_cannot_be_understood_is_a_usage_error_and_nothing_is_sent() {
    let shop = Cluster::shared();
    let product = shop.product(1).await;
    for line in [
        "".to_owned(),
        "orders".to_owned(),
        "order".to_owned(),
        "order show 7".to_owned(),
        format!("order show {product} -o xml"),
        "order create".to_owned(),
        format!("order create --item {product}"),
        format!("order create --item {product}:many"),
        format!("order create --item {product}:-1"),
        format!("order create --item {product}:99999999999"),
        format!("order confirm {product} --timeout soon"),
        format!("order pay {product}"),
        format!("order pay {product} --token tok_visa --card-file -"),
        format!("order pay {product} --token 4242424242424242"),
        "order list --status eaten".to_owned(),
        "product add --name x --price 1.999".to_owned(),
        "product add --name x --price free".to_owned(),
        "clock advance soon".to_owned(),
        "events tail --follow -o json".to_owned(),
        "login".to_owned(),
    ] {
        let refused = shop.anybody().run(&line).await;
        assert_eq!(refused.code, Some(2), "{refused:#?}");
        assert!(!refused.err.is_empty() && refused.out.is_empty(), "{refused:#?}");
    }
    assert_eq!(shop.stock(&product).await, [1, 0, 1]);
}

#[tokio::test]
async fn bad_input_has_a_clear_error_and_changes_nothing() {
    let shop = Cluster::shared();
    let product = shop.product(1).await;
    let customer = shop.customer();
    let pending = shop.order(&product, 1).await;
    let before = shop.show(&pending).await;
    for (line, said) in [
        (format!("order create --item {NOBODYS}:1"), "product_unknown"),
        (format!("order create --item {product}:0"), "between 1 and 10000"),
        (format!("order create --item {product}:4000000000"), "between 1 and 10000"),
        (format!("order create --item {product}:1 --item {product}:1"), "one line only"),
        (format!("order create {}", format!("--item {product}:1 ").repeat(51)), "between 1 and 50 lines"),
        (format!("order show {NOBODYS}"), "(not_found)"),
        (format!("order timeline {NOBODYS}"), "(not_found)"),
        (format!("reservation show {NOBODYS}"), "(not_found)"),
        (format!("payment show {NOBODYS}"), "(not_found)"),
        (format!("product show {NOBODYS}"), "(not_found)"),
        (format!("order pay {pending} --token tok_visa --wait"), "its seller has not confirmed it yet"),
        ("order list --limit 0".to_owned(), "limit"),
        ("order list --cursor x".to_owned(), "cursor"),
    ] {
        customer.refused(1, &line).await.says(said).writes_nothing();
    }
    for (line, said) in [
        ("product add --name x --price 0".to_owned(), "more than nothing"),
        ("product add --name x --price 1000000.01".to_owned(), "at most"),
        ("product add --name x --price 99999999999999999".to_owned(), ""),
        (format!("product restock {product} --quantity 0"), "(validation_failed)"),
        (format!("product edit {product} --price 1 --expected-version 7"), "(version_conflict)"),
    ] {
        let refused = shop.seller().run_with(&line, "").await.says(said).writes_nothing();
        assert!(matches!(refused.code, Some(1 | 2)), "{refused:#?}");
    }
    assert_eq!(shop.show(&pending).await, before);
    assert_eq!(shop.stock(&product).await, [1, 0, 1]);
}

#[tokio::test]
async fn roles_and_owners_are_kept_apart() {
    let shop = Cluster::shared();
    let product = shop.product(5).await;
    let order = shop.order_at(Stage::Confirmed, &product, 1).await;
    let (customer, seller) = (shop.newcomer("stranger", "customer").await, shop.newcomer("rival", "seller").await);
    for line in ["order show", "order timeline", "order cancel", "reservation show", "payment show"] {
        for stranger in [&customer, &seller] {
            stranger.refused(1, &format!("{line} {order}")).await.says("(not_found)").writes_nothing();
        }
    }
    customer.refused(1, &format!("order pay {order} --token tok_visa --timeout 1s")).await.says("(not_found)");
    seller.refused(1, &format!("order confirm {order}")).await.says("(not_found)");
    seller.refused(1, &format!("product edit {product} --price 1")).await.writes_nothing();
    seller.refused(1, &format!("product restock {product} --quantity 1")).await.writes_nothing();
    for who in [&customer, &seller] {
        assert_eq!(who.json("order list").await["items"], Value::Array(vec![]));
        assert_eq!(who.json("payment list").await["items"], Value::Array(vec![]));
        assert_eq!(who.json("reservation list").await["items"], Value::Array(vec![]));
        let line = format!("events tail --no-follow --order {order}");
        let heard = who.run_with(&line, "").await;
        assert!(heard.code == Some(1) || heard.document()["items"] == Value::Array(vec![]), "{heard:#?}");
    }
    // The wrong role.
    for (who, line) in [
        (shop.seller(), format!("order create --item {product}:1")),
        (shop.seller(), format!("order pay {order} --token tok_visa")),
        (shop.customer(), format!("order confirm {order}")),
        (shop.customer(), format!("order fulfill {order}")),
        (shop.customer(), "product add --name x --price 1".to_owned()),
        (shop.customer(), format!("product restock {product} --quantity 1")),
        (shop.seller(), "clock advance 1m".to_owned()),
    ] {
        who.refused(1, &line).await.says("(forbidden)").says("orderflow whoami").writes_nothing();
    }
    assert_eq!(shop.state(&order).await, ["CONFIRMED", "HELD", "OPEN"]);
    // Nobody at all.
    shop.anybody().refused(1, "order list").await.says("orderflow login").writes_nothing();
}

#[tokio::test]
async fn a_step_that_is_not_possible_now_names_the_state() {
    let shop = Cluster::shared();
    let product = shop.product(10).await;
    let states = [
        (shop.order(&product, 1).await, "PENDING", vec![(shop.seller(), "fulfill")]),
        (
            shop.order_at(Stage::Confirmed, &product, 1).await,
            "CONFIRMED",
            vec![(shop.seller(), "confirm"), (shop.seller(), "fulfill")],
        ),
        (shop.order_at(Stage::Paid, &product, 1).await, "PAID", vec![(shop.seller(), "confirm")]),
        (
            shop.order_at(Stage::Fulfilled, &product, 1).await,
            "FULFILLED",
            vec![(shop.seller(), "confirm"), (shop.seller(), "fulfill"), (shop.customer(), "cancel")],
        ),
    ];
    for (order, state, steps) in states {
        for (who, verb) in steps {
            let refused = who.refused(1, &format!("order {verb} {order} --wait")).await;
            refused.says(&format!("while the order is {state} (illegal_transition)")).writes_nothing();
        }
        assert_eq!(shop.show(&order).await["status"], state);
    }
}

#[tokio::test]
async fn a_key_does_it_once_and_refuses_something_else() {
    let shop = Cluster::shared();
    let product = shop.product(10).await;
    let (customer, seller) = (shop.customer(), shop.seller());
    let create = format!("order create --item {product}:1 --idempotency-key create-{product}");
    let first = customer.json(&create).await;
    assert_eq!(first["idempotency_key"], format!("create-{product}"));
    let order = id(&first);
    let again = customer.run_with(&create, "").await.ends(0).says("done before");
    assert_eq!(id(&again.document()), order);
    let other = format!("order create --item {product}:2 --idempotency-key create-{product}");
    customer.refused(6, &other).await.says("(idempotency_key_reused)").writes_nothing();

    for (who, line) in [
        (&seller, format!("order confirm {order} --wait --idempotency-key confirm-{order}")),
        (&customer, format!("order pay {order} --token tok_visa --wait --idempotency-key pay-{order}")),
        (&seller, format!("order fulfill {order} --wait --idempotency-key fulfill-{order}")),
    ] {
        let once = who.json(&line).await;
        assert_eq!(who.json(&line).await["status"], once["status"], "{line}");
    }
    let other = format!("order pay {order} --token tok_amex --idempotency-key pay-{order}");
    customer.refused(6, &other).await.says("(idempotency_key_reused)");
    assert_eq!(shop.charges(&order).await.len(), 1);
    assert_eq!(shop.stock(&product).await, [9, 0, 9]);

    let add = format!("product add --name Once --price 1 --stock 1 --idempotency-key add-{product}");
    assert_eq!(id(&seller.json(&add).await), id(&seller.json(&add).await));
    let restock = format!("product restock {product} --quantity 5 --idempotency-key restock-{product}");
    seller.json(&restock).await;
    seller.json(&restock).await;
    assert_eq!(shop.stock(&product).await, [14, 0, 14]);
}

#[tokio::test]
async fn who_waits_in_vain_is_told_so_and_it_happens_all_the_same() {
    let shop = Cluster::shared();
    let product = shop.product(1).await;
    let order = shop.order_at(Stage::Confirmed, &product, 1).await;
    // The provider keeps this card's first answer to itself for longer than this.
    let line = format!("order pay {order} --token tok_timeoutAfterCharge --wait --timeout 500ms");
    shop.customer().refused(3, &line).await.says("it may still happen").writes_nothing();
    let line = format!("order watch {order} --timeout 300ms");
    shop.customer().run(&line).await.ends(3);
    shop.is_at_last(&order, ["PAID", "ALLOCATED", "SUCCEEDED"]).await;
    assert_eq!(shop.charges(&order).await.len(), 1);
}

#[tokio::test]
async fn the_timeline_of_an_order_is_there_as_soon_as_the_order_is() {
    let shop = Cluster::shared();
    let product = shop.product(10).await;
    for _ in 0..10 {
        let order = shop.order(&product, 1).await;
        assert_eq!(shop.timeline(&order).await[0], "order.created");
    }
}

#[tokio::test]
async fn a_reader_that_goes_away_is_no_error() {
    let shop = Cluster::shared();
    let product = shop.product(100).await;
    futures_util::future::join_all((0..5).map(|_| shop.order(&product, 1))).await;
    for line in [
        "orderflow --help | true",
        "orderflow --as customer order list | true",
        "orderflow --as customer order list -o json | head -n 1",
        "orderflow --as customer order list -o jsonl | head -n 1",
        "orderflow --as admin events tail --no-follow --limit 200 | head -n 1",
        "orderflow logs --lines 1000 | head -n 1",
        "orderflow completions bash | true",
    ] {
        let mut command = shop.anybody().program("bash");
        command.args(["-c", &format!("set -o pipefail; {line}")]);
        let ran = finish(line, command, "").await;
        // Other tests may have made so many orders that a page does not hold them; a list says that, and nothing else.
        let is_more = |said: &str| line.contains("order list") && said.starts_with("there is more: --cursor ");
        let is_quiet = ran.err.lines().all(is_more);
        assert!(ran.code == Some(0) && is_quiet, "{ran:#?}");
    }
}

#[tokio::test]
async fn a_mistyped_card_goes_nowhere_and_is_not_repeated() {
    let shop = Cluster::shared();
    let product = shop.product(1).await;
    let order = shop.order_at(Stage::Confirmed, &product, 1).await;
    let line = format!("order pay {order} --card-file - --wait");
    for number in ["4242424242424241", "1234567812345678", "42", "4242x4242", ""] {
        let refused = shop.customer().run_with(&line, &card(number)).await.writes_nothing();
        assert!(matches!(refused.code, Some(1 | 2)), "{refused:#?}");
        assert!(number.len() < 5 || !refused.err.contains(number), "{refused:#?}");
    }
    shop.customer().run_with(&line, "{\"number\": \"4242424242424241\"").await.ends(2).says("cannot be read");
    shop.customer().refused(1, &format!("order pay {order} --card-file /no/such/file")).await.writes_nothing();
    assert_eq!(shop.state(&order).await, ["CONFIRMED", "HELD", "OPEN"]);
    assert_eq!(shop.charges(&order).await, []);
}

#[tokio::test]
async fn accounts_are_opened_once_and_sessions_end() {
    let shop = Cluster::shared();
    let person = shop.newcomer("visitor", "customer").await;
    let account = person.json("whoami").await;
    assert_eq!((&account["email"], &account["role"]), (&"visitor@example.com".into(), &"customer".into()));
    let again = "signup --email visitor@example.com --password-stdin";
    person.run_with(again, "Another1!pass\n").await.ends(1).says("(email_taken)").writes_nothing();
    person.run("logout").await.ends(0);
    person.refused(1, "whoami").await.says("nobody is logged in").writes_nothing();
    let login = "login --email visitor@example.com --password-stdin";
    let refused = person.run_with(login, "Wrong1!password\n").await.ends(1).says("(invalid_credentials)");
    assert!(!refused.err.contains("Wrong1!"), "{refused:#?}");
    assert_eq!(person.run_with(login, "Newcomer123!\n").await.json()["id"], account["id"]);
    let product = shop.product(1).await;
    let order = person.json(&format!("order create --item {product}:1")).await;
    assert_eq!(order["customer_id"], account["id"]);
}
