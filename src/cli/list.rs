//! `list`: the book.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{BufWriter, Write};

use chrono::NaiveDate;
use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

use super::ListArgs;
use super::deadline::write_json;
use super::exit::Exit;
use super::restored;
use super::setting::Setting;
use crate::delivery::pass::Facts;
use crate::domain::address::is_unsafe;
use crate::domain::commitment::{Commitment, Status};
use crate::planner::{self, Plan, Skipped, Why};
use crate::store::{RowProblem, Which};

/// What comes next about a commitment.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Next {
    on: NaiveDate,
    step: String,
}

impl std::fmt::Display for Next {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.on, self.step)
    }
}

#[derive(Serialize)]
struct Row<'b> {
    reference: &'b str,
    title: &'b str,
    kind: &'b str,
    opens: Option<NaiveDate>,
    due: Option<NaiveDate>,
    status: &'static str,
    responsible: Vec<&'b str>,
    days_left: Option<i64>,
    next: Option<Next>,
    note: Option<&'b str>,
}

/// Shows the commitments asked for.
pub(super) async fn list(
    setting: &Setting,
    args: &ListArgs,
    out: &mut impl Write,
) -> anyhow::Result<Exit> {
    setting.read_new().await?;
    let today = setting.clock.today();
    let which = if args.all { Which::All } else { Which::Alive };
    let facts = setting.desk().facts(which).await?;
    let notes = setting.store.notes().await?;
    let wanted: Vec<&Commitment> =
        facts.book.iter().filter(|one| is_wanted(one, args, &facts, today)).collect();
    let wanted = || wanted.iter().copied();
    let (plan, skipped) = every_step(wanted(), &facts, today);
    let next = next_steps(&plan, &skipped, &facts, today);
    let rows = wanted().map(|one| {
        let window = one.earliest_open().map(|window| window.window);
        let due = window.and_then(|window| window.due);
        Row {
            reference: &one.reference,
            title: &one.title,
            kind: &one.kind,
            opens: window.map(|window| window.opens),
            due,
            status: one.status.name(),
            responsible: one.responsible.iter().map(|one| one.leader.as_str()).collect(),
            days_left: due.map(|due| (due - today).num_days()),
            next: next.get(one.reference.as_str()).cloned(),
            note: notes.get(&one.reference).map(String::as_str),
        }
    });
    let mut out = BufWriter::new(out);
    if args.json {
        rows.into_iter().try_for_each(|row| write_json(&mut out, &row))?;
    } else {
        write_table(&rows.collect::<Vec<_>>(), &mut out)?;
    }
    out.flush()?;
    warn(&facts.problems)?;
    restored::warn(setting).await?;
    Ok(Exit::Done)
}

fn is_wanted(one: &Commitment, args: &ListArgs, facts: &Facts, today: NaiveDate) -> bool {
    let due = one.earliest_open().and_then(|window| window.window.due);
    let is_overdue = one.status == Status::Open && due.is_some_and(|due| due < today);
    let is_vacant = |leader: &str| facts.people.get(leader).is_none_or(|one| one.is_vacant(today));
    let mut responsible = one.responsible.iter().map(|one| one.leader.as_str());
    let is_alive = matches!(one.status, Status::Open | Status::NeedsDate);
    (args.all || is_alive)
        && (!args.overdue || is_overdue)
        && (!args.needs_date || one.status == Status::NeedsDate)
        && (!args.vacant || one.responsible.is_empty() || responsible.clone().any(is_vacant))
        && args.responsible.as_deref().is_none_or(|leader| responsible.any(|one| one == leader))
}

/// What is due, and every other step.
pub(super) fn every_step<'b>(
    book: impl IntoIterator<Item = &'b Commitment>,
    facts: &Facts,
    today: NaiveDate,
) -> (Plan<'b>, Vec<Skipped<'b>>) {
    let Facts { people, rules, sent, .. } = facts;
    let mut skipped = Vec::new();
    let skip = |one| skipped.push(one);
    let plan = planner::plan_and_explain(book, people, rules, sent, today, skip);
    (plan, skipped)
}

/// The next step of each commitment and its day: what is due goes at the next firing.
pub(super) fn next_steps<'p>(
    plan: &'p Plan<'_>,
    skipped: &[Skipped<'p>],
    facts: &Facts,
    today: NaiveDate,
) -> HashMap<&'p str, Next> {
    let sending = &facts.rules.sending;
    let due = plan.due.iter().filter_map(|one| {
        Some((one.key.commitment.as_str(), sending.on_or_after(today)?, one.key.step))
    });
    let coming = skipped
        .iter()
        .filter_map(|one| Some((one.commitment, sending.on_or_after(comes_on(one)?)?, one.step)));
    let mut next: HashMap<&str, Next> = HashMap::new();
    for (commitment, on, step) in due.chain(coming) {
        let step = step.to_string();
        match next.get_mut(commitment) {
            Some(earliest) if earliest.on <= on => {}
            Some(earliest) => *earliest = Next { on, step },
            None => drop(next.insert(commitment, Next { on, step })),
        }
    }
    next
}

/// The earliest day on which a step that does not go today will go.
fn comes_on(skipped: &Skipped<'_>) -> Option<NaiveDate> {
    match skipped.why {
        Why::NotYet => skipped.moved_on,
        Why::Snoozed(until) => Some(until),
        _ => None,
    }
}

/// A text on one line of a terminal, without what would steer or reorder it.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
        return Cow::Borrowed(text);
    }
    let spaced = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c });
    spaced.filter(|c| !is_unsafe(*c)).collect()
}

/// Names on standard error what the book leaves out.
pub(super) fn warn(problems: &[RowProblem]) -> std::io::Result<()> {
    let mut err = anstream::stderr();
    problems.iter().try_for_each(|RowProblem { reference, what }| {
        writeln!(err, "{}", plain(&format!("advis: {reference} cannot be read in full: {what}")))
    })
}

fn write_table(rows: &[Row<'_>], out: &mut impl Write) -> anyhow::Result<()> {
    if rows.is_empty() {
        writeln!(out, "no commitments")?;
        return Ok(());
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["reference", "due", "days", "next", "responsible", "title"]);
    for row in rows {
        let due = match (row.opens, row.due) {
            (_, Some(due)) => due.to_string(),
            (Some(opens), None) => format!("from {opens}"),
            (None, None) => row.status.to_owned(),
        };
        let days = row.days_left.map(|days| days.to_string()).unwrap_or_default();
        let next = row.next.as_ref().map(ToString::to_string);
        let next = next.or_else(|| row.note.map(str::to_owned)).unwrap_or_default();
        let responsible = row.responsible.join(" ");
        table.add_row([row.reference, &due, &days, &next, &responsible, row.title].map(plain));
    }
    for line in table.lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    let plural = if rows.len() == 1 { "commitment" } else { "commitments" };
    writeln!(out, "{} {plural}", rows.len())?;
    Ok(())
}
