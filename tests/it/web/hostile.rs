//! Whatever stands in the store is shown as text: it neither runs, nor breaks the page, nor is read as a template.

use super::site::Site;

const HOSTILE: &str = "<script>alert(1)</script> {{ 7 * 7 }} {% raw %} </title></style>\" onload='x' & 👩‍👩‍👧 \u{202e}kcab\u{200f} æøå";

#[tokio::test]
async fn hostile_texts_are_shown_and_do_nothing() {
    let site = Site::new().await;
    site.promise_as("A<b>\"'/../x", HOSTILE, "status", &["nora"]).await;
    site.promise_as("LONG", &"Langtitelutenmellemrum".repeat(23)[..500], "status", &["nora"]).await;
    let quoted = HOSTILE.replace('\'', "''");
    site.sql(&format!(
        "UPDATE leaders SET name = '{quoted}' WHERE reference = 'nora';
         UPDATE commitments SET document = '{quoted}', section = '{quoted}', quote = '{quoted}', phrase = '{quoted}'
          WHERE reference LIKE 'A%';
         INSERT INTO leaders (reference, name, email) VALUES ('x''y', '{quoted}', 'x@kommune.example');
         INSERT INTO responsibilities (commitment, leader, position)
             SELECT reference, 'x''y', 2 FROM commitments WHERE reference LIKE 'A%';"
    ))
    .await;
    let link = site.link("A<b>\"'/../x", "nora");
    let mut pages = vec![site.get(&link).await];
    for form in ["done", "snooze", "propose", "hand-over", "not-mine"] {
        pages.push(site.get(&format!("{link}/{form}")).await);
    }
    pages.push(site.submit(&format!("{link}/done"), &[("remark", HOSTILE)]).await);
    pages.push(site.get(&site.link("A<b>\"'/../x", "x'y")).await);
    for got in &pages {
        assert_eq!(got.status, 200);
        for bad in ["<script", "<b>", "49", "onload='", "\u{202e}", "\u{200f}"] {
            assert!(!got.body.contains(bad), "{bad:?}: {}", got.body);
        }
        for (tag, count) in
            [("</title>", 1), ("</style>", 1), ("<h1", 1), ("</html>", 1), ("<main>", 1)]
        {
            assert_eq!(got.body.matches(tag).count(), count, "{tag}: {}", got.body);
        }
        assert!(got.body.contains("&lt;script&gt;alert(1)&lt;"), "{}", got.body);
        assert!(got.body.contains("{{ 7 * 7 }} {% raw %}"), "{}", got.body);
    }
    let long = site.get(&site.link("LONG", "nora")).await;
    assert_eq!(long.status, 200);
    assert!(long.body.contains("Langtitel"));
}
