//! A mail that did not arrive: the secretariat is told at once, once of an address, and never of a mail to itself.

use super::{TODAY, World, clock, stamp};

impl World {
    /// The server answers the first attempt at each message that is ready, to these people, as it likes.
    async fn answer(&self, day: &str, who: &[&str], state: &str, reply: &str) {
        for who in who {
            self.sql(&format!(
                "INSERT INTO attempts (message, attempt, at, state, stage, code, reply)
                 SELECT id, 1, '{day}T07:00:00Z', '{state}', 'rcpt', 550, '{reply}' FROM messages
                  WHERE state = 'ready' AND address_key = '{who}@kommune.example';
                 UPDATE messages SET state = '{state}'
                  WHERE state = 'ready' AND address_key = '{who}@kommune.example';"
            ))
            .await;
        }
    }

    /// What the secretariat is told of mails that did not arrive.
    async fn failures(&self) -> Vec<String> {
        self.strings(
            "SELECT day || ' ' || items FROM messages
              WHERE purpose = 'notice' AND address_key = 'sek@kommune.example' ORDER BY id",
        )
        .await
    }
}

/// 30 days before the deadline, and two weeks: both Fridays; and after it.
const DAYS: [&str; 3] = ["2027-05-28", "2027-06-11", "2027-07-30"];

#[tokio::test]
async fn the_secretariat_hears_at_once_what_did_not_arrive_and_what_to_do() {
    let world = World::new().await;
    world.promise("A", &["nora"], &[6]).await;
    world.promise("B", &["nora"], &[6]).await;
    world.desk(&clock(DAYS[0])).post().await.unwrap();
    world.answer(DAYS[0], &["nora"], "rejected", "5.1.1 ukendt modtager").await;
    assert_eq!(world.pass(DAYS[0], false).await.tally.sent, 1);
    let text = world.text_of("sek", "Mailen til Nora Nord kom ikke frem").await;
    for part in [
        "En mail til Nora Nord (nora@kommune.example) om 2 opgaver kom ikke frem",
        "ret den i lederlisten",
        "advis resend 1.",
        "Mailserverens svar: 5.1.1 ukendt modtager",
        "Løfte A\nFrist om 31 dage: mandag den 28. juni 2027\nReference: A",
        "Løfte B",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    assert_eq!(world.pass(DAYS[0], false).await.tally.sent, 0, "once");
}

#[tokio::test]
async fn of_one_address_it_hears_once_and_again_after_a_month() {
    let world = World::new().await;
    world.promise("A", &["nora", "sune"], &[6]).await;
    for day in DAYS {
        world.desk(&clock(day)).post().await.unwrap();
        world.answer(day, &["nora"], "rejected", "nej").await;
        world.pass(day, false).await;
    }
    let told = [r#"2027-05-28 [["A","undelivered"]]"#, r#"2027-07-30 [["A","undelivered"]]"#];
    assert_eq!(world.failures().await, told);
}

#[tokio::test]
async fn it_hears_nothing_of_mails_to_itself_nor_of_what_arrived_in_the_end() {
    let world = World::new().await;
    world.promise("A", &["rolf"], &[6]).await;
    world.promise("B", &["nora"], &[6]).await;
    world.desk(&clock(DAYS[0])).post().await.unwrap();
    world.answer(DAYS[0], &["sek"], "rejected", "nej").await;
    world.answer(DAYS[0], &["nora"], "expired", "nej").await;
    world
        .sql("UPDATE messages SET state = 'accepted', accepted_on = '2027-05-28' WHERE state = 'expired'")
        .await;
    world.pass(DAYS[0], false).await;
    assert_eq!(world.failures().await, [""; 0]);
}

#[tokio::test]
async fn what_is_confidential_stays_so() {
    let world = World::new().await;
    world.promise("A", &["nora"], &[6]).await;
    world.sql("UPDATE commitments SET confidential = 1, title = 'Hemmelig sag'").await;
    world.desk(&clock(DAYS[0])).post().await.unwrap();
    world.answer(DAYS[0], &["nora"], "rejected", "nej").await;
    world.pass(DAYS[0], false).await;
    let text = world.text_of("sek", "Mailen til").await;
    assert!(text.contains("Frist om 31 dage") && !text.contains("Hemmelig"), "{text}");
    // Who has had it sees no more of it either.
    world.make(TODAY, world.store.assign("A", &["sune"], &stamp(TODAY))).await;
    let mails =
        world.strings("SELECT CAST(mime AS TEXT) FROM message_bytes ORDER BY message").await;
    let last = mails.last().unwrap();
    assert!(last.contains("<nora@kommune.example>") && !last.contains("Hemmelig"), "{last}");
}
