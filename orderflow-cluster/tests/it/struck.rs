//! What was broken on purpose is counted for as long as the cluster's data live.

use std::{fs, path::Path};

use orderflow_cluster::{
    Action, Need, State, attach,
    control::{Request, Response, Status, Struck, request},
};

use crate::{
    lines::{answers, cut, heal},
    processes::{self, eventually, nobody_works_on, public_tempdir},
    supervisor::{of, run, spec, start, status},
};

async fn act(data: &Path, process: &str, action: Action, for_ms: Option<u64>) {
    let signal = Request::Signal { process: process.into(), action, for_ms };
    assert_eq!(request(data, signal).await.unwrap(), Response::Done);
}

/// What was done to each process to which something was done, by their names.
fn struck(status: &Status) -> Vec<(&str, Struck)> {
    let all = status.processes.iter().map(|one| (one.name.as_str(), one.struck));
    let mut all: Vec<_> = all.filter(|(_, struck)| *struck != Struck::default()).collect();
    all.sort_by_key(|(name, _)| *name);
    all
}

/// How many connections each line has lost that has lost one.
fn dropped(status: &Status) -> Vec<(&str, Need, u64)> {
    let all = status.lines.iter().map(|line| (line.service.as_str(), line.to, line.dropped));
    all.filter(|(_, _, dropped)| *dropped > 0).collect()
}

#[tokio::test]
async fn what_is_over_has_left_its_number_and_the_next_supervisor_knows_it() {
    let dir = public_tempdir();
    let supervisor = start(spec(dir.path())).await;
    let data = supervisor.data_dir().to_owned();
    let running = run(supervisor);
    let told = status(&data).await;
    assert_eq!((struck(&told), dropped(&told), told.lines.len()), (vec![], vec![], 9));

    act(&data, "inventory", Action::Pause, Some(100)).await;
    act(&data, "postgres", Action::Pause, None).await;
    act(&data, "postgres", Action::Resume, None).await;
    act(&data, "orders", Action::Kill, Some(3_600_000)).await;
    eventually("its end", async || of(&status(&data).await, "orders").pid.is_none()).await;
    // Nobody is there to be killed: it only stays away for another while.
    act(&data, "orders", Action::Kill, Some(1)).await;
    act(&data, "broker", Action::Kill, None).await;
    act(&data, "payments", Action::Restart, None).await;
    let lines = attach::running(&data).unwrap().lines;
    let line = lines.iter().find(|line| line.service == "console" && line.to == Need::Broker).unwrap();
    for _ in 0..2 {
        assert_eq!(cut(&data, "console", Need::Broker, None).await, Response::Done);
        assert!(!answers(&format!("127.0.0.1:{}", line.proxy)).await);
        assert_eq!(heal(&data, Some("console"), None).await, Response::Done);
    }
    // One that is killed from outside is started again, and nobody here has broken it.
    processes::signal(of(&status(&data).await, "psp").pid.unwrap(), "-KILL");

    let (kill, pause) = (Struck { kills: 1, ..Struck::default() }, Struck { pauses: 1, ..Struck::default() });
    let restart = Struck { restarts: 1, ..Struck::default() };
    let all = [("broker", kill), ("inventory", pause), ("orders", kill), ("payments", restart), ("postgres", pause)];
    let is_all = |told: &Status| struck(told) == all && dropped(told) == [("console", Need::Broker, 2)];
    eventually("all numbers", async || {
        let told = status(&data).await;
        is_all(&told) && told.healthy && of(&told, "psp").restarts == 1 && told.cuts.is_empty()
    })
    .await;
    running.end().await;

    let again = start(spec(dir.path())).await;
    assert!(is_all(&again.status()), "{:?}", struck(&again.status()));
    assert!(again.status().processes.iter().all(|one| one.state == State::Ready && one.restarts == 0));
    again.shutdown().await;

    fs::write(data.join("struck.json"), "{\"orders kills\": ").unwrap();
    let anew = start(spec(dir.path())).await;
    assert_eq!((struck(&anew.status()), dropped(&anew.status())), (vec![], vec![]));
    anew.shutdown().await;
    attach::destroy(&data).await.unwrap();
    assert!(!data.exists());
    nobody_works_on(dir.path()).await;
}
