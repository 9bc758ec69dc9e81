//! Speed by stage, as comments per CPU-second on one core, beside a floor and competitors in the same run.
//!
//! `cargo bench --bench pipeline` (10k and 100k comments; `-- --million` adds 1M). CPU-seconds, not wall: machines are noisy.
//! The corpus is generated: 20 to 120 words, nearly half of them function words, the rest by a Zipf law over the English lexicon; one in five a near-copy of an earlier one.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a measuring program may panic")]

mod support;

use std::time::Duration;

use claque::config::Config;
use claque::domain::Comment;
use claque::engine::features::{dense, visit_ngrams};
use claque::engine::train::SplitMix;
use claque::engine::{Engine, Model, Standing, decide};
use claque::rules::{Facts, RuleSet, Source, parse_file};
use claque::signals::NoHistory;
use claque::similarity::features::{Features, jaccard};
use claque::similarity::index::Thresholds;
use claque::similarity::{Index, Sketch};
use claque::text::{Analysis, stable_hash};
use gaoya::minhash::{MinHashIndex, MinHasher, MinHasher32};
use support::corpus;

/// CPU time of this process.
fn cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap();
    Duration::from_nanos(text.split_whitespace().next().unwrap().parse().unwrap())
}

fn measure<T>(name: &str, count: usize, floor: Option<f64>, work: impl FnOnce() -> T) -> (f64, T) {
    let before = cpu();
    let result = work();
    let seconds = cpu().saturating_sub(before).as_secs_f64();
    let rate = count as f64 / seconds;
    let ratio = floor.map_or(String::new(), |f| format!("  {:>6.3} of the floor", rate / f));
    println!("{name:<52} {rate:>11.0} /cpu-s  {:>8.2} us{ratio}", 1e6 / rate);
    (rate, result)
}

fn found_share(copies: &[Option<usize>], found: &[bool]) -> f64 {
    let planted: Vec<bool> = copies.iter().zip(found).filter(|(c, _)| c.is_some()).map(|(_, f)| *f).collect();
    planted.iter().filter(|f| **f).count() as f64 / planted.len().max(1) as f64
}

fn main() {
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global().unwrap();
    let arguments: Vec<String> = std::env::args().collect();
    let mut sizes = vec![10_000, 100_000];
    if arguments.iter().any(|a| a == "--million") {
        sizes.push(1_000_000);
    }
    let today = chrono::NaiveDate::from_ymd_opt(2026, 11, 24).unwrap();
    let engine = Engine {
        rules: RuleSet::load(None, today).unwrap(),
        model: Model::shipped().unwrap(),
        config: Config::default(),
    };
    stages(&engine);
    phrases(today);
    for size in sizes {
        index(&engine, size);
    }
}

fn stages(engine: &Engine) {
    println!("\nstages, 20,000 comments of 20-120 words");
    let (lines, _) = corpus(20_000);
    let n = lines.len();
    let (floor, _) = measure("floor: parse the line and hash its words", n, None, || {
        lines
            .iter()
            .map(|l| {
                serde_json::from_str::<Comment>(l)
                    .unwrap()
                    .text
                    .split(' ')
                    .map(|w| stable_hash(w.as_bytes()))
                    .fold(0, |a, b| a ^ b)
            })
            .fold(0, |a, b| a ^ b)
    });
    let floor = Some(floor);
    let (_, comments) = measure("parse", n, floor, || {
        lines.iter().map(|l| serde_json::from_str::<Comment>(l).unwrap()).collect::<Vec<_>>()
    });
    measure("fold, segment, tokenise", n, floor, || {
        comments.iter().map(|c| Analysis::alone(&c.text).tokens().len()).sum::<usize>()
    });
    let analyses: Vec<Analysis<'_>> = comments.iter().map(|c| Analysis::alone(&c.text)).collect();
    measure("visit n-grams", n, floor, || {
        let mut sum = 0u64;
        for a in &analyses {
            visit_ngrams(a, |_, key, _| sum += u64::from(key));
        }
        sum
    });
    measure("style measures", n, floor, || {
        analyses.iter().map(|a| dense(a).iter().sum::<f32>()).sum::<f32>()
    });
    measure("text model", n, floor, || analyses.iter().map(|a| engine.model.logit(a)).sum::<f32>());
    measure("rules", n, floor, || {
        analyses.iter().map(|a| engine.rules.matches(a, &mut Facts::default()).len()).sum::<usize>()
    });
    measure("stage one: every text signal, model, rules, p", n, floor, || {
        analyses.iter().zip(&comments).map(|(a, c)| engine.score_text(c, a, None, None).p).sum::<f64>()
    });
    let (_, features) = measure("similarity features", n, floor, || {
        analyses.iter().map(|a| Features::new(a, None)).collect::<Vec<_>>()
    });
    measure("sketch", n, floor, || features.iter().filter_map(Sketch::new).count());
}

fn phrases(today: chrono::NaiveDate) {
    println!("\nrule matching against the number of phrases, 5,000 comments");
    let (lines, _) = corpus(5_000);
    let comments: Vec<Comment> = lines.iter().map(|l| serde_json::from_str(l).unwrap()).collect();
    let analyses: Vec<Analysis<'_>> = comments.iter().map(|c| Analysis::alone(&c.text)).collect();
    let words: Vec<&str> = include_str!("../src/text/lexicon/english.txt").lines().collect();
    let mut random = SplitMix(11);
    for count in [10, 100, 1000, 10_000] {
        let list: Vec<String> = (0..count)
            .map(|_| {
                (0..2 + random.below(3))
                    .map(|_| words[random.below(words.len())])
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .map(|p| format!("\"{p}\""))
            .collect();
        let text = format!(
            "[pack]\nid = \"bench\"\nlang = [\"en\"]\n[[rule]]\nid = \"many\"\nkind = \"phrases\"\nphrases = [{}]\npoints = 0.1\n",
            list.join(",")
        );
        let file = parse_file("bench", &text).unwrap();
        let rules =
            RuleSet::compile(&[Source { name: "bench".into(), text, file, shipped: false }], today).unwrap();
        measure(&format!("{count} phrases"), analyses.len(), None, || {
            analyses.iter().map(|a| rules.matches(a, &mut Facts::default()).len()).sum::<usize>()
        });
    }
}

fn index(engine: &Engine, size: usize) {
    println!("\nindex of {size} comments: insert each, then query it");
    let (lines, copies) = corpus(size);
    let rules = &engine.config.campaign;
    let wide = Thresholds { jaccard: 0.3, containment: rules.containment, skeleton: rules.skeleton };
    let (ours, (index, found)) =
        measure("claque, from the JSON line to verified matches", size, None, || {
            let mut index = Index::default();
            let mut out = Vec::new();
            let mut found = vec![false; size];
            for (at, line) in lines.iter().enumerate() {
                let comment: Comment = serde_json::from_str(line).unwrap();
                let features = Features::new(&Analysis::alone(&comment.text), None);
                if let Some(sketch) = Sketch::new(&features) {
                    index.insert_then_query(&sketch, at as u32, &wide, &mut out);
                    found[at] = !out.is_empty();
                }
            }
            (index, found)
        });
    println!(
        "  recall of planted copies {:.4}, {} bytes a comment",
        found_share(&copies, &found),
        index.heap_bytes() / size.max(1)
    );
    // Index and query alone.
    let sketches: Vec<Sketch> = lines
        .iter()
        .filter_map(|l| {
            Sketch::new(&Features::new(
                &Analysis::alone(&serde_json::from_str::<Comment>(l).unwrap().text),
                None,
            ))
        })
        .collect();
    measure("claque, index and query alone", sketches.len(), None, || {
        let mut index = Index::default();
        let mut out = Vec::new();
        for (at, sketch) in sketches.iter().enumerate() {
            index.insert_then_query(sketch, at as u32, &wide, &mut out);
        }
        index.len()
    });
    drop(sketches);
    // Every signal, the index of this size standing by.
    let mut latencies: Vec<Duration> = Vec::new();
    let sample = lines.len().min(50_000);
    measure("claque, full scoring against this index", sample, None, || {
        let mut out = Vec::new();
        for line in lines.iter().take(sample) {
            let started = std::time::Instant::now();
            let comment: Comment = serde_json::from_str(line).unwrap();
            let analysis = Analysis::alone(&comment.text);
            let text = engine.score_text(&comment, &analysis, None, None);
            let evidence = engine.context_evidence(&comment, &analysis, None, &NoHistory);
            if let Some(sketch) = Sketch::new(&Features::new(&analysis, None)) {
                index.query(&sketch, &wide, &mut out);
            }
            let decided =
                decide(&text, &Standing { copied: !out.is_empty(), ..Standing::default() }, &engine.config);
            std::hint::black_box((evidence, decided));
            latencies.push(started.elapsed());
        }
    });
    latencies.sort_unstable();
    println!("  wall time of one: p50 {:?}, p99 {:?}", latencies[sample / 2], latencies[sample * 99 / 100]);
    drop(index);
    let (theirs, found) = measure("gaoya 0.2 (32 bands of 4, same features, J >= 0.3)", size, None, || {
        let hasher = MinHasher32::new(128);
        let mut index = MinHashIndex::new(32, 4, 0.3);
        let mut found = vec![false; size];
        for (at, line) in lines.iter().enumerate() {
            let comment: Comment = serde_json::from_str(line).unwrap();
            let features = Features::new(&Analysis::alone(&comment.text), None);
            let signature = hasher.create_signature(features.content.iter());
            found[at] = !index.query(&signature).is_empty();
            index.insert(at as u32, signature);
        }
        found
    });
    println!(
        "  recall of planted copies {:.4}; claque is {:.1} times as fast",
        found_share(&copies, &found),
        ours / theirs
    );
    if size <= 10_000 {
        let features: Vec<Features> = lines
            .iter()
            .map(|l| Features::new(&Analysis::alone(&serde_json::from_str::<Comment>(l).unwrap().text), None))
            .collect();
        let sample = 2_000;
        let (_, hits) = measure("naive scan of all pairs, exact Jaccard (2,000)", sample, None, || {
            (0..sample)
                .filter(|&at| {
                    (0..at).any(|other| jaccard(&features[at].content, &features[other].content) >= 0.3)
                })
                .count()
        });
        println!("  {hits} of them have an earlier look-alike");
    }
}
