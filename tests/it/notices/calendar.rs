//! The entry in the leader's calendar through the life of a commitment: one UID, a SEQUENCE that rises, and never an
//! entry for what is over or somebody else's.

use advis::domain::window::Window;
use chrono::Days;

use super::{TODAY, World, clock, day, stamp};
use crate::compose::calendar::{Seen, entries};

impl World {
    /// The entries in all mails to that person, in the order of the outbox.
    async fn calendar(&self, who: &str) -> Vec<Seen> {
        let mails =
            self.strings("SELECT CAST(mime AS TEXT) FROM message_bytes ORDER BY message").await;
        let to = format!("<{who}@kommune.example>");
        let theirs = mails.iter().filter(|mail| mail.contains(&to));
        theirs.flat_map(|mail| entries(mail.as_bytes())).collect()
    }
}

/// Method and day of each.
fn told(entries: &[Seen]) -> Vec<(&str, String)> {
    entries.iter().map(|one| (one.method.as_str(), one.day.to_string())).collect()
}

#[tokio::test]
async fn an_entry_is_moved_and_taken_out_under_one_uid_with_a_rising_sequence() {
    let world = World::new().await;
    world.promise("A", &["nora", "sune"], &[6]).await;
    let store = &world.store;
    // 30 days before the deadline, a Friday.
    let first = "2027-05-28";
    world.desk(&clock(first)).post().await.unwrap();
    let july = Window::day(day("2027-07-30"));
    world.make(first, store.postpone("A", july, None, "Tal mangler", &stamp(first))).await;
    world.make("2027-05-31", store.done(&["A"], false, &stamp("2027-05-31"))).await;
    world.make("2027-06-01", store.reopen(&["A"], &stamp("2027-06-01"))).await;
    world.desk(&clock("2027-06-30")).post().await.unwrap();
    world.make("2027-07-01", store.cancel(&["A"], &stamp("2027-07-01"))).await;

    let seen = world.calendar("nora").await;
    let expected = [
        ("PUBLISH", "2027-06-28"),
        ("PUBLISH", "2027-07-30"),
        ("CANCEL", "2027-07-30"),
        ("PUBLISH", "2027-07-30"),
        ("CANCEL", "2027-07-30"),
    ];
    assert_eq!(told(&seen), expected.map(|(method, day)| (method, day.to_owned())));
    assert!(seen.iter().all(|one| one.uid == seen[0].uid), "{seen:#?}");
    assert!(seen.is_sorted_by(|one, next| one.sequence < next.sequence), "{seen:#?}");
}

#[tokio::test]
async fn each_window_has_an_entry_of_its_own_and_done_takes_out_what_is_done() {
    let world = World::new().await;
    world.promise("A", &["nora", "sune"], &[6, 9]).await;
    let now = &stamp(TODAY);
    world.make(TODAY, world.store.done(&["A"], false, now)).await;
    world.make(TODAY, world.store.done(&["A"], false, now)).await;
    world.promise("B", &["nora", "sune"], &[6, 9]).await;
    world.make(TODAY, world.store.done(&["B"], true, now)).await;
    let seen = world.calendar("nora").await;
    let days = ["2027-06-28", "2027-09-28", "2027-06-28", "2027-09-28"];
    assert_eq!(told(&seen), days.map(|day| ("CANCEL", day.to_owned())));
    let mut uids: Vec<&str> = seen.iter().map(|one| one.uid.as_str()).collect();
    uids.sort_unstable();
    uids.dedup();
    assert_eq!(uids.len(), 4);
}

#[tokio::test]
async fn a_hand_over_moves_the_entry_from_one_calendar_to_the_other() {
    let world = World::new().await;
    world.promise("A", &["nora"], &[6]).await;
    world.make(TODAY, world.store.assign("A", &["sune"], &stamp(TODAY))).await;
    world.make(TODAY, world.store.assign("A", &["nora"], &stamp(TODAY))).await;
    let (nora, sune) = (world.calendar("nora").await, world.calendar("sune").await);
    let due = "2027-06-28".to_owned();
    assert_eq!(told(&sune), [("PUBLISH", due.clone()), ("CANCEL", due.clone())]);
    assert_eq!(told(&nora), [("CANCEL", due.clone()), ("PUBLISH", due)]);
    assert_eq!(nora[0].uid, sune[0].uid);
    for seen in [nora, sune] {
        assert!(seen[0].sequence < seen[1].sequence, "{seen:#?}");
    }
}

#[tokio::test]
async fn a_deadline_that_is_open_ended_now_has_no_entry_any_more() {
    let world = World::new().await;
    world.promise("A", &["nora"], &[6]).await;
    let open = Window::from(day(TODAY) + Days::new(30));
    world.make(TODAY, world.store.postpone("A", open, None, "", &stamp(TODAY))).await;
    let seen = world.calendar("nora").await;
    assert_eq!(told(&seen), [("CANCEL", "2027-06-28".to_owned())]);
}
