//! Word lists: English function words, English words in common use.
//!
//! `english.txt` holds lower-case words that occur in at least five documents of the development data (a count learned
//! from it, not its lines); it decides whether a disguised spelling reads as a word.

use std::collections::{HashMap, HashSet};
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

/// What the word lists say about a word: a set of classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Classes(u16);

impl Classes {
    /// English function words: articles, pronouns, prepositions, auxiliaries, conjunctions.
    pub const FUNCTION: Self = Self(1);
    /// English words in common use.
    pub const ENGLISH: Self = Self(1 << 1);
    /// Function words that only English writes so.
    pub const ENGLISH_ONLY: Self = Self(1 << 2);
    /// Words of the praise-and-balance register.
    pub const STYLE: Self = Self(1 << 3);
    /// First person singular.
    pub const FIRST_PERSON: Self = Self(1 << 4);
    /// Second person.
    pub const SECOND_PERSON: Self = Self(1 << 5);
    /// First person plural.
    pub const WE: Self = Self(1 << 6);
    /// Third person.
    pub const THIRD_PERSON: Self = Self(1 << 7);
    /// Negations.
    pub const NEGATION: Self = Self(1 << 8);
    /// Contractions typed without their apostrophe.
    pub const NO_APOSTROPHE: Self = Self(1 << 9);
    /// Past-tense auxiliaries.
    pub const PAST: Self = Self(1 << 10);
    /// Kin.
    pub const KIN: Self = Self(1 << 11);
    /// Plain disagreement and laughter.
    pub const BLUNT: Self = Self(1 << 12);

    /// Whether the word is in a class.
    pub const fn has(self, class: Self) -> bool {
        self.0 & class.0 != 0
    }
}

type ClassMap = HashMap<u64, Classes, BuildHasherDefault<PassThrough>>;

static CLASSES: LazyLock<ClassMap> = LazyLock::new(|| {
    let lists: [(Classes, &str); 13] = [
        (Classes::ENGLISH, include_str!("lexicon/english.txt")),
        (Classes::FUNCTION, FUNCTION_WORDS),
        (Classes::ENGLISH_ONLY, ENGLISH_ONLY_WORDS),
        (Classes::STYLE, STYLE_WORDS),
        (Classes::FIRST_PERSON, "i me my mine myself i'm i've i'd i'll"),
        (Classes::SECOND_PERSON, "you your you're yours yourself you've u"),
        (Classes::WE, "we our us we're we've let's ourselves"),
        (Classes::THIRD_PERSON, "he she they him her them his their"),
        (
            Classes::NEGATION,
            "not no never nothing none nobody don't can't won't didn't doesn't isn't aren't wasn't weren't wouldn't couldn't shouldn't haven't hasn't hadn't",
        ),
        (
            Classes::NO_APOSTROPHE,
            "dont cant wont didnt doesnt isnt im ive thats youre wouldnt couldnt havent wasnt theyre whats lets alot ur",
        ),
        (Classes::PAST, "was were had did"),
        (
            Classes::KIN,
            "mum mom dad wife husband brother sister son daughter grandson granddaughter uncle nan mate",
        ),
        (Classes::BLUNT, "wrong disagree nonsense rubbish bullshit lol haha nope ridiculous"),
    ];
    let mut map = ClassMap::default();
    for (class, list) in lists {
        for word in list.split_whitespace() {
            let classes = map.entry(stable_hash(word.as_bytes())).or_default();
            classes.0 |= class.0;
        }
    }
    map
});

/// The classes of a word by the hash of its match form.
pub fn classes(hash: u64) -> Classes {
    CLASSES.get(&hash).copied().unwrap_or_default()
}

/// Whether a lower-case word is in common English use.
pub fn is_english(word: &str) -> bool {
    classes(stable_hash(word.as_bytes())).has(Classes::ENGLISH)
}

/// English function words that no neighbouring language writes as its own.
const ENGLISH_ONLY_WORDS: &str = "
the and that it this you they are have not what would their there from which about your his but by if will can my she i'm it's don't
to for with our who how when why should could because been were than then them these those some any only just very more most much
does did doesn't didn't isn't can't won't i've you're we're they're that's there's let's its we her him us i of is was at on as be or so";

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

/// Words of the praise-and-balance register, which stay visible under the text model's mask: from the document-frequency ratios in
/// science.md 2 and their kin.
const STYLE_WORDS: &str = "
absolutely accountability achieve achievement acknowledge address addressing agree agreed amazing analysis appreciate approach article author awareness
balance balanced beautiful beautifully brilliant broader build building careful carefully caution certainly challenge challenges challenging change changes clarity clear clearly collaboration comment comments commendable commend
commitment communities community compelling complex complexity complexities comprehensive concern concerning concerns congratulations congrats consider considering constructive context continue conversation
credible critical crucial curious dedication deserve deserves detail details dialogue difference discussion dynamics effective effectively effort efforts emphasizes encouraging engaging ensure ensuring especially
essential evidence excellent exciting experience experiences exactly fantastic fascinating feel finally forward foster fostering future game genuinely glad great growth hard helpful highlight highlights highlighting honest honestly hope hopeful hopefully
how huge impact impacts implications importance important impressive incredible incredibly indeed informative innovation innovative insight insightful insights inspiration inspiring integrity interesting interests issue issues
journey key kudos lasting leadership learn learning lesson let's lives long-term look looking love loved many matter matters meaningful measured moment momentum moving narrative necessary need needed needs nice nuance nuanced objective
opportunity opportunities perspective perspectives piece point points policy policymakers positive potential potentially powerful practical priority progress promising proud question questions raise raises read reading real reality refreshing relevant
remarkable remember remind reminder reminds resilience resonates responsible responsibility rightly robust sense serious share sharing shared significant simple smart solid solution solutions space spot stakeholders step steps story stories strategic strategy
strength striking strong success support sustainable systemic talent team technology testament thank thanks thought thoughtful thought-provoking timely together tone transformation transparency transparent truly trust truth understand understanding underscores underestimated unity unique
valid value valuable values vision vital voice voices voters wait welcome well-written wisdom wonder wonderful wondering work worth worthwhile wow write writing written";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_hold_what_they_say() {
        assert!(is_english("article") && is_english("nuanced") && !is_english("artlcle"));
        let of = |word: &str| classes(stable_hash(word.as_bytes()));
        assert!(of("wouldn't").has(Classes::FUNCTION) && of("wouldn't").has(Classes::NEGATION));
        assert!(of("article").has(Classes::STYLE) && !of("article").has(Classes::FUNCTION));
    }
}
