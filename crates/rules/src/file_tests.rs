use super::*;
use domain::Currency;
use domain::search::MAX_FILTERS;
use text::product::Part;

fn faults(toml: &str) -> Vec<String> {
    match Rules::parse(toml.as_bytes(), Locale::default()) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.0.iter().map(ToString::to_string).collect(),
    }
}

/// Returns the fault of a file that has only one, without its line and column.
fn fault(toml: &str) -> String {
    let faults = faults(&format!("version = 1\n{toml}"));
    assert_eq!(faults.len(), 1, "{toml}\n{faults:#?}");
    faults[0].splitn(3, ':').nth(2).unwrap_or_default().trim().to_owned()
}

#[test]
fn the_example_is_right() {
    let example = include_str!("../../../docs/rules.example.toml");
    assert_eq!(faults(example), [""; 0]);
    let rules = Rules::parse(example.as_bytes(), Locale::default()).unwrap();
    let summary = rules.summary("2026-12-01T00:00:00Z".parse().unwrap());
    insta::assert_snapshot!(summary, @"5 synonyms, 3 stop words, 2 pins, 1 hide, 2 boosts, 1 bury, weights; inactive now: 0 upcoming, 1 expired");
    assert_eq!((rules.weights().get(Part::Brand), rules.weights().get(Part::Description)), (1.5, 0.5));
}

#[test]
fn a_file_with_nothing_but_its_version_decides_nothing() {
    let rules = Rules::parse(b"version = 1", Locale::default()).unwrap();
    let now = "2026-12-01T00:00:00Z".parse().unwrap();
    assert!(rules.tuning("laptop", Currency::USD, now).is_empty());
    assert_eq!(rules.weights(), FieldWeights::default());
    insta::assert_snapshot!(rules.summary(now), @"0 synonyms, 0 stop words, 0 pins, 0 hides, 0 boosts, 0 buries, no weights");
}

#[test]
fn every_fault_is_told_at_once_with_its_place() {
    let file = r#"versoin = 1
stopWords = ["for"]

[words]
synonyms = [
  ["laptop", "Laptops"],
  ["tv", "…", "a b c d e f g h i", 5],
  "tv, telly",
]
stopword = ["the"]
stopWords = ["for the", "--", ""]
[words.oneWay]
hoover = ["vacuum cleaner", "Hoovers"]
"!" = "x"
tv = []

[[pin]]
query = "laptop"
products = ["a/b", "ok", "ok", 7]
from = 2026-11-27
until = 2026-11-26
match = "equal"

[[pin]]
querry = "laptop"

[hide]
query = "x"

[[boost]]
by = -0.5
filter = { brnad = "HP", priceRange = "20-10", tags = [""] }
match = "contains"

[[boost]]
by = 1.5
filter = {}
from = 2026-11-27T08:00:00
until = "tomorrow"

[[bury]]
by = "0.5"
filter = { currency = "EUR", inStock = "yes", attributes = { "" = 1, width = "9..1", x = 1979-05-27 }, category = "A > " }
until = 8

[weights]
name = -1
category = 2
sku = "high"
brand = inf
"#;
    insta::assert_snapshot!(faults(file).join("\n"));
}

#[test]
fn what_is_no_toml_is_told_by_line() {
    let told = [
        "version = \n[words]\nstopWords = [the, a]\n[words]\n[[pin]]\nquery = 'a'\nquery = 'b'\n",
        "version = 1\n[words]\nsynonyms = [\n  ['a', 'b'],\n\n[[pin]]\nquery = 'a'\nproducts = ['b']\n",
        "version = 1\n[words]\nstopWords = [\"the]\n[[pin]]\nquery = 'a'\n",
        "version = 1\n[[boost]]\nfilter = { brand = 'HP'\nby = 1\n",
        "version = 1\n[[pin]\nquery = 'a'\n",
    ];
    insta::assert_snapshot!(told.map(|file| faults(file).join("\n")).join("\n\n"));
}

#[test]
fn bytes_that_are_no_text_and_files_that_are_too_long_are_refused() {
    let told = |bytes: &[u8]| Rules::parse(bytes, Locale::default()).unwrap_err().to_string();
    assert_eq!(told(b"version = 1\n# caf\xe9"), "2:6: is not UTF-8; save the file with this encoding");
    let long = format!("version = 1\n#{}", "x".repeat(crate::MAX_FILE_BYTES));
    assert_eq!(told(long.as_bytes()), "1:1: the file has more than 1048576 bytes; make it shorter");
}

#[test]
fn a_version_of_the_form_that_is_not_known_is_refused() {
    assert_eq!(faults(""), ["1:1: `version` is missing; write `version = 1`"]);
    insta::assert_snapshot!(faults("version = 2").join("\n"), @"1:11: is version 2 of the format, which is not supported; write 1");
    insta::assert_snapshot!(faults("version = \"1\"").join("\n"), @"1:11: must be the number 1, not a text");
}

#[test]
fn everything_has_a_bound() {
    let texts = |count: usize| (0..count).map(|at| format!("\"w{at}\"")).collect::<Vec<_>>().join(", ");
    let pins = |count: usize, from: usize| {
        let ids = (from..from + count).map(|at| format!("\"p{at}\"")).collect::<Vec<_>>().join(", ");
        format!("[[pin]]\nquery = \"x\"\nproducts = [{ids}]\n")
    };
    let boost = "[[boost]]\nby = 0.1\nfilter = { inStock = true }\n";
    let cases = [
        (format!("[words]\nsynonyms = [[{}]]", texts(50)), format!("[words]\nsynonyms = [[{}]]", texts(51))),
        (
            format!("[words]\nsynonyms = [{}]", "[\"a\", \"b\"], ".repeat(25)),
            format!("[words]\nsynonyms = [{} [\"a\", \"c\"]]", "[\"a\", \"b\"], ".repeat(25)),
        ),
        (
            format!("[words.oneWay]\nx = \"{}\"", "y".repeat(MAX_PHRASE_CHARS)),
            format!("[words.oneWay]\nx = \"{}\"", "y".repeat(MAX_PHRASE_CHARS + 1)),
        ),
        (
            format!("[words]\nstopWords = [{}]", texts(1000)),
            format!("[words]\nstopWords = [{}]", texts(1001)),
        ),
        (pins(100, 0), pins(101, 0)),
        (pins(60, 0) + &pins(40, 60), pins(60, 0) + &pins(41, 60)),
        (boost.repeat(20), boost.repeat(21)),
        (format!("{boost}query = [{}]", texts(100)), format!("{boost}query = [{}]", texts(101))),
        (
            format!("[[boost]]\nby = 1\nfilter = {{ tags = [{}] }}", texts(MAX_FILTERS)),
            format!("[[boost]]\nby = 1\nfilter = {{ inStock = true, tags = [{}] }}", texts(MAX_FILTERS)),
        ),
        ("[weights]\nname = 10".to_owned(), "[weights]\nname = 10.01".to_owned()),
    ];
    let mut told = Vec::new();
    for (most, more) in cases {
        assert_eq!(faults(&format!("version = 1\n{most}")), [""; 0]);
        told.push(fault(&more));
    }
    let synonyms = |count: usize| {
        let groups: String = (0..count).map(|at| format!("[\"a{at}\", \"b{at}\"],")).collect();
        format!("version = 1\n[words]\nsynonyms = [{groups}]")
    };
    assert_eq!(faults(&synonyms(MAX_SYNONYMS)), [""; 0]);
    told.extend(faults(&synonyms(MAX_SYNONYMS + 1)));
    let rules = |count: usize| {
        let rules: String = (0..count).map(|at| pins(1, 0).replace('x', &format!("q{at}"))).collect();
        format!("version = 1\n{rules}")
    };
    assert_eq!(faults(&rules(MAX_RULES)), [""; 0]);
    told.extend(faults(&rules(MAX_RULES + 1)));
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn many_faults_are_told_in_part() {
    let file = format!("version = 1\n[words]\nstopWords = [{}]", "\"\",\n".repeat(900));
    let told = faults(&file);
    assert_eq!((told.len(), told[48].as_str()), (50, "51:1: is empty; add a value or remove it"));
    assert_eq!(told[49], "52:1: is empty; add a value or remove it (and 850 more faults after this one)");
}

proptest::proptest! {
    #[test]
    fn no_text_makes_reading_panic(text in "(\\[\\[?(pin|words|boost|weights)\\]?\\]\n|(query|by|from|filter|version|synonyms) = |[\\[\\]{}\",=.0-9a\n é-]){0,40}") {
        let _ = Rules::parse(text.as_bytes(), Locale::default());
    }

    #[test]
    fn no_bytes_make_reading_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
        let _ = Rules::parse(&bytes, Locale::default());
    }
}
