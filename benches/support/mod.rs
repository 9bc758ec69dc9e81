//! What the benches share.

use claque::engine::train::SplitMix;

/// JSON Lines of generated comments, and which earlier comment each one copies.
pub(crate) fn corpus(count: usize) -> (Vec<String>, Vec<Option<usize>>) {
    let words: Vec<&str> = include_str!("../../src/text/lexicon/english.txt").lines().collect();
    let function: Vec<&str> = "the of to and a in is it that for on was with as this are be not have they you we but by from or an at their will what there would so if can more about who which".split(' ').collect();
    let mut random = SplitMix(7);
    let zipf = |random: &mut SplitMix| {
        let u = (random.below(1 << 24) as f64 + 1.0) / (1 << 24) as f64;
        if random.below(100) < 45 {
            return function[random.below(function.len())];
        }
        words[(((words.len() as f64).powf(u) - 1.0) as usize * 7919) % words.len()]
    };
    let mut texts: Vec<Vec<&str>> = Vec::with_capacity(count);
    let mut copies = Vec::with_capacity(count);
    for at in 0..count {
        if at > 100 && random.below(5) == 0 {
            let root = random.below(at);
            let edits = random.below(30);
            let text = texts[root]
                .iter()
                .map(|w| if random.below(100) < edits { zipf(&mut random) } else { *w })
                .collect();
            texts.push(text);
            copies.push(Some(root));
        } else {
            let length = 20 + random.below(100);
            texts.push((0..length).map(|_| zipf(&mut random)).collect());
            copies.push(None);
        }
    }
    let lines = texts
        .iter()
        .enumerate()
        .map(|(at, text)| {
            let sentences: Vec<String> = text.chunks(12).map(|s| s.join(" ")).collect();
            format!("{{\"id\":{at},\"author\":\"u{}\",\"text\":\"{}.\"}}", at % 5000, sentences.join(". "))
        })
        .collect();
    (lines, copies)
}
