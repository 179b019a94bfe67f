//! A program that does what the cluster asks of its processes, and no more: listens, answers, ends with its input.
//!
//! It is this very test binary, called by a script, as the cluster calls `<exe> serve orders --config FILE`. Files in
//! the cluster's directory make it misbehave: `orders.ends` is its end at the start, `orders.unready` what it says.

use std::{
    env, fs,
    io::{Read, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Makes the script.
pub fn install(dir: &Path) -> PathBuf {
    let path = dir.join("stand-in");
    let test = env::current_exe().unwrap();
    let script =
        format!("#!/bin/sh\nexec '{}' --exact stand_in::serve --ignored --nocapture -- \"$@\"\n", test.display());
    // By another process: a test that forks at the same moment would hold the file open for writing, and so busy.
    let mut shell = Command::new("sh")
        .args(["-c", "cat > \"$1\" && chmod +x \"$1\"", "sh"])
        .arg(&path)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    shell.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    assert!(shell.wait().unwrap().success());
    path
}

#[test]
#[ignore = "run as another process"]
fn serve() {
    let arguments: Vec<String> = env::args().skip_while(|argument| argument != "serve").collect();
    let Some(process) = arguments.get(1) else { return };
    assert_eq!(arguments.last().unwrap(), "--stop-on-eof");
    let after = |name: &str| arguments.iter().skip_while(|argument| *argument != name).nth(1).cloned();
    let (dir, address) = if process == "broker" {
        let dir = PathBuf::from(after("--data-dir").unwrap());
        (dir, format!("127.0.0.1:{}", after("--port").unwrap()))
    } else {
        let config = PathBuf::from(after("--config").unwrap());
        let parsed: toml::Table = fs::read_to_string(&config).unwrap().parse().unwrap();
        (config.parent().unwrap().to_owned(), parsed["service"]["listen"].as_str().unwrap().to_owned())
    };
    let dir = dir.parent().unwrap();
    if dir.join(format!("{process}.ends")).exists() {
        println!("{process} says why it ends");
        std::process::exit(3);
    }
    println!("variables: {:?}", env::vars().map(|(name, _)| name).collect::<Vec<_>>());
    // The broker's other listeners, by which services come.
    for (flag, listener) in arguments.iter().zip(&arguments[1..]) {
        if flag == "--listener" {
            serve_at(format!("127.0.0.1:{}", listener.split_once('=').unwrap().0), dir.join("no such file"));
        }
    }
    serve_at(address, dir.join(format!("{process}.unready")));
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    std::process::exit(0);
}

/// Answers everybody who comes there.
fn serve_at(address: String, unready: PathBuf) {
    let listener = TcpListener::bind(address).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 1024]);
            let answer = match fs::read_to_string(&unready) {
                Ok(reason) => format!("HTTP/1.1 503 No\r\n\r\n{reason}"),
                Err(_) => "HTTP/1.1 200 OK\r\n\r\n".to_owned(),
            };
            let _ = stream.write_all(answer.as_bytes());
        }
    });
}
