//! Electronics.

use super::shared::{COLOURS, ELECTRONICS};
use crate::product_line::Attribute::{Flag, OneOf, Several, Tenths, Whole};
use crate::product_line::ProductLine;

pub(super) const LINES: &[ProductLine] = &[
    ProductLine {
        category: &["Electronics", "Audio", "Headphones"],
        code: "HPH",
        name: "{brand} {series} {style} {noun}",
        brands: ELECTRONICS,
        series: &["Aria", "Solo 2", "Quiet One", "Nocturne", "Pulse", "Echo 5", "Verse"],
        styles: &["Wireless", "Noise Cancelling", "Studio", "Foldable", "Lightweight"],
        nouns: &["Headphones", "Over-Ear Headphones", "On-Ear Headphones", "Earbuds"],
        japanese: &[("ワイヤレスヘッドホン", "headphones"), ("イヤホン", "earbuds")],
        price_usd: (19, 420),
        tags: &["audio", "bluetooth", "travel", "gift"],
        attributes: &[
            ("colour", COLOURS),
            ("battery_hours", Whole { from: 6, to: 60, step: 2 }),
            ("weight_g", Whole { from: 40, to: 340, step: 5 }),
            ("microphone", Flag { percent: 80 }),
            ("codecs", Several(&["SBC", "AAC", "aptX", "LDAC"])),
        ],
        sentences: &[
            "Soft cushions stay comfortable on long flights.",
            "Ten minutes on the charger give hours of music.",
            "Two devices can be connected at the same time.",
            "The cable detaches, so that it can be replaced when it wears out.",
        ],
    },
    ProductLine {
        category: &["Electronics", "Audio", "Speakers"],
        code: "SPK",
        name: "{brand} {series} {style} {noun}",
        brands: ELECTRONICS,
        series: &["Boulder", "Pebble", "Room 1", "Room 2", "Terrace", "Carry"],
        styles: &["Portable", "Waterproof", "Bookshelf", "Compact", "Wi-Fi"],
        nouns: &["Speaker", "Bluetooth Speaker", "Stereo Pair", "Soundbar"],
        japanese: &[],
        price_usd: (25, 690),
        tags: &["audio", "bluetooth", "party", "home cinema"],
        attributes: &[
            ("colour", COLOURS),
            ("power_w", Whole { from: 5, to: 120, step: 5 }),
            ("waterproof", Flag { percent: 45 }),
            ("inputs", Several(&["Bluetooth", "USB-C", "AUX", "HDMI", "Optical"])),
        ],
        sentences: &[
            "Fills a medium-sized room without distortion.",
            "Two of them play as a stereo pair.",
            "The fabric cover can be taken off and washed.",
        ],
    },
    ProductLine {
        category: &["Electronics", "Computers", "Laptops"],
        code: "LAP",
        name: "{brand} {series} {style} {noun}",
        brands: &["Halden", "Orvika", "Tessuno", "Brightmoor", "Mistral"],
        series: &["Slate 13", "Slate 14", "Work 15", "Studio 16", "Go 11", "Flex 14"],
        styles: &["Ultralight", "Business", "Gaming", "Student", "Convertible"],
        nouns: &["Laptop", "Notebook"],
        japanese: &[("ノートパソコン", "laptop")],
        price_usd: (299, 2900),
        tags: &["computer", "office", "school", "gaming"],
        attributes: &[
            ("screen_inch", Tenths { from: 110, to: 173 }),
            ("memory_gb", OneOf(&["8 GB", "16 GB", "32 GB", "64 GB"])),
            ("storage_gb", Whole { from: 256, to: 2048, step: 256 }),
            ("touchscreen", Flag { percent: 30 }),
            ("ports", Several(&["USB-C", "USB-A", "HDMI", "SD card", "Ethernet"])),
        ],
        sentences: &[
            "The matte screen is easy to read by a window.",
            "Memory and storage can be replaced with a common screwdriver.",
            "The battery lasts through a working day.",
            "A quiet fan keeps it cool under load.",
        ],
    },
    ProductLine {
        category: &["Electronics", "Cameras"],
        code: "CAM",
        name: "{brand} {series} {style} {noun}",
        brands: &["Optikon", "Halden", "Tessuno", "Lumivar"],
        series: &["M1", "M2", "Street", "Field", "Alpina", "Voyager"],
        styles: &["Mirrorless", "Compact", "Instant", "Action", "Travel"],
        nouns: &["Camera", "Camera Kit"],
        japanese: &[("デジタルカメラ", "camera")],
        price_usd: (59, 1900),
        tags: &["photo", "video", "travel", "gift"],
        attributes: &[
            ("megapixels", Whole { from: 12, to: 60, step: 2 }),
            ("colour", COLOURS),
            ("stabilised", Flag { percent: 60 }),
            ("weight_g", Whole { from: 120, to: 900, step: 10 }),
        ],
        sentences: &[
            "Sharp pictures, even when the light is poor.",
            "The grip sits well in small and large hands.",
            "Pictures go to a phone at the touch of a button.",
        ],
    },
];
