//! Sports, outdoor, music, books, toys and stationery.

use crate::picture::kind::Kind;

pub(super) const KINDS: &[Kind] = &[
    Kind {
        svg: include_str!("../../../pictures/backpack.svg"),
        words: &[
            "backpack",
            "daypack",
            "rucksack",
            "knapsack",
            "schoolbag",
            "リュック",
            "バックパック",
            "ザック",
        ],
    },
    Kind {
        svg: include_str!("../../../pictures/balance-board.svg"),
        words: &["balance board", "wobble board", "balance trainer"],
    },
    Kind {
        svg: include_str!("../../../pictures/bicycle.svg"),
        words: &["bicycle", "bike", "e-bike", "cycling", "自転車"],
    },
    Kind {
        svg: include_str!("../../../pictures/blocks.svg"),
        words: &[
            "block",
            "building block",
            "wooden block",
            "building brick",
            "wooden toy",
            "building toy",
            "educational toy",
            "積み木",
            "ブロック",
        ],
    },
    Kind {
        svg: include_str!("../../../pictures/board-game.svg"),
        words: &[
            "board game",
            "base game",
            "card game",
            "dice game",
            "family game",
            "party game",
            "strategy game",
            "tabletop game",
            "chess",
            "round table works",
            "ボードゲーム",
        ],
    },
    Kind {
        svg: include_str!("../../../pictures/book.svg"),
        words: &["book", "novel", "fiction", "picture book", "children's book", "小説", "文庫", "絵本"],
    },
    Kind {
        svg: include_str!("../../../pictures/brush-pen.svg"),
        words: &["brush pen", "calligraphy pen", "calligraphy brush", "筆ペン"],
    },
    Kind { svg: include_str!("../../../pictures/cajon.svg"), words: &["cajon", "カホン"] },
    Kind { svg: include_str!("../../../pictures/castle.svg"), words: &["castle", "dollhouse", "doll house"] },
    Kind {
        svg: include_str!("../../../pictures/craft-book.svg"),
        words: &[
            "cookbook",
            "cookery",
            "cookery book",
            "cooking",
            "cooking & craft",
            "craft book",
            "recipe book",
            "workbook",
            "料理本",
            "折り紙",
        ],
    },
    Kind {
        svg: include_str!("../../../pictures/drum-pad.svg"),
        words: &["drum pad", "drum machine", "drum"],
    },
    Kind {
        svg: include_str!("../../../pictures/dumbbell.svg"),
        words: &["dumbbell", "dumbbell set", "barbell", "kettlebell", "fitness", "ダンベル"],
    },
    Kind { svg: include_str!("../../../pictures/farm.svg"), words: &["farm", "barn"] },
    Kind {
        svg: include_str!("../../../pictures/foam-roller.svg"),
        words: &["foam roller", "massage roller"],
    },
    Kind { svg: include_str!("../../../pictures/fountain-pen.svg"), words: &["fountain pen", "万年筆"] },
    Kind {
        svg: include_str!("../../../pictures/guitar.svg"),
        words: &["guitar", "instrument", "ギター", "楽器"],
    },
    Kind {
        svg: include_str!("../../../pictures/hanafuda.svg"),
        words: &["hanafuda", "playing card", "deck of cards", "花札", "トランプ", "カルタ"],
    },
    Kind {
        svg: include_str!("../../../pictures/kalimba.svg"),
        words: &["kalimba", "thumb piano", "カリンバ"],
    },
    Kind { svg: include_str!("../../../pictures/kendama.svg"), words: &["kendama", "けん玉"] },
    Kind {
        svg: include_str!("../../../pictures/keyboard.svg"),
        words: &["keyboard", "piano", "synthesizer", "synthesiser", "ピアノ", "キーボード"],
    },
    Kind { svg: include_str!("../../../pictures/marble-run.svg"), words: &["marble run", "marble track"] },
    Kind {
        svg: include_str!("../../../pictures/notebook.svg"),
        words: &["notebook", "journal", "sketchbook", "notepad", "stationery", "ノート", "手帳"],
    },
    Kind {
        svg: include_str!("../../../pictures/pencils.svg"),
        words: &["pencil", "pencil set", "coloured pencil", "colored pencil", "crayon", "色鉛筆", "鉛筆"],
    },
    Kind {
        svg: include_str!("../../../pictures/planner.svg"),
        words: &["planner", "calendar", "diary", "organiser", "カレンダー", "スケジュール帳"],
    },
    Kind {
        svg: include_str!("../../../pictures/puzzle.svg"),
        words: &["puzzle", "jigsaw", "jigsaw puzzle", "パズル"],
    },
    Kind {
        svg: include_str!("../../../pictures/resistance-bands.svg"),
        words: &["resistance band", "exercise band", "fitness band"],
    },
    Kind {
        svg: include_str!("../../../pictures/rollerball.svg"),
        words: &["rollerball", "pen", "ballpoint", "ballpoint pen", "gel pen", "ボールペン"],
    },
    Kind {
        svg: include_str!("../../../pictures/shakuhachi.svg"),
        words: &["shakuhachi", "flute", "recorder flute", "尺八", "フルート"],
    },
    Kind { svg: include_str!("../../../pictures/shamisen.svg"), words: &["shamisen", "三味線"] },
    Kind { svg: include_str!("../../../pictures/shogi.svg"), words: &["shogi", "将棋"] },
    Kind { svg: include_str!("../../../pictures/sleeping-bag.svg"), words: &["sleeping bag", "寝袋"] },
    Kind {
        svg: include_str!("../../../pictures/sleeping-mat.svg"),
        words: &["sleeping mat", "sleeping pad", "camping mat", "air mattress"],
    },
    Kind { svg: include_str!("../../../pictures/tarp.svg"), words: &["tarp", "tarpaulin", "タープ"] },
    Kind { svg: include_str!("../../../pictures/tent.svg"), words: &["tent", "camping", "テント"] },
    Kind {
        svg: include_str!("../../../pictures/toy-car.svg"),
        words: &["toy car", "model car", "toy truck", "race car", "ミニカー"],
    },
    Kind {
        svg: include_str!("../../../pictures/train.svg"),
        words: &["train", "train set", "toy train", "locomotive"],
    },
    Kind { svg: include_str!("../../../pictures/ukulele.svg"), words: &["ukulele", "ウクレレ"] },
    Kind {
        svg: include_str!("../../../pictures/yoga-mat.svg"),
        words: &["yoga mat", "exercise mat", "fitness mat", "gym mat", "yoga", "ヨガマット"],
    },
];
