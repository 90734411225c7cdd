//! HTML in the texts of products.

use serde_json::json;

use super::{Index, IndexLocation, OpenSearchAlias, TantivyFolder, named, product, search_for};
use crate::support::on_each;

async fn markup_is_no_word(index: &Index) {
    let html = concat!(
        r#"<p class="leather">For a phone</p><table><tr><td>Width</td><td>7 cm</td></tr></table>"#,
        "<!-- comment --><script>if (a < b) { scripted() }</script><style>p { color: purple }</style>",
        r#"<svg><title>Drawn</title></svg><template>Later</template><button>Order</button>Size < 5 <img src="shortened.jpg"#
    );
    index
        .add([named("oak", "Oak table"), product("case", json!({"name": "Phone case", "description": html}))])
        .await;
    for (words, found) in [
        ("table", &["oak"][..]),
        ("class", &[]),
        ("leather", &[]),
        ("comment", &[]),
        ("scripted", &[]),
        ("purple", &[]),
        ("drawn", &[]),
        ("later", &[]),
        ("shortened", &[]),
        ("order size", &["case"]),
        ("width", &["case"]),
        ("phone 7 cm", &["case"]),
    ] {
        assert_eq!(index.words(words).await, found, "{words}");
    }
}

async fn character_references_are_decoded(index: &Index) {
    let fields = json!({
        "name": "Caf&eacute; mug", "brand": "Hearth &amp; Home", "category": "Tea &amp; coffee > Mugs", "tags": ["d&eacute;cor"],
        "attributes": {"made": "S&atilde;o Paulo"}, "description": "AT&T &#8212; 5 < 6",
    });
    index.add([product("mug", fields)]).await;
    for words in ["café mug", "hearth home", "coffee", "decor", "sao paulo", "at&t"] {
        assert_eq!(index.words(words).await, ["mug"], "{words}");
    }
    for words in ["eacute", "amp", "8212"] {
        assert!(index.words(words).await.is_empty(), "{words}");
    }
}

async fn highlights_and_snippets_show_no_markup(index: &Index) {
    let long = "<li>filler &amp; more</li>".repeat(60);
    let description =
        format!("<ul>{long}</ul><p>The <b>desk</b> lamp<br>for <i>home</i> &amp; office</p><ul>{long}</ul>");
    let fields =
        json!({"name": "<b>Desk</b> lamp", "tags": ["a<b", "<i>lamp</i>"], "description": description});
    index.add([product("a", fields)]).await;
    let highlights = index.answer(&search_for("desk lamp")).await.hits.remove(0).highlights;
    assert_eq!(highlights["name"], "<em>Desk</em> <em>lamp</em>");
    assert_eq!(highlights["tags"], "a&lt;b, <em>lamp</em>");
    let snippet = &highlights["description"];
    assert!(snippet.contains("The <em>desk</em> <em>lamp</em>\nfor home &amp; office"), "{snippet}");
    assert!(!snippet.contains("&lt;") && !snippet.contains("amp;amp"), "{snippet}");
}

on_each! {
    {
        tantivy: TantivyFolder::new().await;
        opensearch: OpenSearchAlias::new().await;
    }
    {
        |location| (&Index::open(&location).await) [
            markup_is_no_word,
            character_references_are_decoded,
            highlights_and_snippets_show_no_markup,
        ]
    }
}
