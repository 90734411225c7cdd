//! Clothes and what is worn.

use crate::picture::kind::Kind;

pub(super) const KINDS: &[Kind] = &[
    Kind {
        svg: include_str!("../../../pictures/bag.svg"),
        words: &[
            "bag",
            "handbag",
            "tote",
            "purse",
            "duffel",
            "satchel",
            "messenger bag",
            "luggage",
            "suitcase",
            "バッグ",
            "かばん",
            "カバン",
            "鞄",
        ],
    },
    Kind {
        svg: include_str!("../../../pictures/dress.svg"),
        words: &["dress", "gown", "skirt", "ワンピース"],
    },
    Kind {
        svg: include_str!("../../../pictures/glasses.svg"),
        words: &[
            "glasses",
            "eyeglass",
            "sunglass",
            "reading glasses",
            "spectacle",
            "eyewear",
            "メガネ",
            "めがね",
            "眼鏡",
            "サングラス",
        ],
    },
    Kind {
        svg: include_str!("../../../pictures/jacket.svg"),
        words: &["jacket", "coat", "parka", "anorak", "blazer", "cardigan", "ジャケット", "コート"],
    },
    Kind {
        svg: include_str!("../../../pictures/ring.svg"),
        words: &["ring", "engagement ring", "wedding ring", "jewellery", "jewelry", "指輪"],
    },
    Kind {
        svg: include_str!("../../../pictures/shoe.svg"),
        words: &["shoe", "sneaker", "boot", "sandal", "slipper", "footwear", "靴", "シューズ", "スニーカー"],
    },
    Kind {
        svg: include_str!("../../../pictures/t-shirt.svg"),
        words: &["t-shirt", "tee", "shirt", "polo shirt", "sweatshirt", "clothing", "apparel", "シャツ"],
    },
    Kind {
        svg: include_str!("../../../pictures/trousers.svg"),
        words: &["trousers", "pants", "jeans", "chino", "legging", "shorts", "ズボン", "パンツ", "ジーンズ"],
    },
    Kind {
        svg: include_str!("../../../pictures/watch.svg"),
        words: &["watch", "wristwatch", "smartwatch", "wrist watch", "smart watch", "腕時計"],
    },
];
