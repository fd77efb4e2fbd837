//! Whole pages, as they stand in `snapshots/`.

use super::site::{Got, OLD_KEY, Site, body, sign};
use advis::link::Purpose;

/// Who reads which language.
pub(super) const READERS: [(&str, &str); 2] = [("da", "nora"), ("en", "ellen")];

/// Every page, by its name: the whole of what `reader` may come to see.
pub(super) async fn gallery(reader: &str) -> Vec<(&'static str, Got)> {
    let site = Site::new().await;
    for reference in ["NOR-1", "NOR-2", "NOR-3"] {
        site.promise(reference, &[reader, "sune"]).await;
    }
    site.promise_as("NOR-4", "Tredje møde i styregruppen", "meeting", &[reader]).await;
    let mut pages = Vec::new();
    let (link, other) = (site.link("NOR-1", reader), site.link("NOR-2", reader));
    pages.push(("task", site.get(&link).await));
    pages.push(("done_form", site.get(&format!("{link}/done")).await));
    pages.push(("snooze_form", site.get(&format!("{link}/snooze")).await));
    let past = [("until", "date"), ("date", "2026-01-01")];
    pages.push(("hand_over_form", site.get(&format!("{link}/hand-over")).await));
    pages.push(("propose_form", site.get(&format!("{link}/propose")).await));
    pages.push(("not_mine_form", site.get(&format!("{link}/not-mine")).await));
    pages.push(("snooze_wrong", site.submit(&format!("{link}/snooze"), &past).await));
    let done = site.submit(&format!("{link}/done"), &[("remark", "Sendt til udvalget")]).await;
    let undo = body(&done, &[]);
    pages.push(("done_receipt", done));
    pages.push(("undo_form", site.get(&format!("{link}/undo")).await));
    pages.push(("task_done", site.get(&link).await));
    pages.push(("task_done_by_other", site.get(&site.link("NOR-1", "sune")).await));
    let undone = site.post(&format!("{link}/undo"), &undo).await;
    pages.push(("undone_receipt", site.follow(undone).await));
    pages.push((
        "snooze_receipt",
        site.submit(&format!("{other}/snooze"), &[("until", "week")]).await,
    ));
    pages.push(("task_snoozed", site.get(&other).await));
    let wanted = [("deadline", "ultimo maj 2027"), ("reason", "Tallene mangler")];
    pages.push(("propose_receipt", site.submit(&format!("{other}/propose"), &wanted).await));
    pages.push(("task_proposed", site.get(&other).await));
    let not_mine = site.submit(&format!("{other}/not-mine"), &[]).await;
    pages.push(("not_mine_receipt", not_mine));
    let given = site.submit(&format!("{other}/hand-over"), &[("to", "vera")]).await;
    pages.push(("hand_over_receipt", given));
    pages.push(("task_given", site.get(&other).await));
    pages.push(("meeting", site.get(&site.link("NOR-4", reader)).await));
    site.on("2027-04-12");
    let overdue = sign(OLD_KEY, "NOR-3", reader, Purpose::Task, "2027-06-01T00:00:00Z");
    pages.push(("task_overdue", site.get(&format!("/t/{overdue}")).await));
    pages.push(("expired", site.get(&link).await));
    pages.push(("renewed", site.post(&format!("{}/renew", site.link("NOR-3", reader)), "").await));
    pages.push(("not_ours", site.get("/t/x").await));
    pages
}

/// Without what is the same on every page, and with short tokens.
pub(super) fn readable(got: &Got) -> String {
    let (head, rest) = got.body.split_once("<style>").unwrap();
    let (_, rest) = rest.split_once("</style>").unwrap();
    let mut text = format!("{}\n{head}{rest}", got.status).replace('\u{a0}', " ");
    for before in ["/t/", "name=\"form\" value=\""] {
        let pieces: Vec<String> = text
            .split(before)
            .enumerate()
            .map(|(number, piece)| match piece.find(['/', '"']) {
                Some(end) if number > 0 => format!("TOKEN{}", &piece[end..]),
                _ => piece.to_owned(),
            })
            .collect();
        text = pieces.join(before);
    }
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn every_page_reads_as_in_its_golden_file() {
    for (language, reader) in READERS {
        for (name, got) in gallery(reader).await {
            insta::assert_snapshot!(format!("{name}_{language}"), readable(&got));
        }
    }
}
