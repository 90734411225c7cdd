//! Texts in scripts that are written without spaces between words: Japanese, Chinese and Korean.
//!
//! Characters of such scripts that follow each other are a *run*. Where words begin and end in it takes a dictionary to
//! know, so a run of a product counts as its single characters and its overlapping pairs, and a run of a query is found
//! where its pairs stand one after the other.
//!
//! Kana is folded as sorting by JIS X 4061 does at its first level: hiragana and katakana are one, so are small and
//! large signs (`キャノン`, `キヤノン`), and repetition marks are what they repeat (`いすゞ`, `いすず`). `ヴ` is the row of
//! `バ`, as the Japanese notice on writing foreign words of 1991 allows. Whether a long vowel is written with its sign or
//! as the vowel (`ラーメン`, `らあめん`), and whether it stands at the end of a word, as JIS Z 8301 leaves it out
//! (`プリンター`, `プリンタ`), is for the query to try: in a product, either would find what is not there.

use std::ops::Range;

use domain::Content;
use unicode_normalization::char::{compose, decompose_canonical};

use crate::analysis::{Purpose, Token, tokens};
use crate::product::for_each_text;

/// Makes the vowel before it long.
const LONG: char = 'ー';
/// Stands in a run of a query where a vowel may be long or not. Folded texts have it nowhere: it is the half-width form
/// of the sign.
const OPTIONAL: char = 'ｰ';
/// A word of fewer signs needs the long vowel at its end: `トナー` without it would be another, or none.
const MIN_SIGNS_BEFORE_LONG: usize = 3;
/// The long vowels of a query's run that may be there or not. What follows is taken as it was typed.
const MAX_OPTIONAL: usize = 2;
/// A run of a query keeps its first bytes up to this many; what follows does not count.
const MAX_QUERY_BYTES: usize = 250;

/// Whether a character belongs to a script that is written without spaces between words. Half-width forms are none:
/// normalisation makes others of them.
pub(crate) fn is_spaceless(c: char) -> bool {
    // Most characters are told apart by the first of these.
    c >= '\u{1100}'
        && matches!(c,
            '\u{1100}'..='\u{11FF}' | '\u{3005}'..='\u{3007}' | '\u{3041}'..='\u{3096}' | '\u{309D}'..='\u{309F}'
            | '\u{30A1}'..='\u{30FA}' | '\u{30FC}'..='\u{30FF}' | '\u{3131}'..='\u{318E}'
            | '\u{31F0}'..='\u{31FF}' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{A960}'..='\u{A97F}'
            | '\u{AC00}'..='\u{D7FF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{323AF}')
}

/// Whether a word of [`crate::analysis`] is a run.
pub fn is_cjk(word: &str) -> bool {
    word.chars().next().is_some_and(is_spaceless)
}

/// The terms of a run that stand one after the other where it is found: its overlapping pairs, or its only character.
pub fn bigrams(run: &str) -> impl Iterator<Item = &str> {
    let ends = run.char_indices().map(|(start, c)| start + c.len_utf8());
    let second = run.chars().next().map_or(0, char::len_utf8);
    let is_single = second == run.len() && !run.is_empty();
    let starts = run.char_indices().map(|(start, _)| start);
    let bigrams = starts.zip(ends.skip(1)).map(|(start, end)| &run[start..end]);
    is_single.then_some(run).into_iter().chain(bigrams)
}

/// The ways in which products may spell a run of a query: with and without the long vowels that may be left out, each
/// of them with signs and with vowels for all long vowels.
pub fn spellings(run: &str) -> Vec<String> {
    let mut spellings = vec![String::with_capacity(run.len())];
    for c in run.chars() {
        if c == OPTIONAL {
            let long = spellings.iter().map(|spelling| format!("{spelling}{LONG}")).collect::<Vec<_>>();
            spellings.extend(long);
        } else {
            spellings.iter_mut().for_each(|spelling| spelling.push(c));
        }
    }
    for typed in spellings.clone() {
        for other in [with_vowels(&typed), with_signs(&typed)] {
            if !spellings.contains(&other) {
                spellings.push(other);
            }
        }
    }
    spellings
}

/// With the vowel for each sign of a long one.
fn with_vowels(run: &str) -> String {
    let mut other = String::with_capacity(run.len());
    for c in run.chars() {
        let before = if c == LONG { other.chars().next_back().and_then(vowel) } else { None };
        other.push(before.unwrap_or(c));
    }
    other
}

/// With the sign for each vowel that makes the one before it long.
fn with_signs(run: &str) -> String {
    let mut before = None;
    let sign = |c| {
        let is_long = before.is_some_and(|before| vowel(before) == Some(c));
        before = Some(c);
        if is_long { LONG } else { c }
    };
    run.chars().map(sign).collect()
}

/// Hands every run of the product with more than one pair to `each`, for the index of what stands next to each other.
/// Shorter ones are found by their characters and pairs.
pub fn for_each_cjk_run(content: &Content, mut each: impl FnMut(&str)) {
    for_each_text(content, |text, _| {
        if text.is_ascii() {
            return;
        }
        tokens(text, Purpose::Document, |token| match token {
            Token::Cjk(run) if run.places.len() > 2 => each(&run.text),
            Token::Cjk(_) | Token::Word(..) => {}
        });
    });
}

/// A run, folded.
#[derive(Debug, Default)]
pub struct CjkRun {
    text: String,
    /// Its place in the text, in bytes.
    at: Range<usize>,
    /// The place in the text and whether it is a long vowel, for each character.
    places: Vec<(Range<usize>, bool)>,
    /// Whether the last character is a long vowel that a query leaves out.
    ends_in_optional: bool,
}

impl CjkRun {
    /// Its characters.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its place in the text, in bytes.
    pub fn span(&self) -> Range<usize> {
        self.at.clone()
    }

    /// The places where the run contains another one, spelt as [`spellings`] has it. A long vowel behind it belongs
    /// to it.
    pub fn find<'a>(&'a self, spelling: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
        self.text.match_indices(spelling).map(|(at, found)| {
            let start = self.text[..at].chars().count();
            let end = start + found.chars().count();
            let is_long = self.places.get(end).is_some_and(|(_, is_long)| *is_long);
            self.place(start, end + usize::from(is_long))
        })
    }

    /// Hands its characters and pairs to `emit`, in order, each with its place in the text.
    pub(crate) fn for_each_word(&self, mut emit: impl FnMut(&str, Range<usize>)) {
        let mut bigrams = (self.places.len() > 1).then(|| bigrams(&self.text)).into_iter().flatten();
        for (index, (start, c)) in self.text.char_indices().enumerate() {
            emit(&self.text[start..start + c.len_utf8()], self.place(index, index + 1));
            if let Some(bigram) = bigrams.next() {
                emit(bigram, self.place(index, index + 2));
            }
        }
    }

    /// Its characters without a long vowel at the end that a query leaves out.
    pub(crate) fn as_queried(&self) -> &str {
        let last = self.text.chars().next_back().filter(|_| self.ends_in_optional);
        &self.text[..self.text.len() - last.map_or(0, char::len_utf8)]
    }

    fn place(&self, start: usize, end: usize) -> Range<usize> {
        match self.places.get(start..end) {
            Some([(first, _), .., (last, _)]) => first.start..last.end,
            Some([(only, _)]) => only.clone(),
            _ => 0..0,
        }
    }
}

/// Gathers the characters of a run.
#[derive(Debug, Default)]
pub(crate) struct CjkRunBuilder {
    signs: Vec<Sign>,
    /// The last one that ended.
    run: CjkRun,
}

/// A character of a run.
#[derive(Debug, Clone)]
struct Sign {
    c: char,
    /// Its place in the text.
    at: Range<usize>,
    script: Script,
    is_long: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Script {
    Hiragana,
    Katakana,
    Other,
}

impl CjkRunBuilder {
    pub(crate) fn is_empty(&self) -> bool {
        self.signs.is_empty()
    }

    /// Takes the next character, which is [spaceless](is_spaceless).
    pub(crate) fn push(&mut self, c: char, at: Range<usize>) {
        let script = match c {
            '\u{3041}'..='\u{309F}' => Script::Hiragana,
            LONG => self.signs.last().map_or(Script::Katakana, |last| last.script),
            '\u{30A1}'..='\u{30FF}' | '\u{31F0}'..='\u{31FF}' => Script::Katakana,
            _ => Script::Other,
        };
        self.signs.push(Sign { c, at, script, is_long: c == LONG });
    }

    /// Takes a character that belongs to no word by itself, if it does in the place where it stands: a dash behind kana
    /// that means a long vowel, or a middle dot between two words in kana. `text` is all that is analysed.
    pub(crate) fn takes(&mut self, c: char, at: &Range<usize>, text: &str) -> bool {
        let Some(last) = self.signs.last().filter(|last| last.script != Script::Other) else { return false };
        let next = text[at.end..].chars().next();
        if is_middle_dot(c) {
            return next.is_some_and(is_any_kana);
        }
        let is_sign = match c {
            // The sign has no key of its own on keyboards of half-width kana.
            '-' if at.len() == 1 => text[last.at.start..].chars().next().is_some_and(is_half_width_kana),
            c => is_dash(c),
        };
        let is_long = is_sign
            && next.is_none_or(|next| !next.is_alphanumeric() || is_spaceless(next) || is_any_kana(next));
        if is_long {
            self.push(LONG, at.clone());
        }
        is_long
    }

    /// The run of all characters taken so far, folded; the next one begins a new run.
    pub(crate) fn end(&mut self, purpose: Purpose) -> &CjkRun {
        let run = &mut self.run;
        run.at = match (self.signs.first(), self.signs.last()) {
            (Some(first), Some(last)) => first.at.start..last.at.end,
            _ => 0..0,
        };
        repeat(&mut self.signs);
        let mut signs = folded(self.signs.drain(..));
        run.ends_in_optional = ends_in_optional(&signs);
        if purpose == Purpose::Query {
            signs = with_optional_vowels(&signs);
        }
        run.text = signs.iter().map(|sign| sign.c).collect();
        run.places = signs.into_iter().map(|sign| (sign.at, sign.is_long)).collect();
        if purpose == Purpose::Query {
            run.text.truncate(run.text.floor_char_boundary(MAX_QUERY_BYTES));
        }
        run
    }
}

fn is_dash(c: char) -> bool {
    matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{2500}' | '\u{2501}')
}

fn is_middle_dot(c: char) -> bool {
    matches!(c, '・' | '\u{00B7}' | '\u{2027}' | '\u{30A0}')
}

fn is_half_width_kana(c: char) -> bool {
    matches!(c, '\u{FF66}'..='\u{FF9F}')
}

/// In any width, as it stands in a text.
fn is_any_kana(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{3096}' | '\u{30A1}'..='\u{30FA}' | '\u{30FC}') || is_half_width_kana(c)
}

/// Puts what is repeated in the place of repetition marks. Several of them repeat as many characters.
fn repeat(signs: &mut [Sign]) {
    let is_mark = |sign: &Sign| matches!(sign.c, '々' | 'ゝ' | 'ゞ' | 'ヽ' | 'ヾ');
    let mut start = 0;
    while start < signs.len() {
        let marks = signs[start..].iter().take_while(|sign| is_mark(sign)).count();
        for at in start.max(marks)..start + marks {
            let (before, mark) = (&signs[at - marks], signs[at].c);
            let is_kanji = before.script == Script::Other;
            if before.is_long || is_kanji != (mark == '々') {
                continue;
            }
            signs[at].c = match mark {
                '々' => before.c,
                'ゞ' | 'ヾ' => compose(unvoiced(before.c), '\u{3099}').unwrap_or(before.c),
                _ => unvoiced(before.c),
            };
        }
        start += marks + 1;
    }
}

fn unvoiced(kana: char) -> char {
    let mut first = None;
    decompose_canonical(kana, |part| {
        first.get_or_insert(part);
    });
    first.unwrap_or(kana)
}

/// The same in large katakana.
fn folded(signs: impl Iterator<Item = Sign>) -> Vec<Sign> {
    let mut folded = Vec::<Sign>::with_capacity(signs.size_hint().0);
    let mut rest = signs.map(|sign| Sign { c: katakana(sign.c), ..sign }).peekable();
    while let Some(mut sign) = rest.next() {
        if sign.c == 'ヴ' {
            let row = match rest.peek().map(|next| next.c) {
                Some('ァ') => Some('バ'),
                Some('ィ') => Some('ビ'),
                Some('ェ') => Some('ベ'),
                Some('ォ') => Some('ボ'),
                _ => None,
            };
            let is_before_y = rest.peek().is_some_and(|next| matches!(next.c, 'ャ' | 'ュ' | 'ョ'));
            sign.c = row.unwrap_or(if is_before_y { 'ビ' } else { 'ブ' });
            if row.is_some()
                && let Some(vowel) = rest.next()
            {
                sign.at.end = vowel.at.end;
            }
        } else if matches!(sign.c, 'ヶ' | 'ケ' | '箇') && rest.peek().is_some_and(|next| is_counted(next.c))
        {
            sign.c = 'カ';
        } else {
            sign.c = large(sign.c);
        }
        folded.push(sign);
    }
    folded
}

fn ends_in_optional(signs: &[Sign]) -> bool {
    let Some(last) = signs.last().filter(|last| last.is_long && last.script != Script::Other) else {
        return false;
    };
    let word = signs.iter().rev().take_while(|sign| sign.script == last.script);
    word.take(MIN_SIGNS_BEFORE_LONG + 1).count() > MIN_SIGNS_BEFORE_LONG
}

/// Highlighter with [`OPTIONAL`] where a word of a query may end in a long vowel or without one, whichever was typed; at the end
/// of the run it is left out, since what is looked for is found inside of words.
fn with_optional_vowels(signs: &[Sign]) -> Vec<Sign> {
    let mut marked = Vec::with_capacity(signs.len() + MAX_OPTIONAL);
    let (mut left, mut seen) = (MAX_OPTIONAL, 0);
    for word in signs.chunk_by(|a, b| a.script == b.script) {
        seen += word.len();
        let (before, long) = match word.split_last() {
            Some((last, before)) if last.is_long => (before, Some(last)),
            _ => (word, None),
        };
        marked.extend(before.iter().cloned());
        let is_kana = word.iter().all(|sign| sign.script != Script::Other);
        if !is_kana || before.len() < MIN_SIGNS_BEFORE_LONG {
            marked.extend(long.cloned());
            continue;
        }
        if seen == signs.len() {
            continue;
        }
        // Only words of foreign origin vary without having one.
        let may_be_long =
            before.last().filter(|last| last.script == Script::Katakana && vowel(last.c).is_some());
        match long.or(may_be_long) {
            Some(end) if left > 0 => {
                left -= 1;
                marked.push(Sign { c: OPTIONAL, is_long: true, ..end.clone() });
            }
            _ => marked.extend(long.cloned()),
        }
    }
    marked
}

/// What `ヶ`, which is read `か` there, stands before: `3ヶ月`, `3か月`.
fn is_counted(c: char) -> bool {
    matches!(c, '月' | '所' | '国' | '年' | '条')
}

fn katakana(c: char) -> char {
    match c {
        // Both scripts stand in the same order.
        '\u{3041}'..='\u{3096}' => char::from_u32(u32::from(c) + 0x60).unwrap_or(c),
        c => c,
    }
}

fn large(c: char) -> char {
    match c {
        'ァ' => 'ア',
        'ィ' => 'イ',
        'ゥ' => 'ウ',
        'ェ' => 'エ',
        'ォ' => 'オ',
        'ッ' => 'ツ',
        'ャ' => 'ヤ',
        'ュ' => 'ユ',
        'ョ' => 'ヨ',
        'ヮ' => 'ワ',
        'ヵ' => 'カ',
        'ヶ' => 'ケ',
        c => c,
    }
}

/// The vowel of a large katakana; `ン` has none.
fn vowel(c: char) -> Option<char> {
    Some(match c {
        'ア' | 'カ' | 'ガ' | 'サ' | 'ザ' | 'タ' | 'ダ' | 'ナ' | 'ハ' | 'バ' | 'パ' | 'マ' | 'ヤ' | 'ラ'
        | 'ワ' => 'ア',
        'イ' | 'キ' | 'ギ' | 'シ' | 'ジ' | 'チ' | 'ヂ' | 'ニ' | 'ヒ' | 'ビ' | 'ピ' | 'ミ' | 'リ' | 'ヰ' => {
            'イ'
        }
        'ウ' | 'ク' | 'グ' | 'ス' | 'ズ' | 'ツ' | 'ヅ' | 'ヌ' | 'フ' | 'ブ' | 'プ' | 'ム' | 'ユ' | 'ル' => {
            'ウ'
        }
        'エ' | 'ケ' | 'ゲ' | 'セ' | 'ゼ' | 'テ' | 'デ' | 'ネ' | 'ヘ' | 'ベ' | 'ペ' | 'メ' | 'レ' | 'ヱ' => {
            'エ'
        }
        'オ' | 'コ' | 'ゴ' | 'ソ' | 'ゾ' | 'ト' | 'ド' | 'ノ' | 'ホ' | 'ボ' | 'ポ' | 'モ' | 'ヨ' | 'ロ'
        | 'ヲ' => 'オ',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::query_words;
    use domain::Currency;
    use domain::input::read_product;
    use proptest::prelude::*;

    fn runs(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        tokens(text, Purpose::Document, |token| match token {
            Token::Cjk(run) => found.push(run.text().to_owned()),
            Token::Word(word, _) => found.push(word.to_owned()),
        });
        found
    }

    /// Whether a query of one run finds a text, and in which places.
    fn places(query: &str, text: &str) -> Vec<String> {
        let mut found = Vec::new();
        for spelling in query_words(query).iter().flat_map(|(word, _)| spellings(word)) {
            tokens(text, Purpose::Document, |token| match token {
                Token::Cjk(run) => found.extend(run.find(&spelling).map(|at| text[at].to_owned())),
                Token::Word(..) => {}
            });
        }
        found
    }

    #[test]
    fn a_run_is_found_by_its_pairs_or_its_only_character() {
        assert_eq!(bigrams("日本語").collect::<Vec<_>>(), ["日本", "本語"]);
        assert_eq!(bigrams("日本").collect::<Vec<_>>(), ["日本"]);
        assert_eq!(bigrams("日").collect::<Vec<_>>(), ["日"]);
        assert_eq!(bigrams("").count(), 0);
    }

    #[test]
    fn spellings_of_one_word_are_one() {
        for same in [
            &["トナー", "ﾄﾅｰ", "となー", "トナ−", "ﾄﾅ-", "トナ－", "トナ―", "トナ—"][..],
            &["キヤノン", "キャノン", "ｷﾔﾉﾝ", "きゃのん"],
            &["デジタルカメラ", "デジタル・カメラ", "ﾃﾞｼﾞﾀﾙ･ｶﾒﾗ", "デジタル·カメラ"],
            &["ヴィンテージ", "ビンテージ", "ｳﾞｨﾝﾃｰｼﾞ"],
            &["インタヴュー", "インタビュー"],
            &["ルイ・ヴィトン", "ルイヴィトン", "ルイビトン"],
            &["いすゞ", "いすず", "イスズ"],
            &["金子みすゞ", "金子みすず"],
            &["佐々木", "佐佐木"],
            &["部分々々", "部分部分"],
            &["らーめん", "ラーメン", "ﾗｰﾒﾝ"],
            &["1か月", "1ヶ月", "1ケ月", "１ｹ月", "1カ月", "1ヵ月", "1箇月"],
            &["関ヶ原", "関ケ原"],
            &["㍑", "リットル", "ﾘｯﾄﾙ"],
            &["葛\u{E0100}飾", "葛飾"],
            &["한국", "\u{1112}\u{1161}\u{11ab}\u{1100}\u{116e}\u{11a8}"],
        ] {
            for other in same {
                assert_eq!(runs(other), runs(same[0]), "{other}");
            }
        }
    }

    #[test]
    fn other_words_stay_others() {
        for (one, other) in [
            ("かき", "がき"),
            ("ビル", "ビール"),
            ("ハート", "ハト"),
            ("東京", "京東"),
            ("赤・青", "赤青"),
            ("カメラ-a", "カメラー"),
            ("カメラ - バッグ", "カメラバッグ"),
        ] {
            assert_ne!(runs(one), runs(other), "{one}");
        }
        assert_eq!(runs("カメラ-x 赤・青 エプソン−EP"), ["カメラ", "x", "赤", "青", "エプソン", "ep"]);
        assert_eq!(runs("テスト-カメラ・東"), ["テスト", "カメラ", "東"]);
    }

    #[test]
    fn a_long_vowel_at_the_end_of_a_word_may_be_left_out() {
        for (query, text, found) in [
            ("プリンター", "レーザプリンタ", vec!["プリンタ"]),
            ("プリンタ", "レーザープリンター", vec!["プリンター"]),
            ("ﾌﾟﾘﾝﾀ-", "プリンタ用紙", vec!["プリンタ"]),
            ("プリンター用紙", "プリンタ用紙", vec!["プリンタ用紙"]),
            ("プリンタ用紙", "プリンター用紙", vec!["プリンター用紙"]),
            ("プリンタの用紙", "プリンターの用紙", vec!["プリンターの用紙"]),
            ("トナー交換", "カラートナー交換", vec!["トナー交換"]),
            ("カラートナ交換", "カラートナー交換", vec!["カラートナー交換"]),
            ("エレベータ用モータ部品", "エレベーター用モーター部品", vec!["エレベーター用モーター部品"]),
            ("カメラ用", "カメラ用品", vec!["カメラ用"]),
            ("トナー", "トナカイ", vec![]),
            ("トナー", "トナ", vec![]),
            ("コピー", "コピ", vec![]),
            ("イス", "レディース", vec![]),
        ] {
            assert_eq!(places(query, text), found, "{query} in {text}");
        }
    }

    #[test]
    fn a_long_vowel_may_be_written_as_the_vowel() {
        for (query, text) in [
            ("らあめん", "味噌ラーメン"),
            ("らぁめん", "ﾗｰﾒﾝ"),
            ("ラーメン", "らぁめん"),
            ("トナア", "トナー"),
            ("ケーキ", "けえき"),
            ("コーヒーメーカー", "こおひいめえかあ"),
        ] {
            assert_eq!(places(query, text).len(), 1, "{query} in {text}");
        }
        assert_eq!(places("エプロン", "カフェエプロン"), ["エプロン"]);
        assert_eq!(places("イス", "白いイス"), ["イス"]);
    }

    #[test]
    fn a_run_stands_in_the_text_where_it_was_written() {
        for (query, text, found) in [
            ("デジタルカメラ", "新型デジタル・カメラ", vec!["デジタル・カメラ"]),
            ("ﾊﾞｯｸﾞ", "青いバッグ と ﾊﾞｯｸﾞ", vec!["バッグ", "ﾊﾞｯｸﾞ"]),
            ("ビンテージ", "ヴィンテージ品", vec!["ヴィンテージ"]),
            ("東京都", "東京 京都", vec![]),
            ("東京都", "東京都と京都", vec!["東京都"]),
            ("リットル", "5㍑入", vec!["㍑"]),
        ] {
            assert_eq!(places(query, text), found, "{query} in {text}");
        }
    }

    #[test]
    fn a_query_has_few_spellings() {
        let query = query_words("エレベーター用モーター用カメラ用センサー");
        assert_eq!(query.len(), 1);
        assert!(spellings(&query[0].0).len() <= 3 << MAX_OPTIONAL);
        assert_eq!(spellings("ビール"), ["ビール", "ビイル"]);
        assert_eq!(spellings("東京"), ["東京"]);
        let long = query_words(&"カ".repeat(500));
        assert!(long[0].0.len() <= MAX_QUERY_BYTES && long[0].1 == (0..1500));
    }

    #[test]
    fn only_runs_of_several_pairs_have_neighbours_to_look_at() {
        let json =
            r#"{"name":"東京都の本 lamp","brand":"日本","tags":["ﾄﾅｰ"],"description":"本 語、辞書だ"}"#;
        let content = read_product(json.as_bytes(), Currency::USD).unwrap().content;
        let mut found = Vec::new();
        for_each_cjk_run(&content, |run| found.push(run.to_owned()));
        assert_eq!(found, ["東京都ノ本", "トナー", "辞書ダ"]);
    }

    proptest! {
        #[test]
        fn a_query_finds_the_run_it_was_copied_from(
            text in "[ーぁ-んァ-ヺ一-十々ゝゞヽヾヴｦ-ﾟ・−가-갛]{1,40}", around in "[ア-ン一-十ー]{0,5}"
        ) {
            let documents = [text.clone(), format!("日、{text}"), format!("{text} {around}")];
            for document in documents {
                let runs = runs(&document);
                for (word, at) in query_words(&text) {
                    prop_assert!(text.get(at).is_some());
                    let spellings = spellings(&word);
                    let is_found = spellings.iter().any(|spelling| runs.iter().any(|run| run.contains(spelling)));
                    prop_assert!(is_found, "{word} {spellings:?} in {runs:?}");
                }
            }
        }
    }
}
