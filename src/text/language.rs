//! Which language a comment is in: a guess that says so when it does not know.
//!
//! English is recognised by its own function words, which costs nothing; other alphabets by script; the rest by
//! `whatlang`, gated by length and confidence. A record's own `lang` beats all of it.

use super::lexicon::Classes;
use super::token::Token;

/// A language by its ISO 639-1 code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Language([u8; 2]);

impl Language {
    /// English.
    pub const ENGLISH: Self = Self(*b"en");

    /// Reads `en`, `en-GB`, `EN_us`; `None` for anything that is no two-letter code with an optional region.
    pub fn parse(code: &str) -> Option<Self> {
        let code = code.trim();
        let primary = code.split(['-', '_']).next()?;
        match primary.as_bytes() {
            [a, b] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() => {
                Some(Self([a.to_ascii_lowercase(), b.to_ascii_lowercase()]))
            }
            _ => None,
        }
    }

    /// The two-letter code.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("??")
    }
}

impl std::fmt::Display for Language {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

/// The fewest letters that `whatlang` is asked about.
const FEWEST_LETTERS: usize = 24;
/// The least confidence of `whatlang` that is believed.
const LEAST_CONFIDENCE: f64 = 0.85;

/// Guesses the language of a canonical text and its word tokens.
pub fn detect(canonical: &str, tokens: &[Token]) -> Option<Language> {
    let mut words = 0usize;
    let mut function = 0usize;
    let mut common = 0usize;
    for token in tokens.iter().filter(|t| t.kind == super::TokenKind::Word) {
        words += 1;
        function += usize::from(token.classes.has(Classes::ENGLISH_ONLY));
        common += usize::from(token.classes.has(Classes::ENGLISH) || token.classes.has(Classes::FUNCTION));
    }
    if words == 0 {
        return None;
    }
    let share = |count: usize| count as f64 / words as f64;
    if share(function) >= 0.12 && share(common) >= 0.6 {
        return Some(Language::ENGLISH);
    }
    let letters = canonical.chars().filter(|ch| ch.is_alphabetic()).take(400).count();
    let latin = canonical.chars().filter(char::is_ascii_alphabetic).take(400).count();
    // Two letters of another script are one syllable or more; of Latin script they are nothing.
    let enough = if latin * 2 > letters { FEWEST_LETTERS } else { 4 };
    if letters >= enough
        && let Some(info) = whatlang::detect(canonical)
        && (info.confidence() >= LEAST_CONFIDENCE || latin * 2 <= letters)
        && let Some(code) = two_letters(info.lang())
        && (code != Language::ENGLISH || share(common) >= 0.4)
        && (share(common) < 0.75 || latin * 2 <= letters)
    {
        return Some(code);
    }
    (share(common) >= 0.6).then_some(Language::ENGLISH)
}

fn two_letters(lang: whatlang::Lang) -> Option<Language> {
    use whatlang::Lang;
    let code = match lang {
        Lang::Eng => b"en",
        Lang::Deu => b"de",
        Lang::Fra => b"fr",
        Lang::Spa => b"es",
        Lang::Por => b"pt",
        Lang::Ita => b"it",
        Lang::Pol => b"pl",
        Lang::Tur => b"tr",
        Lang::Rus => b"ru",
        Lang::Ara => b"ar",
        Lang::Urd => b"ur",
        Lang::Cmn => b"zh",
        Lang::Jpn => b"ja",
        Lang::Kor => b"ko",
        Lang::Nld => b"nl",
        Lang::Swe => b"sv",
        Lang::Dan => b"da",
        Lang::Nob => b"nb",
        Lang::Fin => b"fi",
        Lang::Hun => b"hu",
        Lang::Ces => b"cs",
        Lang::Slk => b"sk",
        Lang::Ron => b"ro",
        Lang::Bul => b"bg",
        Lang::Ukr => b"uk",
        Lang::Ell => b"el",
        Lang::Heb => b"he",
        Lang::Hin => b"hi",
        Lang::Ben => b"bn",
        Lang::Pes => b"fa",
        Lang::Vie => b"vi",
        Lang::Ind => b"id",
        Lang::Tha => b"th",
        Lang::Cat => b"ca",
        Lang::Hrv => b"hr",
        Lang::Srp => b"sr",
        _ => return None,
    };
    Some(Language(*code))
}

#[cfg(test)]
mod tests {
    use super::super::Analysis;
    use super::*;

    #[test]
    fn languages_are_recognised_or_left_open() {
        for (text, expected) in [
            ("The article raises some important questions about the budget.", Some("en")),
            ("Great article, well written!", Some("en")),
            ("Der Artikel wirft wichtige Fragen auf, die wir alle beantworten müssen.", Some("de")),
            ("Cet article soulève des questions importantes sur notre avenir commun.", Some("fr")),
            ("El artículo plantea preguntas muy importantes sobre el futuro de la ciudad.", Some("es")),
            ("Статья поднимает очень важные вопросы о будущем нашего города.", Some("ru")),
            ("이 기사는 정말 중요한 문제를 다루고 있습니다", Some("ko")),
            ("這篇文章提出了重要的問題", Some("zh")),
            ("Qué?", None),
            ("", None),
            ("👍👍", None),
            ("I am very happy for read this news. Thank you for the informations.", Some("en")),
        ] {
            let found = Analysis::alone(text).language();
            assert_eq!(found.map(|l| l.code().to_owned()).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn codes_are_read_with_their_region() {
        for (code, expected) in [
            ("en", Some("en")),
            ("EN-gb", Some("en")),
            ("pt_BR", Some("pt")),
            ("english", None),
            ("", None),
            ("x1", None),
        ] {
            assert_eq!(Language::parse(code).map(|l| l.code().to_owned()).as_deref(), expected, "{code}");
        }
    }
}
