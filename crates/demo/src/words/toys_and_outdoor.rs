//! Toys, games and outdoor gear.

use super::shared::{COLOURS, OUTDOOR};
use crate::product_line::Attribute::{Flag, Several, Whole};
use crate::product_line::ProductLine;

pub(super) const LINES: &[ProductLine] = &[
    ProductLine {
        category: &["Toys", "Building & Wooden Toys"],
        code: "TOY",
        name: "{brand} {style} {noun} {series}",
        brands: &["Little Fox", "Klotz & Co", "Tanuki Toys", "Bumblewood"],
        series: &["24 Pieces", "50 Pieces", "100 Pieces", "Starter Set", "Deluxe Set"],
        styles: &["Wooden", "Magnetic", "Rainbow", "Stacking", "Pocket"],
        nouns: &["Blocks", "Train", "Castle", "Marble Run", "Farm", "Puzzle"],
        japanese: &[("積み木セット", "wooden blocks"), ("けん玉", "kendama")],
        price_usd: (8, 140),
        tags: &["toys", "wood", "educational", "gift"],
        attributes: &[
            ("age_from", Whole { from: 1, to: 10, step: 1 }),
            ("pieces", Whole { from: 10, to: 250, step: 10 }),
            ("batteries", Flag { percent: 10 }),
            ("skills", Several(&["motor skills", "counting", "patience", "imagination"])),
        ],
        sentences: &[
            "Rounded edges and colours that are safe in the mouth.",
            "Works together with the other sets of the series.",
            "Packed in a cotton bag instead of plastic.",
        ],
    },
    ProductLine {
        category: &["Toys", "Board Games"],
        code: "BGM",
        name: "{brand} {style} {noun}: {series}",
        brands: &["Meeple Lane", "Tanuki Toys", "Round Table Works", "Dicebox"],
        series: &["Base Game", "Second Edition", "Travel Edition", "Expansion", "Family Edition"],
        styles: &["Harbour", "Lost", "Merchant", "Midnight", "Tiny", "Brave"],
        nouns: &["Traders", "Dungeon", "Kingdoms", "Railways", "Detectives", "Gardens"],
        japanese: &[("将棋セット", "shogi"), ("花札", "hanafuda cards")],
        price_usd: (9, 110),
        tags: &["games", "family", "strategy", "party"],
        attributes: &[
            ("players_max", Whole { from: 2, to: 8, step: 1 }),
            ("minutes", Whole { from: 15, to: 180, step: 15 }),
            ("cooperative", Flag { percent: 25 }),
            ("age_from", Whole { from: 6, to: 14, step: 1 }),
        ],
        sentences: &[
            "Explained in five minutes, played for an evening.",
            "No two games are the same.",
            "The rules come in six languages.",
        ],
    },
    ProductLine {
        category: &["Outdoor", "Tents & Sleeping"],
        code: "TNT",
        name: "{brand} {series} {style} {noun}",
        brands: OUTDOOR,
        series: &["Summit", "Basecamp", "Drift", "Hut 2", "Hut 4", "Aurora"],
        styles: &["Ultralight", "Three-Season", "Winter", "Family", "Bikepacking"],
        nouns: &["Tent", "Sleeping Bag", "Tarp", "Sleeping Mat"],
        japanese: &[("寝袋", "sleeping bag")],
        price_usd: (29, 780),
        tags: &["camping", "hiking", "ultralight", "winter"],
        attributes: &[
            ("colour", COLOURS),
            ("weight_g", Whole { from: 350, to: 6000, step: 50 }),
            ("persons", Whole { from: 1, to: 6, step: 1 }),
            ("waterproof", Flag { percent: 85 }),
        ],
        sentences: &[
            "Packs down to the size of a loaf of bread.",
            "Tested for three weeks of rain in the hills.",
            "Repairs are free for the first five years.",
        ],
    },
    ProductLine {
        category: &["Outdoor", "Backpacks"],
        code: "BPK",
        name: "{brand} {series} {style} {noun}",
        brands: OUTDOOR,
        series: &["18 L", "22 L", "28 L", "35 L", "45 L", "60 L"],
        styles: &["Hiking", "Roll-Top", "City", "Trail", "Waterproof"],
        nouns: &["Backpack", "Daypack", "Rucksack"],
        japanese: &[("登山リュック", "backpack")],
        price_usd: (28, 290),
        tags: &["hiking", "travel", "commuting", "recycled"],
        attributes: &[
            ("colour", COLOURS),
            ("volume_l", Whole { from: 12, to: 70, step: 2 }),
            ("laptop_sleeve", Flag { percent: 50 }),
            ("pockets", Whole { from: 2, to: 12, step: 1 }),
        ],
        sentences: &[
            "The back panel lets air through on steep climbs.",
            "Made of recycled nylon.",
            "A rain cover is folded into the bottom.",
        ],
    },
];
