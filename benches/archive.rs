//! An archive rescored, beside what a data desk would write itself, in one run on all cores: comments a second by the clock and by CPU-second, recall and
//! precision on planted copies.
//!
//! `cargo bench --bench archive` makes 100,000 comments; `-- --comments FILE` takes JSON Lines, whose `cluster` says what was planted. The peer in Python
//! (datasketch) runs where `PYTHON` (or `python3`) can import it, on the first 20,000 comments: it is said when it cannot.
//!
//! Recall: of the comments of a cluster, all but its first, the share that has found an earlier one of it. Precision: of all pairs found, the share within a cluster.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a measuring program may panic")]

mod support;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use claque::config::Config;
use claque::domain::Comment;
use claque::engine::{Engine, Model};
use claque::intake::Allowed;
use claque::offline::archive::{Job, Origin, progress::Quiet, run};
use claque::offline::judge::Mode;
use claque::offline::read::Options;
use claque::rules::{Facts, RuleSet};
use claque::similarity::join::pairs;
use claque::similarity::{Features, Sketch};
use claque::text::{Analysis, stable_hash};
use gaoya::minhash::{MinHashIndex, MinHasher, MinHasher32};
use rayon::prelude::*;
use support::corpus;

/// The Jaccard coefficient from which both call two comments near-duplicates.
const ALIKE: f64 = 0.35;
/// Comments that the peer in Python takes.
const PYTHON_SAMPLE: usize = 20_000;

/// CPU time of this process, all its threads.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}

struct Measured {
    wall: f64,
}

fn measure<T>(name: &str, count: usize, floor: Option<f64>, work: impl FnOnce() -> T) -> (Measured, T) {
    let (before, began) = (cpu(), Instant::now());
    let result = work();
    let wall = count as f64 / began.elapsed().as_secs_f64();
    let by_cpu = count as f64 / cpu().saturating_sub(before).as_secs_f64().max(0.01);
    let ratio = floor.map_or(String::new(), |floor| format!("  {:>5.3} of the floor", wall / floor));
    println!("{name:<64} {wall:>10.0} /s {by_cpu:>10.0} /cpu-s{ratio}");
    (Measured { wall }, result)
}

/// Which cluster each comment belongs to.
type Clusters = Vec<Option<String>>;

fn told(clusters: &Clusters, found: &[(u32, u32)]) {
    let of = |at: u32| clusters[at as usize].as_ref();
    let mut seen = HashSet::new();
    let wanted: Vec<usize> =
        (0..clusters.len()).filter(|at| clusters[*at].as_ref().is_some_and(|c| !seen.insert(c))).collect();
    let right = found.iter().filter(|(a, b)| of(*a).is_some() && of(*a) == of(*b));
    let recalled: HashSet<u32> = right.clone().map(|(later, _)| *later).collect();
    println!(
        "  recall {:.4} of {} copies, precision {:.4} of {} pairs",
        wanted.iter().filter(|at| recalled.contains(&(**at as u32))).count() as f64
            / wanted.len().max(1) as f64,
        wanted.len(),
        right.count() as f64 / found.len().max(1) as f64,
        found.len()
    );
}

/// The lines of a file or of a generated corpus, what was planted, and a file that holds them.
fn load(folder: &Path) -> (Vec<String>, Clusters, PathBuf) {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--comments") {
        let path = PathBuf::from(&arguments[at + 1]);
        let lines: Vec<String> = std::fs::read_to_string(&path).unwrap().lines().map(str::to_owned).collect();
        let cluster = |line: &String| {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            value["cluster"].as_str().map(str::to_owned)
        };
        let clusters = lines.par_iter().map(cluster).collect();
        return (lines, clusters, path);
    }
    let (lines, copies) = corpus(100_000);
    // A copy of a copy is of the same cluster, and so is what it all began with.
    let mut roots: Vec<usize> = Vec::with_capacity(copies.len());
    for (at, copy) in copies.iter().enumerate() {
        roots.push(copy.map_or(at, |of| roots[of]));
    }
    let with_copies: HashSet<usize> =
        copies.iter().enumerate().filter(|(_, c)| c.is_some()).map(|(at, _)| roots[at]).collect();
    let clusters: Clusters =
        roots.iter().map(|root| with_copies.contains(root).then(|| root.to_string())).collect();
    let with = |(line, cluster): (&String, &Option<String>)| match cluster {
        Some(cluster) => line.replacen('{', &format!("{{\"cluster\":\"{cluster}\","), 1),
        None => line.clone(),
    };
    let lines: Vec<String> = lines.iter().zip(&clusters).map(with).collect();
    let path = folder.join("corpus.jsonl");
    std::fs::write(&path, lines.join("\n")).unwrap();
    (lines, clusters, path)
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let today = chrono::NaiveDate::from_ymd_opt(2026, 11, 24).unwrap();
    let engine = Engine {
        rules: RuleSet::load(None, today).unwrap(),
        model: Model::shipped().unwrap(),
        config: Config::default(),
    };
    let (lines, clusters, path) = load(folder.path());
    let n = lines.len();
    println!("{n} comments, {} threads", rayon::current_num_threads());
    let (floor, _) = measure("floor: parse the line and hash its words", n, None, || {
        let hash = |line: &String| {
            let comment: Comment = serde_json::from_str(line).unwrap();
            comment.text.split(' ').map(|word| stable_hash(word.as_bytes())).fold(0, |a, b| a ^ b)
        };
        lines.par_iter().map(hash).reduce(|| 0, |a, b| a ^ b)
    });
    let floor = Some(floor.wall);
    let (ours, found) =
        measure("claque: near-duplicates (J >= 0.35) and the rules' phrases", n, floor, || {
            let sketch = |line: &String| {
                let comment: Comment = serde_json::from_str(line).unwrap();
                let analysis = Analysis::alone(&comment.text);
                std::hint::black_box(engine.rules.matches(&analysis, &mut Facts::default()));
                Sketch::new(&Features::new(&analysis, None)).unwrap_or(Sketch::NONE)
            };
            let sketches: Vec<Sketch> = lines.par_iter().map(sketch).collect();
            pairs(&sketches, |_, _, likeness| likeness.jaccard >= ALIKE)
        });
    told(&clusters, &found.iter().map(|pair| (pair.later, pair.earlier)).collect::<Vec<_>>());
    drop(found);
    let (whole, ()) = measure("claque rescore: the whole of it, with report and plan", n, floor, || {
        let stop = AtomicBool::new(false);
        let out = folder.path().join("out");
        let job = Job {
            engine: &engine,
            mode: Mode::Whole,
            articles: Vec::new(),
            allowed: Allowed::default(),
            out: &out,
            resume: false,
            strict: false,
            parquet: false,
            stop: &stop,
        };
        let options = Options::default();
        let origin = Origin::Files { files: std::slice::from_ref(&path), from: None, options: &options };
        let pool = rayon::ThreadPoolBuilder::new().build().unwrap();
        run(&job, origin, &mut Quiet, &pool).unwrap();
    });
    let (theirs, found) =
        measure("gaoya 0.2 (32 bands of 4, J >= 0.35, same features) and the phrases", n, floor, || {
            let hasher = MinHasher32::new(128);
            let signature = |line: &String| {
                let comment: Comment = serde_json::from_str(line).unwrap();
                let analysis = Analysis::alone(&comment.text);
                std::hint::black_box(engine.rules.matches(&analysis, &mut Facts::default()));
                hasher.create_signature(Features::new(&analysis, None).content.iter())
            };
            let signatures: Vec<_> = lines.par_iter().map(signature).collect();
            let mut index = MinHashIndex::new(32, 4, ALIKE);
            let mut found = Vec::new();
            for (at, signature) in signatures.into_iter().enumerate() {
                found.extend(index.query(&signature).into_iter().map(|other: &u32| (at as u32, *other)));
                index.insert(at as u32, signature);
            }
            found
        });
    told(&clusters, &found);
    println!(
        "  claque: {:.1} times as fast; the whole rescoring: {:.1} times",
        ours.wall / theirs.wall,
        whole.wall / theirs.wall
    );
    for how in ["w3", "w1"] {
        python(&path, how, &ours, &whole);
    }
}

/// The peer in Python, if it is there.
fn python(path: &Path, how: &str, ours: &Measured, whole: &Measured) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/support/datasketch_peer.py");
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let output = std::process::Command::new(&python)
        .arg(script)
        .arg(path)
        .arg(how)
        .arg(PYTHON_SAMPLE.to_string())
        .output();
    let name = format!("datasketch and a list of regular expressions, {how}, in Python");
    match output {
        Ok(output) if output.status.success() => {
            let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
            let rate = told["rate"].as_f64().unwrap();
            println!("{name:<64} {rate:>10.0} /s");
            println!(
                "  recall {:.4}, precision {:.4} on {} comments; claque: {:.0} times as fast; the whole rescoring: {:.1} times",
                told["recall"].as_f64().unwrap(),
                told["precision"].as_f64().unwrap(),
                told["comments"],
                ours.wall / rate,
                whole.wall / rate
            );
        }
        _ => println!("{name}: SKIPPED, `{python}` has no datasketch (set PYTHON to one that has)"),
    }
}
