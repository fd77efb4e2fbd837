//! What nobody may get out of the pages: acts without a form, with a wrong link, from elsewhere, or twice.

use std::time::Duration;

use advis::link::Purpose;
use advis::web::{Limits, Pace};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use super::site::{NEW_KEY, OLD_KEY, ORIGIN, Site, TODAY, at, body, encode, later, sign};

const ONE_SECOND: Duration = Duration::from_secs(1);

/// Every page of a link.
const PAGES: [&str; 9] =
    ["", "/receipt", "/done", "/snooze", "/propose", "/hand-over", "/not-mine", "/undo", "/renew"];

#[tokio::test]
async fn a_thousand_looks_change_nothing() {
    let site = Site::new().await;
    site.promise("A", &["nora"]).await;
    site.promise("B", &["nora", "sune"]).await;
    site.sql("INSERT INTO windows (commitment, number, opens, due) VALUES ('A', 2, '2027-06-01', '2027-06-30')").await;
    site.submit(&format!("{}/done", site.link("B", "nora")), &[]).await;
    let before = site.dump().await;
    let links = [site.link("A", "nora"), site.link("B", "nora"), site.link("B", "sune")];
    for count in 0..1_000 {
        let path = format!("{}{}", links[count % links.len()], PAGES[count % PAGES.len()]);
        let method = if count % 2 == 0 { "GET" } else { "HEAD" };
        let got = site.request(method, &path, &[], "").await;
        assert_eq!(got.status, 200, "{path}");
        assert_eq!(got.body.is_empty(), method == "HEAD", "{path}");
    }
    assert!(site.dump().await == before, "looking changed the store");
}

#[tokio::test]
async fn links_that_are_not_good_are_told_kindly_and_open_nothing() {
    let site = Site::new().await;
    site.promise("A", &["nora"]).await;
    let good = site.token("A", "nora");
    let future = "2027-02-16T00:00:00Z";
    let expired = sign(OLD_KEY, "A", "nora", Purpose::Task, "2026-11-18T07:00:00Z");
    let unknown = sign(NEW_KEY, "A", "nora", Purpose::Task, future);
    let other_purpose = sign(OLD_KEY, "A", "nora", Purpose::Done, future);
    let forged = format!("{}x", &good[..good.len() - 1]);
    let before = site.dump().await;
    for (token, status, words) in [
        (expired, 410, "Linket er udløbet"),
        (unknown, 404, "Linket virker ikke"),
        (other_purpose, 404, "Linket virker ikke"),
        (forged, 404, "Linket virker ikke"),
        ("x".to_owned(), 404, "Linket virker ikke"),
        ("%FF%00".to_owned(), 400, ""),
        (site.token("A", "kaj"), 403, "Linket gælder ikke længere for dig"),
        (site.token("A", "nobody"), 403, "Linket gælder ikke længere for dig"),
        (site.token("GONE", "nora"), 410, "Opgaven findes ikke længere"),
    ] {
        for page in PAGES {
            let got = site.get(&format!("/t/{token}{page}")).await;
            assert_eq!(got.status, status, "{token}{page}");
            got.says(&[words]);
            assert!(!got.text().contains("dagcentrene"), "{}", got.text());
        }
        let posted = site.post(&format!("/t/{token}/done"), &encode(&good, &[])).await;
        assert_eq!(posted.status, status, "{token}");
    }
    // Somebody else's link shows how it stands, and has no forms.
    let page = site.get(&site.link("A", "sune")).await;
    page.says(&["Du står ikke længere som ansvarlig for opgaven."]);
    assert!(!page.body.contains("<form"), "{}", page.body);
    for path in ["/", "/favicon.ico", "/t/", "/t", "/t/x/y/z", "/robots.txt"] {
        assert_eq!(site.get(path).await.status, 404, "{path}");
    }
    assert!(site.dump().await == before);
}

#[tokio::test]
async fn only_a_form_of_ours_acts_and_only_for_what_it_shows() {
    let site = Site::new().await;
    site.promise("A", &["nora"]).await;
    site.promise("B", &["nora"]).await;
    let (link, done) = (site.link("A", "nora"), format!("{}/done", site.link("A", "nora")));
    let form = |page: &str| format!("{}{page}", site.link("A", "nora"));
    let of_done = site.get(&form("/done")).await.form_for("done");
    let of_snooze = site.get(&form("/snooze")).await.form_for("snooze");
    let of_b = site.get(&format!("{}/done", site.link("B", "nora"))).await.form_for("done");
    let before = site.dump().await;
    let mut changed = of_done.clone();
    changed.replace_range(changed.len() - 4.., "AAAA");
    for token in ["", "x", &site.token("A", "nora"), &of_snooze, &of_b, &changed] {
        let got = site.post(&done, &encode(token, &[])).await;
        assert_eq!(got.status, 403, "{token}");
        got.says(&["Der er ikke sket noget"]);
    }
    assert_eq!(site.post(&format!("{link}/shred"), &encode(&of_done, &[])).await.status, 404);
    for method in ["PUT", "DELETE", "PATCH", "OPTIONS"] {
        assert_eq!(site.request(method, &done, &[], "").await.status, 405, "{method}");
    }
    site.renew(OLD_KEY, later(TODAY, 24 * 60 * 60));
    assert_eq!(site.post(&done, &encode(&of_done, &[])).await.status, 403, "open for a day");
    assert!(site.dump().await == before);
    site.renew(OLD_KEY, later(TODAY, 24 * 60 * 60 - 1));
    assert_eq!(site.post(&done, &encode(&of_done, &[])).await.status, 303);
}

#[tokio::test]
async fn a_form_from_another_site_is_refused() {
    let site = Site::new().await;
    site.promise("A", &["nora"]).await;
    let done = format!("{}/done", site.link("A", "nora"));
    let posted = body(&site.get(&done).await, &[]);
    let before = site.dump().await;
    for headers in [
        &[("origin", "https://other.example")][..],
        &[("origin", "http://advis.kommune.example")][..],
        &[("origin", "null"), ("sec-fetch-site", "cross-site")][..],
        &[("origin", ORIGIN), ("sec-fetch-site", "same-site")][..],
        &[("sec-fetch-site", "none")][..],
    ] {
        let got = site.request("POST", &done, headers, &posted).await;
        assert_eq!(got.status, 403, "{headers:?}");
        got.says(&["Svaret kom ikke fra vores egen side."]);
    }
    assert!(site.dump().await == before);
    let ours = [("origin", ORIGIN), ("sec-fetch-site", "same-origin")];
    assert_eq!(site.request("POST", &done, &ours, &posted).await.status, 303);
}

#[tokio::test]
async fn what_is_sent_twice_happens_once() {
    let site = Site::new().await;
    site.promise("A", &["nora", "sune"]).await;
    site.sql("INSERT INTO windows (commitment, number, opens, due) VALUES ('A', 2, '2027-06-01', '2027-06-30')").await;
    let link = site.link("A", "nora");
    let done = format!("{link}/done");
    let posted = body(&site.get(&done).await, &[]);
    let both = tokio::join!(site.post(&done, &posted), site.post(&done, &posted));
    assert_eq!((both.0.status, both.1.status), (303, 303));
    let late = site.post(&done, &posted).await;
    let receipt = site.follow(late).await;
    receipt.says(&["Tak. Fristen er markeret som udført"]);
    assert_eq!(
        site.strings("SELECT number || '' FROM windows WHERE closed_on IS NOT NULL").await,
        ["1"]
    );
    assert_eq!(site.notices().await, ["nora A receipt", "sune A done"]);

    let undo = body(&receipt, &[]);
    for _ in 0..2 {
        let got = site.post(&format!("{link}/undo"), &undo).await;
        site.follow(got).await.says(&["Opgaven er åben igen"]);
    }
    // An old form does not act on what was opened again meanwhile and looks the same, but is the same task.
    let snooze = format!("{link}/snooze");
    let posted = body(&site.get(&snooze).await, &[("until", "week")]);
    for _ in 0..3 {
        let got = site.post(&snooze, &posted).await;
        site.follow(got).await.says(&["Tak. Påmindelserne venter"]);
    }
    assert_eq!(
        site.events().await,
        ["nora (page) done", "nora (page) reopened", "nora (page) snoozed"]
    );
}

#[tokio::test]
async fn every_answer_keeps_to_itself() {
    let site = Site::new().await;
    site.promise("A", &["nora"]).await;
    let link = site.link("A", "nora");
    let done = format!("{link}/done");
    let posted = body(&site.get(&done).await, &[]);
    let answers = [
        site.get(&link).await,
        site.get("/nowhere").await,
        site.get(&done).await,
        site.request("PUT", &done, &[], "").await,
        site.post(&done, "form=x").await,
        site.post(&done, &posted).await,
        site.request("POST", &done, &[("origin", "https://other.example")], "").await,
    ];
    for got in answers {
        let header = |name: &str| got.headers.get(name).map(String::as_str);
        let policy = header("content-security-policy").unwrap();
        for part in [
            "default-src 'none'",
            "style-src 'sha256-",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ] {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains("script"), "{policy}");
        for (name, value) in [
            ("referrer-policy", "no-referrer"),
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("x-robots-tag", "noindex, nofollow"),
        ] {
            assert_eq!(header(name), Some(value), "{}: {:?}", got.status, got.headers);
        }
        assert_eq!(header("set-cookie"), None);
        for foreign in
            ["<script", "http://", "https://", "src=", "@import", "url(", " style=", " onclick"]
        {
            assert!(!got.body.contains(foreign), "{foreign}: {}", got.body);
        }
    }
}

#[tokio::test]
async fn the_policy_names_the_stylesheet_that_is_on_the_page() {
    use sha2::{Digest, Sha256};

    let site = Site::new().await;
    let got = site.get("/nowhere").await;
    let (_, rest) = got.body.split_once("<style>").unwrap();
    let (style, _) = rest.split_once("</style>").unwrap();
    let hash = data_encoding::BASE64.encode(&Sha256::digest(style));
    assert!(got.headers["content-security-policy"].contains(&format!("'sha256-{hash}'")));
}

#[tokio::test]
async fn a_new_key_signs_the_forms_and_the_links_of_the_old_one_still_work() {
    let site = Site::new().await;
    site.promise("A", &["nora"]).await;
    let done = format!("{}/done", site.link("A", "nora"));
    site.renew(&format!("{NEW_KEY}\n{OLD_KEY}\n"), at(TODAY));
    let form = site.get(&done).await;
    assert!(form.form_for("done").starts_with("2027."));
    site.renew(NEW_KEY, at(TODAY));
    assert_eq!(site.get(&done).await.status, 404, "the old key is gone");
    site.renew(&format!("{NEW_KEY}\n{OLD_KEY}\n"), at(TODAY));
    assert_eq!(site.post(&done, &body(&form, &[])).await.status, 303);
}

#[tokio::test]
async fn who_asks_without_end_is_held_back_and_may_ask_again_later() {
    let (link, peer) = (Pace { burst: 3.0, per_second: 1.0 }, Pace { burst: 8.0, per_second: 1.0 });
    let site = Site::with(Limits { link, peer, ..Limits::default() }).await;
    site.promise("A", &["nora"]).await;
    let page = site.link("A", "nora");
    for _ in 0..3 {
        assert_eq!(site.get(&page).await.status, 200);
    }
    let held = site.get(&page).await;
    assert_eq!((held.status, held.headers["retry-after"].as_str()), (429, "30"));
    held.says(&["Vent et øjeblik"]);
    for _ in 0..4 {
        site.get("/t/guess").await;
    }
    assert_eq!(site.get("/t/another").await.status, 429, "the machine, whatever the link");
    let elsewhere = [("x-forwarded-for", "192.0.2.9")];
    assert_eq!(site.request("GET", "/t/another", &elsewhere, "").await.status, 404);
    site.renew(OLD_KEY, later(TODAY, 10));
    assert_eq!(site.get(&page).await.status, 200);
}

#[tokio::test]
async fn what_is_too_long_is_not_read() {
    let site = Site::new().await;
    site.promise("A", &["nora"]).await;
    let done = format!("{}/done", site.link("A", "nora"));
    let got = site.post(&done, &encode("x", &[("remark", &"a".repeat(20_000))])).await;
    assert_eq!(got.status, 413);
    got.says(&["Teksten er for lang"]);
    assert_eq!(site.get(&format!("/t/{}", "a".repeat(5_000))).await.status, 404);
}

/// Somebody who connects and says nothing.
async fn silent(site: &Site) -> TcpStream {
    TcpStream::connect(site.address).await.unwrap()
}

#[tokio::test]
async fn who_says_nothing_holds_a_place_only_so_long() {
    let limits = Limits { connections: 2, connection_life: ONE_SECOND, ..Limits::default() };
    let site = Site::with(limits).await;
    let mut guests = [silent(&site).await, silent(&site).await];
    // Both places are taken; the page comes all the same, once a silent guest is shown out.
    assert_eq!(site.get("/nowhere").await.status, 404);
    for guest in &mut guests {
        assert_eq!(guest.read(&mut [0; 1]).await.unwrap_or(0), 0, "shown out without a word");
    }
}
