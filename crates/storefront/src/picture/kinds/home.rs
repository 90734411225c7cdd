//! Home, bath and pets.

use crate::picture::kind::Kind;

pub(super) const KINDS: &[Kind] = &[
    Kind {
        svg: include_str!("../../../pictures/bath-salt.svg"),
        words: &["bath salt", "bath bomb", "epsom salt", "入浴剤", "バスソルト"],
    },
    Kind {
        svg: include_str!("../../../pictures/blanket.svg"),
        words: &["blanket", "throw", "quilt", "duvet", "毛布", "ブランケット"],
    },
    Kind {
        svg: include_str!("../../../pictures/body-oil.svg"),
        words: &[
            "body oil",
            "face oil",
            "facial oil",
            "hair oil",
            "massage oil",
            "camellia oil",
            "serum",
            "椿油",
            "ボディオイル",
        ],
    },
    Kind {
        svg: include_str!("../../../pictures/cat-house.svg"),
        words: &["cat house", "cat cave", "猫ちぐら", "猫ハウス"],
    },
    Kind { svg: include_str!("../../../pictures/cat-toy.svg"), words: &["cat toy", "dog toy", "pet toy"] },
    Kind {
        svg: include_str!("../../../pictures/cat-tree.svg"),
        words: &["cat tree", "cat tower", "scratching post", "キャットタワー"],
    },
    Kind {
        svg: include_str!("../../../pictures/chair.svg"),
        words: &["chair", "stool", "furniture", "椅子", "チェア"],
    },
    Kind {
        svg: include_str!("../../../pictures/curtain.svg"),
        words: &["curtain", "drape", "window blind", "カーテン"],
    },
    Kind {
        svg: include_str!("../../../pictures/cushion.svg"),
        words: &["cushion", "cushion cover", "pillow", "pillowcase", "クッション", "枕"],
    },
    Kind {
        svg: include_str!("../../../pictures/desk-lamp.svg"),
        words: &["desk lamp", "desk light", "reading lamp", "reading light", "work lamp", "デスクライト"],
    },
    Kind { svg: include_str!("../../../pictures/dog-bed.svg"), words: &["dog bed", "pet bed", "cat bed"] },
    Kind {
        svg: include_str!("../../../pictures/dog-lead.svg"),
        words: &[
            "dog lead",
            "leash",
            "dog leash",
            "dog collar",
            "chew-proof lead",
            "orthopaedic lead",
            "reflective lead",
            "travel lead",
            "washable lead",
        ],
    },
    Kind {
        svg: include_str!("../../../pictures/face-wash.svg"),
        words: &[
            "face wash",
            "facial wash",
            "cleanser",
            "hand wash",
            "body wash",
            "shower gel",
            "shampoo",
            "conditioner",
            "洗顔",
            "シャンプー",
        ],
    },
    Kind {
        svg: include_str!("../../../pictures/floor-lamp.svg"),
        words: &["floor lamp", "standing lamp", "floor light", "フロアランプ"],
    },
    Kind {
        svg: include_str!("../../../pictures/food-bowl.svg"),
        words: &[
            "food bowl",
            "dog bowl",
            "cat bowl",
            "pet bowl",
            "dog food",
            "cat food",
            "pet food",
            "pet",
            "pet supplies",
        ],
    },
    Kind { svg: include_str!("../../../pictures/furoshiki.svg"), words: &["furoshiki", "風呂敷"] },
    Kind {
        svg: include_str!("../../../pictures/hand-cream.svg"),
        words: &[
            "hand cream",
            "face cream",
            "body cream",
            "moisturiser",
            "moisturizer",
            "lotion",
            "sunscreen",
            "toothpaste",
            "cosmetic",
            "skin care",
            "skincare",
            "skin & bath",
            "beauty",
            "ハンドクリーム",
            "化粧品",
        ],
    },
    Kind {
        svg: include_str!("../../../pictures/harness.svg"),
        words: &["harness", "dog harness", "ハーネス"],
    },
    Kind {
        svg: include_str!("../../../pictures/lantern.svg"),
        words: &["lantern", "camping lantern", "ランタン"],
    },
    Kind { svg: include_str!("../../../pictures/noren.svg"), words: &["noren", "のれん", "暖簾"] },
    Kind {
        svg: include_str!("../../../pictures/paper-lantern.svg"),
        words: &["paper lantern", "andon", "chochin", "行灯", "提灯"],
    },
    Kind {
        svg: include_str!("../../../pictures/pendant.svg"),
        words: &[
            "pendant",
            "pendant lamp",
            "pendant light",
            "ceiling lamp",
            "ceiling light",
            "hanging lamp",
            "chandelier",
        ],
    },
    Kind { svg: include_str!("../../../pictures/soap.svg"), words: &["soap", "石鹸", "石けん"] },
    Kind {
        svg: include_str!("../../../pictures/sofa.svg"),
        words: &["sofa", "couch", "armchair", "loveseat", "settee", "ソファ"],
    },
    Kind {
        svg: include_str!("../../../pictures/table-lamp.svg"),
        words: &["table lamp", "table light", "bedside lamp", "lamp", "lighting", "照明", "ランプ"],
    },
    Kind {
        svg: include_str!("../../../pictures/table.svg"),
        words: &["table", "desk", "dining table", "coffee table", "side table", "テーブル", "机"],
    },
    Kind {
        svg: include_str!("../../../pictures/tablecloth.svg"),
        words: &["tablecloth", "table runner", "テーブルクロス"],
    },
    Kind {
        svg: include_str!("../../../pictures/tenugui.svg"), words: &["tenugui", "手ぬぐい", "手拭い"]
    },
    Kind {
        svg: include_str!("../../../pictures/towel.svg"),
        words: &["towel", "bath towel", "hand towel", "washcloth", "textile", "タオル"],
    },
];
