//! Kana and the marks around them.

use unicode_normalization::char::decompose_canonical;

/// The mark that lengthens the vowel before it.
pub(super) const LONG_VOWEL: char = 'ー';
/// Marks, in a run of a query, a vowel that may be long or short. Folded text never contains it: it is the half-width form of
/// the mark.
pub(super) const OPTIONAL_LONG_VOWEL: char = 'ｰ';

pub(super) fn is_dash(c: char) -> bool {
    matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{2500}' | '\u{2501}')
}

pub(super) fn is_middle_dot(c: char) -> bool {
    matches!(c, '・' | '\u{00B7}' | '\u{2027}' | '\u{30A0}')
}

pub(super) fn is_half_width_kana(c: char) -> bool {
    matches!(c, '\u{FF66}'..='\u{FF9F}')
}

/// Returns true for kana of any width, before folding.
pub(super) fn is_any_kana(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{3096}' | '\u{30A1}'..='\u{30FA}' | '\u{30FC}') || is_half_width_kana(c)
}

/// Removes the voiced sound mark.
pub(super) fn unvoiced(kana: char) -> char {
    let mut first = None;
    decompose_canonical(kana, |part| {
        first.get_or_insert(part);
    });
    first.unwrap_or(kana)
}

/// Returns true for a counter word before which `ヶ` is read `か`: `3ヶ月`, `3か月`.
pub(super) fn is_counter(c: char) -> bool {
    matches!(c, '月' | '所' | '国' | '年' | '条')
}

/// Converts hiragana to katakana.
pub(super) fn katakana(c: char) -> char {
    match c {
        // Both blocks have the same order.
        '\u{3041}'..='\u{3096}' => char::from_u32(u32::from(c) + 0x60).unwrap_or(c),
        c => c,
    }
}

/// Converts small katakana to large.
pub(super) fn large(c: char) -> char {
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

/// Returns the vowel of a large katakana; `None` for `ン`.
pub(super) fn vowel(c: char) -> Option<char> {
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
