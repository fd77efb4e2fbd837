//! The same book as a store, sheets and a config have it.

use std::fmt::Write;

use chrono::NaiveDate;

use super::product::their_status;
use super::world::{Commitment, Rules, World};

/// A literal of SQL.
fn text(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

fn day(value: Option<NaiveDate>) -> String {
    value.map_or_else(|| "NULL".to_owned(), |day| text(&day.to_string()))
}

fn some_text(value: Option<&String>) -> String {
    value.map_or_else(|| "NULL".to_owned(), |value| text(value))
}

impl World {
    /// Statements that write the whole book into an empty store, as if Advis had read it long ago.
    pub(crate) fn sql(&self) -> String {
        let mut sql = "BEGIN;\n".to_owned();
        for (reference, leader) in &self.leaders {
            let (active, absent) = (leader.active, leader.absent.unwrap_or_default());
            writeln!(
                sql,
                "INSERT INTO leaders (reference, name, email, manager, deputy,
                    active_from, active_to, absent_from, absent_to)
                 VALUES ({}, {}, {}, {}, {}, {}, {}, {}, {});",
                text(reference),
                text(&leader.name),
                text(leader.address.as_deref().unwrap_or("")),
                some_text(leader.manager.as_ref()),
                some_text(leader.deputy.as_ref()),
                day(active.0),
                day(active.1),
                day(absent.0),
                day(absent.1),
            )
            .unwrap();
        }
        for (reference, commitment) in &self.commitments {
            sql += &commitment_sql(reference, commitment);
        }
        sql + &self.births_sql() + "COMMIT;\n"
    }

    /// Every step of every kind with its birthday, so that none is taken for a new one.
    fn births_sql(&self) -> String {
        let mut sql = String::new();
        let own = self.rules.keys().map(String::as_str).filter(|kind| *kind != "default");
        let mut kinds: Vec<&str> = own.chain(advis::domain::rule::STANDARD_KINDS).collect();
        kinds.sort_unstable();
        kinds.dedup();
        for kind in kinds {
            for (step, days) in self.rules_of(kind).steps() {
                let since = self.births.get(&(kind.to_owned(), step.clone(), days)).copied();
                writeln!(
                    sql,
                    "INSERT INTO rule_steps VALUES ({}, {}, {days}, {});",
                    text(kind),
                    text(&step),
                    day(since),
                )
                .unwrap();
            }
        }
        sql
    }

    /// The sheet of leaders.
    pub(crate) fn leaders_csv(&self) -> String {
        let mut csv = "reference,name,email,manager,deputy,active_from,active_to,\
                       absent_from,absent_to\n"
            .to_owned();
        for (reference, leader) in &self.leaders {
            let plain =
                |day: Option<NaiveDate>| day.map_or_else(String::new, |day| day.to_string());
            let absent = leader.absent.unwrap_or_default();
            let cells = [
                reference.clone(),
                leader.name.clone(),
                leader.address.clone().unwrap_or_default(),
                leader.manager.clone().unwrap_or_default(),
                leader.deputy.clone().unwrap_or_default(),
                plain(leader.active.0),
                plain(leader.active.1),
                plain(absent.0),
                plain(absent.1),
            ];
            writeln!(csv, "{}", cells.join(",")).unwrap();
        }
        csv
    }

    /// The sheet of commitments, as far as a sheet can tell: what people did in Advis is not in it.
    pub(crate) fn commitments_csv(&self) -> String {
        let mut csv = "reference,title,kind,deadline,responsible,status,adopted_on\n".to_owned();
        for (reference, commitment) in &self.commitments {
            let deadline: Vec<String> = (commitment.windows.iter())
                .map(|window| match window.due {
                    Some(due) if due == window.opens => due.to_string(),
                    Some(due) => format!("{} til {due}", window.opens),
                    None => format!("fra {}", window.opens),
                })
                .collect();
            let people: Vec<&str> =
                commitment.responsible.iter().map(|one| one.leader.as_str()).collect();
            writeln!(
                csv,
                "{reference},Opgave {reference},{},{},{},{},{}",
                commitment.kind,
                deadline.join(" og "),
                people.join(";"),
                their_status(commitment.status).name(),
                commitment.adoption,
            )
            .unwrap();
        }
        csv
    }

    /// The config: schedule, days off, rules.
    pub(crate) fn toml(&self) -> String {
        let mut toml = format!(
            "[calendar]\ndays_off = {:?}\n[schedule]\nreminders = {:?}\n[mail]\nsecretariat = {:?}\n",
            self.days_off(),
            self.cron(),
            self.secretariat,
        );
        for (kind, rules) in &self.rules {
            toml += &format!("[rules.{kind}]\n{}", rules_toml(rules));
        }
        toml
    }
}

fn rules_toml(rules: &Rules) -> String {
    let overdue = rules.overdue.map(|(first, every, at_most)| {
        format!("{{ first = {first}, every = {every}, at_most = {at_most} }}")
    });
    let keys = [
        ("before", rules.before.as_ref().map(|days| format!("{days:?}"))),
        ("opens", rules.opens.map(|opens| opens.to_string())),
        ("due", rules.due.map(|due| due.to_string())),
        ("overdue", overdue),
        ("escalate", rules.escalate.as_ref().map(|days| format!("{days:?}"))),
    ];
    let keys = keys.into_iter().filter_map(|(key, value)| Some(format!("{key} = {}\n", value?)));
    keys.collect()
}

fn commitment_sql(reference: &str, commitment: &Commitment) -> String {
    let (name, adoption) = (text(reference), day(Some(commitment.adoption)));
    let mut sql = format!(
        "INSERT INTO commitments (reference, title, kind, status, revision,
            adopted_on, written_on, entered_on, reference_date)
         VALUES ({name}, {}, {}, {}, {}, {adoption}, {adoption}, {adoption}, {adoption});\n",
        text(&format!("Opgave {reference}")),
        text(&commitment.kind),
        text(their_status(commitment.status).name()),
        commitment.revision,
    );
    let revision = commitment.revision;
    for window in &commitment.windows {
        let closed_as = if window.closed_on.is_some() { "'done'" } else { "NULL" };
        writeln!(
            sql,
            "INSERT INTO windows VALUES ({name}, {revision}, {}, {}, {}, {}, {}, {closed_as});",
            window.number,
            day(Some(window.opens)),
            day(window.due),
            day(window.made_on),
            day(window.closed_on),
        )
        .unwrap();
    }
    for (position, one) in (1..).zip(&commitment.responsible) {
        let leader = text(&one.leader);
        writeln!(
            sql,
            "INSERT INTO responsibilities VALUES ({name}, {leader}, {position}, {}, {});",
            day(one.since),
            day(one.until),
        )
        .unwrap();
        for snooze in &one.snoozes {
            writeln!(
                sql,
                "INSERT INTO snoozes VALUES ({name}, {revision}, {}, {leader}, {}, {});",
                snooze.window,
                day(Some(snooze.until)),
                day(Some(snooze.made_on)),
            )
            .unwrap();
        }
    }
    sql
}
