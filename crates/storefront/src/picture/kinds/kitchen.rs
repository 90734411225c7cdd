//! Kitchen, tea and coffee.

use crate::picture::kind::Kind;

pub(super) const KINDS: &[Kind] = &[
    Kind {
        svg: include_str!("../../../pictures/bottle.svg"),
        words: &["bottle", "water bottle", "thermos", "vacuum flask", "水筒", "ボトル"],
    },
    Kind {
        svg: include_str!("../../../pictures/bread-knife.svg"),
        words: &["bread knife", "bread knives", "パン切り包丁"],
    },
    Kind {
        svg: include_str!("../../../pictures/casserole.svg"),
        words: &[
            "casserole",
            "dutch oven",
            "stockpot",
            "stock pot",
            "soup pot",
            "cooking pot",
            "cast iron pot",
            "cocotte",
            "すき焼き鍋",
            "土鍋",
            "鍋",
        ],
    },
    Kind {
        svg: include_str!("../../../pictures/chefs-knife.svg"),
        words: &[
            "knife",
            "knives",
            "chef's knife",
            "kitchen knife",
            "cook's knife",
            "knife set",
            "knife block",
            "deba",
            "gyuto",
            "出刃",
            "牛刀",
            "包丁",
            "ナイフ",
        ],
    },
    Kind {
        svg: include_str!("../../../pictures/coffee-beans.svg"),
        words: &["coffee bean", "espresso bean", "coffee", "espresso", "コーヒー豆", "コーヒー"],
    },
    Kind {
        svg: include_str!("../../../pictures/drinking-glass.svg"),
        words: &[
            "drinking glass",
            "champagne flute",
            "champagne glass",
            "wine glass",
            "water glass",
            "beer glass",
            "whisky glass",
            "juice glass",
            "glassware",
            "tumbler",
            "グラス",
        ],
    },
    Kind {
        svg: include_str!("../../../pictures/electric-kettle.svg"),
        words: &["electric kettle", "electric tea kettle", "water boiler", "電気ケトル"],
    },
    Kind {
        svg: include_str!("../../../pictures/frying-pan.svg"),
        words: &["frying pan", "pan", "skillet", "cookware", "フライパン"],
    },
    Kind { svg: include_str!("../../../pictures/genmaicha.svg"), words: &["genmaicha", "玄米茶"] },
    Kind {
        svg: include_str!("../../../pictures/green-tea.svg"),
        words: &[
            "green tea",
            "tea",
            "sencha",
            "tea bag",
            "tea leaves",
            "loose leaf tea",
            "緑茶",
            "煎茶",
            "お茶",
        ],
    },
    Kind {
        svg: include_str!("../../../pictures/grill-pan.svg"),
        words: &["grill pan", "griddle", "griddle pan", "grill"],
    },
    Kind {
        svg: include_str!("../../../pictures/ground-coffee.svg"),
        words: &["ground coffee", "coffee powder"],
    },
    Kind { svg: include_str!("../../../pictures/gyokuro.svg"), words: &["gyokuro", "玉露"] },
    Kind {
        svg: include_str!("../../../pictures/hojicha.svg"), words: &["hojicha", "houjicha", "ほうじ茶"]
    },
    Kind {
        svg: include_str!("../../../pictures/iron-kettle.svg"),
        words: &["iron kettle", "cast iron kettle", "cast iron tea kettle", "tetsubin", "鉄瓶"],
    },
    Kind {
        svg: include_str!("../../../pictures/kettle.svg"),
        words: &["kettle", "tea kettle", "やかん", "ケトル"],
    },
    Kind { svg: include_str!("../../../pictures/kukicha.svg"), words: &["kukicha", "茎茶"] },
    Kind { svg: include_str!("../../../pictures/matcha.svg"), words: &["matcha", "抹茶"] },
    Kind {
        svg: include_str!("../../../pictures/mug.svg"),
        words: &["mug", "teacup", "coffee cup", "tea cup", "マグカップ", "湯呑", "コップ"],
    },
    Kind {
        svg: include_str!("../../../pictures/nakiri.svg"),
        words: &["nakiri", "nakiri knife", "cleaver", "meat cleaver", "菜切り包丁", "菜切"],
    },
    Kind {
        svg: include_str!("../../../pictures/omelette-pan.svg"),
        words: &["omelette pan", "omelet pan", "tamagoyaki pan", "卵焼き器"],
    },
    Kind {
        svg: include_str!("../../../pictures/paring-knife.svg"),
        words: &[
            "paring knife",
            "paring knives",
            "utility knife",
            "peeling knife",
            "petty knife",
            "ペティナイフ",
        ],
    },
    Kind {
        svg: include_str!("../../../pictures/santoku.svg"),
        words: &["santoku", "santoku knife", "三徳包丁", "三徳"],
    },
    Kind {
        svg: include_str!("../../../pictures/saucepan.svg"),
        words: &["saucepan", "sauce pan", "milk pan", "片手鍋"],
    },
    Kind {
        svg: include_str!("../../../pictures/teapot.svg"),
        words: &["teapot", "tea pot", "急須", "ティーポット"],
    },
    Kind { svg: include_str!("../../../pictures/wok.svg"), words: &["wok", "中華鍋"] },
];
