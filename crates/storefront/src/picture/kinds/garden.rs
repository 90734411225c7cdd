//! Garden tools and seeds.

use crate::picture::kind::Kind;

pub(super) const KINDS: &[Kind] = &[
    Kind {
        svg: include_str!("../../../pictures/pruning-shears.svg"),
        words: &[
            "pruning shear",
            "secateur",
            "pruner",
            "garden shear",
            "hedge shear",
            "剪定鋏",
            "剪定ばさみ",
        ],
    },
    Kind { svg: include_str!("../../../pictures/rake.svg"), words: &["rake", "熊手"] },
    Kind {
        svg: include_str!("../../../pictures/seeds-basil.svg"),
        words: &["basil seed", "herb seed", "mint seed", "parsley seed", "バジルの種"],
    },
    Kind {
        svg: include_str!("../../../pictures/seeds-lavender.svg"),
        words: &["lavender seed", "ラベンダーの種"],
    },
    Kind {
        svg: include_str!("../../../pictures/seeds-morning-glory.svg"),
        words: &["morning glory", "morning glory seed", "朝顔"],
    },
    Kind { svg: include_str!("../../../pictures/seeds-poppy.svg"), words: &["poppy seed"] },
    Kind {
        svg: include_str!("../../../pictures/seeds-pumpkin.svg"),
        words: &["pumpkin seed", "squash seed", "かぼちゃの種"],
    },
    Kind {
        svg: include_str!("../../../pictures/seeds-radish.svg"),
        words: &["radish seed", "beetroot seed", "大根の種"],
    },
    Kind {
        svg: include_str!("../../../pictures/seeds-shiso.svg"),
        words: &["shiso seed", "perilla seed", "大葉の種", "大葉", "紫蘇"],
    },
    Kind {
        svg: include_str!("../../../pictures/seeds-sunflower.svg"),
        words: &["sunflower seed", "flower seed", "wildflower seed", "seed packet", "ひまわりの種"],
    },
    Kind {
        svg: include_str!("../../../pictures/seeds-tomato.svg"),
        words: &["tomato seed", "garden > seed", "vegetable seed", "トマトの種"],
    },
    Kind {
        svg: include_str!("../../../pictures/sickle.svg"), words: &["sickle", "草刈り鎌", "草刈鎌"]
    },
    Kind {
        svg: include_str!("../../../pictures/spade.svg"),
        words: &["spade", "shovel", "スコップ", "シャベル"],
    },
    Kind {
        svg: include_str!("../../../pictures/trowel.svg"),
        words: &["trowel", "hand tool", "garden tool", "gardening tool"],
    },
    Kind {
        svg: include_str!("../../../pictures/weeding-fork.svg"),
        words: &["weeding fork", "hand fork", "garden fork", "weeder", "cultivator"],
    },
];
