//! The service under load: durable scoring against an actix-web handler that only parses the same JSON, in one run, with `wrk` (Debian's package)
//! as the client on the same machine.
//!
//! `cargo bench --bench service -- [--seconds 8] [--connections 32] [--comments FILE] [--stored N] [--soak SECONDS]`
//!
//! `--comments` takes comments of your own (JSON Lines); without it they are made up, a fifth of them edited copies. `--stored` imports so many
//! before the load; `--soak` goes on and prints the memory.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a measuring program may panic"
)]

use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use actix_web::{App, HttpResponse, HttpServer, web};
use claque::domain::Comment;
use claque::engine::train::SplitMix;

/// What `wrk` says.
struct Load {
    rate: f64,
    p50: String,
    p99: String,
    errors: String,
}

/// A lorem of function words and rarer ones, as comments have them.
fn made_up(count: usize) -> Vec<String> {
    let function: Vec<&str> = "the of and to in a is that it was for on are as with they at be this have from or had by but what some we can out".split(' ').collect();
    let mut source = SplitMix(7);
    let mut random = |below: usize| source.below(below);
    let syllables = ["ra", "to", "mi", "len", "dor", "sa", "ke", "vin", "po", "tur", "gal", "esh"];
    let mut texts: Vec<String> = Vec::with_capacity(count);
    for at in 0..count {
        if at > 100 && random(5) == 0 {
            let copy = texts[random(at)].clone();
            texts.push(format!("{copy} Edited {at}."));
            continue;
        }
        let mut text = String::new();
        for word in 0..20 + random(60) {
            if random(100) < 45 {
                text.push_str(function[random(function.len())]);
            } else {
                (0..2 + random(2)).for_each(|_| text.push_str(syllables[random(syllables.len())]));
            }
            text.push_str(if word % 12 == 11 { ". " } else { " " });
        }
        texts.push(text);
    }
    texts
}

fn bodies(texts: &[String]) -> String {
    let mut lines = String::new();
    for (at, text) in texts.iter().enumerate() {
        let body = serde_json::json!({
            "id": at.to_string(), "article_id": format!("a{}", at % 2000), "author": {"id": format!("u{}", at * 7919 % 20_000)}, "text": text,
        });
        writeln!(lines, "{body}").unwrap();
    }
    lines
}

/// The script of `wrk`: every request a comment of its own; `delay` milliseconds before each.
fn script(bodies: &Path, key: &str, run: &str, delay: u64) -> String {
    format!(
        r#"local bodies = {{}}
for line in io.lines("{}") do bodies[#bodies + 1] = line end
local n = 0
function request()
  n = n + 1
  local round = math.floor((n - 1) / #bodies)
  local body = bodies[(n - 1) % #bodies + 1]:gsub('"id":"(%d+)"', '"id":"%1-{run}-' .. round .. '"', 1)
  return wrk.format("POST", "/v1/comments", {{["Authorization"] = "Bearer {key}", ["Content-Type"] = "application/json"}}, body)
end
{}"#,
        bodies.display(),
        if delay > 0 { format!("function delay() return {delay} end") } else { String::new() }
    )
}

fn wrk(dir: &Path, address: &str, script: &str, connections: usize, seconds: u64) -> Load {
    let file = dir.join("load.lua");
    std::fs::write(&file, script).unwrap();
    let output = Command::new("wrk")
        .args(["-t1", &format!("-c{connections}"), &format!("-d{seconds}s"), "--latency", "-s"])
        .arg(&file)
        .arg(address)
        .output()
        .unwrap_or_else(|error| panic!("`wrk` is needed (apt-get install wrk): {error}"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let after = |mark: &str| {
        let line = text.lines().find(|line| line.trim_start().starts_with(mark));
        let value = line.and_then(|line| line.trim_start().strip_prefix(mark));
        value.map_or(String::new(), |value| value.trim().to_owned())
    };
    Load {
        rate: after("Requests/sec:").parse().unwrap_or(0.0),
        p50: after("50%"),
        p99: after("99%"),
        errors: after("Non-2xx or 3xx responses:"),
    }
}

/// The floor: parses the same JSON and says so.
fn floor() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            HttpServer::new(|| {
                App::new().route(
                    "/v1/comments",
                    web::post().to(|body: web::Bytes| async move {
                        match serde_json::from_slice::<Comment>(&body) {
                            Ok(comment) => HttpResponse::Ok().json(serde_json::json!({ "id": comment.id })),
                            Err(_) => HttpResponse::BadRequest().finish(),
                        }
                    }),
                )
            })
            .workers(2)
            .listen(listener)
            .unwrap()
            .run()
            .await
        })
    });
    address
}

struct Service {
    child: Child,
    address: String,
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Service {
    fn start(db: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_claque"))
            .args(["serve", "--listen", "127.0.0.1:0", "--db"])
            .arg(db)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = log
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| {
                if line.contains("live index made") {
                    println!("  {line}");
                }
                let entry: serde_json::Value = serde_json::from_str(&line).ok()?;
                Some(format!("http://{}", entry["fields"]["address"].as_str()?))
            })
            .unwrap();
        std::thread::spawn(move || log.for_each(drop));
        Self { child, address }
    }

    /// Resident memory in MiB.
    fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
    }
}

fn claque(db: &Path, arguments: &[&str]) -> String {
    let output =
        Command::new(env!("CARGO_BIN_EXE_claque")).args(arguments).arg("--db").arg(db).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let option = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1).cloned()
    };
    let number = |name: &str, default: u64| option(name).map_or(default, |value| value.parse().unwrap());
    let (seconds, connections) = (number("--seconds", 8), number("--connections", 32) as usize);
    let dir = tempfile::tempdir().unwrap();
    let texts = match option("--comments") {
        Some(file) => std::fs::read_to_string(file)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str::<Comment>(line).unwrap().text)
            .collect(),
        None => made_up(30_000),
    };
    let file = dir.path().join("bodies.jsonl");
    std::fs::write(&file, bodies(&texts)).unwrap();
    let db = dir.path().join("claque.db");
    claque(&db, &["sites", "add", "bench", "--title", "Bench"]);
    let key = claque(&db, &["keys", "create", "--site", "bench", "--scope", "score"]);
    let stored = number("--stored", 0) as usize;
    if stored > 0 {
        let history = dir.path().join("history.jsonl");
        std::fs::write(&history, bodies(&made_up(stored))).unwrap();
        let started = std::time::Instant::now();
        println!("  {}", claque(&db, &["import", &history.display().to_string(), "--site", "bench"]));
        println!("  imported in {:.0} s", started.elapsed().as_secs_f64());
    }
    let base = floor();
    let floor = wrk(dir.path(), &base, &script(&file, &key, "f", 0), connections, seconds);
    println!("floor (parses the JSON):  {:.0}/s, p50 {}, p99 {}", floor.rate, floor.p50, floor.p99);
    let service = Service::start(&db);
    let full = wrk(dir.path(), &service.address, &script(&file, &key, "a", 0), connections, seconds);
    println!(
        "durable scoring:          {:.0}/s ({:.0} % of the floor), p50 {}, p99 {}, {} MiB, errors: {}",
        full.rate,
        100.0 * full.rate / floor.rate,
        full.p50,
        full.p99,
        service.memory(),
        if full.errors.is_empty() { "0" } else { &full.errors }
    );
    // Each connection waits so long that all together ask for half of what the service can do.
    let delay = (connections as f64 / (full.rate / 2.0) * 1000.0).max(1.0) as u64;
    let half = wrk(dir.path(), &service.address, &script(&file, &key, "b", delay), connections, seconds);
    println!("at about half that load:  {:.0}/s, p50 {}, p99 {}", half.rate, half.p50, half.p99);
    let soak = number("--soak", 0);
    for round in 0..soak / 30 {
        let load = wrk(
            dir.path(),
            &service.address,
            &script(&file, &key, &format!("s{round}"), delay),
            connections,
            30,
        );
        println!(
            "  soak {} s: {:.0}/s, p99 {}, {} MiB",
            (round + 1) * 30,
            load.rate,
            load.p99,
            service.memory()
        );
    }
    std::thread::sleep(Duration::from_millis(100));
}
