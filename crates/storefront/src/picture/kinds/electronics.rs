//! Electronics.

use crate::picture::kind::Kind;

pub(super) const KINDS: &[Kind] = &[
    Kind {
        svg: include_str!("../../../pictures/bluetooth-speaker.svg"),
        words: &[
            "bluetooth speaker",
            "portable speaker",
            "wireless speaker",
            "waterproof speaker",
            "boombox",
        ],
    },
    Kind { svg: include_str!("../../../pictures/camera.svg"), words: &["camera", "camera kit", "カメラ"] },
    Kind {
        svg: include_str!("../../../pictures/earbuds.svg"),
        words: &["earbud", "earphone", "in-ear headphone", "イヤホン", "イヤフォン"],
    },
    Kind {
        svg: include_str!("../../../pictures/headphones.svg"),
        words: &[
            "headphone",
            "headset",
            "on-ear headphone",
            "over-ear headphone",
            "audio",
            "ヘッドホン",
            "ヘッドフォン",
        ],
    },
    Kind {
        svg: include_str!("../../../pictures/laptop.svg"),
        words: &[
            "laptop",
            "business notebook",
            "convertible notebook",
            "gaming notebook",
            "student notebook",
            "ultralight notebook",
            "notebook computer",
            "ultrabook",
            "chromebook",
            "computer",
            "ノートパソコン",
            "パソコン",
        ],
    },
    Kind {
        svg: include_str!("../../../pictures/monitor.svg"),
        words: &["monitor", "computer screen", "モニター"],
    },
    Kind {
        svg: include_str!("../../../pictures/phone.svg"),
        words: &[
            "phone",
            "smartphone",
            "mobile phone",
            "cell phone",
            "telephone",
            "iphone",
            "スマートフォン",
            "スマホ",
            "電話",
        ],
    },
    Kind {
        svg: include_str!("../../../pictures/soundbar.svg"),
        words: &["soundbar", "sound bar", "サウンドバー"],
    },
    Kind {
        svg: include_str!("../../../pictures/speaker.svg"),
        words: &["speaker", "loudspeaker", "bookshelf speaker", "subwoofer", "スピーカー"],
    },
    Kind {
        svg: include_str!("../../../pictures/stereo-pair.svg"),
        words: &["stereo pair", "stereo", "speaker pair"],
    },
    Kind {
        svg: include_str!("../../../pictures/tablet.svg"),
        words: &["tablet", "e-reader", "ipad", "タブレット"],
    },
    Kind {
        svg: include_str!("../../../pictures/television.svg"),
        words: &["television", "tv", "smart tv", "テレビ"],
    },
];
