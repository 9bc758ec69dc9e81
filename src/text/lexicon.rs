//! Word lists: English function words, English words in common use.
//!
//! `english.txt` holds lower-case words that occur in at least five documents of the development data (a count learned
//! from it, not its lines); it decides whether a disguised spelling reads as a word.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::LazyLock;

use super::stable_hash;

/// A hasher for keys that are hashes already.
#[derive(Default)]
pub struct PassThrough(u64);

impl Hasher for PassThrough {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

/// A set of [`stable_hash`] values.
pub type HashedWords = HashSet<u64, BuildHasherDefault<PassThrough>>;

/// Hashes the whitespace-separated words of a list.
pub fn hashed_words(list: &str) -> HashedWords {
    list.split_whitespace().map(|word| stable_hash(word.as_bytes())).collect()
}

static ENGLISH: LazyLock<HashedWords> = LazyLock::new(|| hashed_words(include_str!("lexicon/english.txt")));
static FUNCTION: LazyLock<HashedWords> = LazyLock::new(|| hashed_words(FUNCTION_WORDS));

/// Whether a lower-case word is in common English use.
pub fn is_english(word: &str) -> bool {
    is_english_hash(stable_hash(word.as_bytes()))
}

/// [`is_english`] for the hash of a lower-case word.
pub fn is_english_hash(hash: u64) -> bool {
    ENGLISH.contains(&hash)
}

/// Whether the hash is that of an English function word: articles, pronouns, prepositions, auxiliaries, conjunctions.
pub fn is_function_hash(hash: u64) -> bool {
    FUNCTION.contains(&hash)
}

/// English function words, lower case, contractions included.
pub const FUNCTION_WORDS: &str = "
a about above across after again against all almost along already also although always am among an and another any anyone anything are
aren't around as at away back be became because been before being below between both but by can can't cannot could couldn't did didn't do
does doesn't doing don't done down during each either else enough even ever every everyone everything few for from further get gets got had
hadn't has hasn't have haven't having he he'd he'll he's her here here's hers herself him himself his how how's however i i'd i'll i'm i've
if in indeed instead into is isn't it it'd it'll it's its itself just least less let let's like many may maybe me might mine more most much
must my myself neither never no nobody none nor not nothing now of off often on once one only onto or other others ought our ours ourselves
out over own per perhaps quite rather really s same shall she she'd she'll she's should shouldn't since so some someone something sometimes
somewhere soon still such t than that that's the their theirs them themselves then there there's therefore these they they'd they'll they're
they've this those though through throughout thus to together too toward towards under unless until up upon us very was wasn't we we'd we'll
we're we've well were weren't what what's whatever when where where's whether which while who who's whoever whole whom whose why will with
within without won't would wouldn't yes yet you you'd you'll you're you've your yours yourself yourselves";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_hold_what_they_say() {
        assert!(is_english("article") && is_english("nuanced") && !is_english("artlcle"));
        assert!(is_function_hash(stable_hash(b"wouldn't")) && !is_function_hash(stable_hash(b"article")));
    }
}
