use super::builder::MAX_OPTIONAL_VOWELS;
use super::builder::MAX_QUERY_BYTES;
use super::*;
use crate::analysis::{Purpose, Token, query_words, tokens};
use proptest::prelude::*;

fn runs(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    tokens(text, Purpose::Document, |token| match token {
        Token::Cjk(run) => found.push(run.text().to_owned()),
        Token::Word(word, _) => found.push(word.to_owned()),
        Token::Sign(..) => {}
    });
    found
}

/// Returns the parts of a text that a query of one run matches.
fn places(query: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for spelling in query_words(query).iter().flat_map(|(word, _)| spellings(word)) {
        tokens(text, Purpose::Document, |token| match token {
            Token::Cjk(run) => found.extend(run.find(&spelling).map(|at| text[at].to_owned())),
            Token::Word(..) | Token::Sign(..) => {}
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
    assert!(spellings(&query[0].0).len() <= 3 << MAX_OPTIONAL_VOWELS);
    assert_eq!(spellings("ビール"), ["ビール", "ビイル"]);
    assert_eq!(spellings("東京"), ["東京"]);
    let long = query_words(&"カ".repeat(500));
    assert!(long[0].0.len() <= MAX_QUERY_BYTES && long[0].1 == (0..1500));
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
