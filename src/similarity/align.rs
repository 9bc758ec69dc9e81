//! Laying near-duplicates over one another: what they share, and where they differ.

use crate::domain::SkeletonPart;
use crate::text::Analysis;

/// The most words of a comment that are aligned.
const MOST_WORDS: usize = 300;
/// The most members that are aligned; a larger campaign is shown by its first members.
pub const MOST_MEMBERS: usize = 64;
/// A word belongs to the skeleton when this share of the members have it in its place.
const NEARLY_ALL: f64 = 0.8;

/// The words of a comment as they are compared and shown.
pub fn words(analysis: &Analysis<'_>) -> Vec<String> {
    analysis
        .judged()
        .filter(|t| t.is_wordlike())
        .take(MOST_WORDS)
        .map(|t| analysis.lower(t).to_owned())
        .collect()
}

/// The longest common subsequence of two word lists, as ascending pairs of positions.
pub fn common_subsequence(a: &[String], b: &[String]) -> Vec<(usize, usize)> {
    let width = b.len() + 1;
    let mut lengths = vec![0u16; (a.len() + 1) * width];
    let at = |lengths: &[u16], i: usize, j: usize| lengths.get(i * width + j).copied().unwrap_or(0);
    for (i, x) in a.iter().enumerate().rev() {
        for (j, y) in b.iter().enumerate().rev() {
            let best = if x == y {
                at(&lengths, i + 1, j + 1) + 1
            } else {
                at(&lengths, i + 1, j).max(at(&lengths, i, j + 1))
            };
            if let Some(cell) = lengths.get_mut(i * width + j) {
                *cell = best;
            }
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut pairs = Vec::new();
    while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
        if x == y {
            pairs.push((i, j));
            i += 1;
            j += 1;
        } else if at(&lengths, i + 1, j) >= at(&lengths, i, j + 1) {
            i += 1;
        } else {
            j += 1;
        }
    }
    pairs
}

/// The skeleton of several word lists: shared stretches, and slots with one filler a member (empty where it has none).
pub fn skeleton(members: &[Vec<String>]) -> Vec<SkeletonPart> {
    let members = members.get(..members.len().min(MOST_MEMBERS)).unwrap_or_default();
    let Some(base) = members.first() else { return Vec::new() };
    let mut support = vec![0usize; base.len()];
    for member in members {
        for (at, _) in common_subsequence(base, member) {
            if let Some(count) = support.get_mut(at) {
                *count += 1;
            }
        }
    }
    let needed = NEARLY_ALL * members.len() as f64;
    let fixed: Vec<String> = base
        .iter()
        .zip(&support)
        .filter(|(_, count)| **count as f64 >= needed)
        .map(|(word, _)| word.clone())
        .collect();
    // For each member, what stands before fixed word i (and, last, after all of them).
    let fillers: Vec<Vec<String>> = members
        .iter()
        .map(|member| {
            let mut gaps = vec![Vec::new(); fixed.len() + 1];
            let mut pairs = common_subsequence(&fixed, member).into_iter().peekable();
            for (at, word) in member.iter().enumerate() {
                if pairs.peek().is_some_and(|&(_, matched)| matched == at) {
                    pairs.next();
                    continue;
                }
                let gap = pairs.peek().map_or(fixed.len(), |&(next, _)| next);
                if let Some(words) = gaps.get_mut(gap) {
                    words.push(word.as_str());
                }
            }
            gaps.into_iter().map(|words| words.join(" ")).collect()
        })
        .collect();
    let mut parts: Vec<SkeletonPart> = Vec::new();
    let mut text: Vec<String> = Vec::new();
    for gap in 0..=fixed.len() {
        let slot: Vec<String> =
            fillers.iter().map(|gaps| gaps.get(gap).cloned().unwrap_or_default()).collect();
        if slot.iter().any(|filler| !filler.is_empty()) {
            if !text.is_empty() {
                parts.push(SkeletonPart::Text(std::mem::take(&mut text).join(" ")));
            }
            parts.push(SkeletonPart::Slot(slot));
        }
        text.extend(fixed.get(gap).cloned());
    }
    if !text.is_empty() {
        parts.push(SkeletonPart::Text(text.join(" ")));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn members_align_into_text_and_slots() {
        let members = [
            list("the tram is a great idea for all"),
            list("the new library is a bad idea for all"),
            list("the tram is a fine idea for all of us"),
        ];
        assert_eq!(
            skeleton(&members),
            [
                SkeletonPart::Text("the".into()),
                SkeletonPart::Slot(vec!["tram".into(), "new library".into(), "tram".into()]),
                SkeletonPart::Text("is a".into()),
                SkeletonPart::Slot(vec!["great".into(), "bad".into(), "fine".into()]),
                SkeletonPart::Text("idea for all".into()),
                SkeletonPart::Slot(vec![String::new(), String::new(), "of us".into()]),
            ]
        );
    }

    #[test]
    fn fillers_and_text_give_each_member_back() {
        let members = [list("a b c d e"), list("x b c e"), list("a b q c d e f")];
        let parts = skeleton(&members);
        for (at, member) in members.iter().enumerate() {
            let kept: Vec<String> = parts
                .iter()
                .flat_map(|part| match part {
                    SkeletonPart::Text(text) => list(text),
                    SkeletonPart::Slot(fillers) => list(&fillers[at]),
                })
                .collect();
            assert!(member.iter().all(|word| kept.contains(word)), "{member:?} in {kept:?}");
        }
    }
}
