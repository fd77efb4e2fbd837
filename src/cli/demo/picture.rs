//! The summary of a rehearsal, for a person at a terminal: what went out month by month, which messages to open, what to
//! try next. Pure: text in, text out.
//!
//! Styles are always written; the stream strips them where there is no terminal, so every cell tells its stage by its
//! character as well.

use std::collections::BTreeMap;
use std::iter;

use anstyle::Style;
use chrono::{Datelike, Months, NaiveDate};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::highlights::highlights;
use super::stage::Stage;
use crate::domain::leader::Capacity;
use crate::domain::rule::{Ladder, Step};

/// One message of the rehearsal.
#[derive(Debug, Clone)]
pub(crate) struct SentMail {
    /// The day it was sent.
    pub(crate) on: NaiveDate,
    /// Own reminders, or escalations.
    pub(crate) ladder: Ladder,
    /// Name of the reader.
    pub(crate) name: String,
    /// Address of the reader.
    pub(crate) to: String,
    /// Subject, decoded.
    pub(crate) subject: String,
    /// The step of each item.
    pub(crate) steps: Vec<Step>,
    /// Why the reader gets each of them; several for an item about several leaders.
    pub(crate) capacities: Vec<Capacity>,
    /// Path of the .eml file, as a person would type it.
    pub(crate) file: String,
}

/// A rehearsal that has been played through.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Story<'a> {
    /// The fresh folder.
    pub(crate) dir: &'a str,
    /// First day.
    pub(crate) from: NaiveDate,
    /// Last day.
    pub(crate) to: NaiveDate,
    /// Leaders imported.
    pub(crate) leaders: usize,
    /// Commitments imported.
    pub(crate) commitments: usize,
    /// Sending days simulated.
    pub(crate) days: usize,
    /// Messages, in the order of sending.
    pub(crate) sent: &'a [SentMail],
    /// Commitments still open on the last day.
    pub(crate) still_open: usize,
    /// Of these, past their deadline.
    pub(crate) overdue: usize,
    /// Commitments that wait for a person to give or confirm a date.
    pub(crate) needs_date: usize,
    /// Wall time the rehearsal took, in seconds.
    pub(crate) seconds: f64,
    /// How a command on the demo's store begins: `advis --config demo/advis.toml`.
    pub(crate) prefix: &'a str,
    /// Reference of the commitment worth explaining.
    pub(crate) explain: &'a str,
    /// The whole command that opens the folder of messages: `xdg-open demo/mail`.
    pub(crate) open_folder: &'a str,
}

/// The narrowest summary that is still a pleasure to read.
const COLUMNS_MIN: usize = 72;

/// Columns of the year and the month before a bar, and of the count after it.
const MARGIN_COLUMNS: usize = 11;
const COUNT_COLUMNS: usize = 10;

/// Columns before the single steps of a stage, before the text of a highlight, and before a command.
const STEPS_MARGIN_COLUMNS: usize = 22;
const HIGHLIGHT_MARGIN_COLUMNS: usize = 5;
const TRY_MARGIN_COLUMNS: usize = 18;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

/// The summary, at most `width` columns wide, but never narrower than [`COLUMNS_MIN`]; only commands and paths, which are
/// there to be copied, may be wider. Ends with a line break.
pub(crate) fn summary(story: &Story, width: usize) -> String {
    let width = width.max(COLUMNS_MIN);
    let parts = [
        outcome(story),
        months(story, width),
        steps(story, width),
        worth_opening(story, width),
        try_next(story, width),
    ];
    let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    let lines = parts.join(&String::new());
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// What was played through, and how it ended.
fn outcome(story: &Story) -> Vec<String> {
    let Story { still_open, overdue, needs_date, .. } = *story;
    let closed = story.commitments.saturating_sub(still_open + needs_date);
    let numbers = [
        count(story.leaders, "leader"),
        count(story.commitments, "commitment"),
        count(story.days, "sending day"),
        count(story.sent.len(), "mail"),
    ];
    vec![
        heading(&format!("A rehearsal, {} to {}", long(story.from), long(story.to))),
        format!("  {}", numbers.join(", ")),
        format!(
            "  {closed} done or cancelled, {still_open} still open ({overdue} overdue), \
             {needs_date} waiting for a date"
        ),
        format!("  played through in {:.1} s, and kept in {}", story.seconds, story.dir),
    ]
}

/// A month and what went out in it.
struct Month {
    first: NaiveDate,
    mails: usize,
    /// Items by stage.
    stages: [(Stage, usize); 5],
}

impl Month {
    fn of(first: NaiveDate, sent: &[SentMail]) -> Self {
        let month = |day: NaiveDate| (day.year(), day.month());
        let mails: Vec<_> = sent.iter().filter(|mail| month(mail.on) == month(first)).collect();
        let steps = || mails.iter().flat_map(|mail| &mail.steps);
        let items = |stage| steps().filter(|step| Stage::of(**step) == stage).count();
        Self { first, mails: mails.len(), stages: Stage::ALL.map(|stage| (stage, items(stage))) }
    }

    /// Columns of the bar, when a cell stands for up to `per_cell` items.
    fn columns(&self, per_cell: usize) -> usize {
        self.stages.iter().map(|(_, items)| items.div_ceil(per_cell)).sum()
    }

    fn bar(&self, per_cell: usize) -> String {
        self.stages.iter().map(|(stage, items)| stage.cells(items.div_ceil(per_cell))).collect()
    }
}

/// The picture: a bar for every month, the mails at the end of the row.
fn months(story: &Story, width: usize) -> Vec<String> {
    let first = story.from.with_day(1).unwrap_or(story.from);
    let months: Vec<Month> =
        iter::successors(Some(first), |month| month.checked_add_months(Months::new(1)))
            .take_while(|month| *month <= story.to)
            .map(|month| Month::of(month, story.sent))
            .collect();
    let longest = |per_cell| months.iter().map(|month| month.columns(per_cell)).max().unwrap_or(0);
    let room = width.saturating_sub(MARGIN_COLUMNS + COUNT_COLUMNS);
    let per_cell = (1..).find(|per_cell| longest(*per_cell) <= room).unwrap_or(1);
    let bar_columns = longest(per_cell);

    let legend = Stage::ALL.map(|stage| format!("{} {}", stage.cells(1), stage.word())).join("  ");
    let mut lines = vec![heading("Reminders, month by month"), format!("  {legend}")];
    if per_cell > 1 {
        lines.push(format!("  {DIM}A cell stands for up to {per_cell} reminders.{DIM:#}"));
    }
    for (place, month) in months.iter().enumerate() {
        let new_year = place == 0 || month.first.month() == 1;
        lines.extend(new_year.then(String::new));
        let year = if new_year { month.first.format("%Y").to_string() } else { String::new() };
        let gap = " ".repeat(bar_columns - month.columns(per_cell));
        let (bar, name) = (month.bar(per_cell), month.first.format("%b"));
        let unit = if new_year { plural(month.mails, " mail") } else { String::new() };
        lines.push(format!("  {year:4} {name} {bar}{gap} {:>3}{unit}", month.mails));
    }
    lines
}

/// How many reminders there were of each step.
fn steps(story: &Story, width: usize) -> Vec<String> {
    let mut counts: BTreeMap<(Stage, (u8, i64)), (Step, usize)> = BTreeMap::new();
    for step in story.sent.iter().flat_map(|mail| &mail.steps) {
        counts.entry((Stage::of(*step), step.rank())).or_insert((*step, 0)).1 += 1;
    }
    let items: usize = counts.values().map(|(_, count)| count).sum();
    let mut lines = vec![heading(&format!("{}, by step", count(items, "reminder")))];
    for stage in Stage::ALL {
        let of_stage = || counts.iter().filter(|((other, _), _)| *other == stage);
        let total: usize = of_stage().map(|(_, (_, count))| count).sum();
        let each: Vec<String> =
            of_stage().map(|(_, (step, count))| format!("{step} ×{count}")).collect();
        let each = if each.len() > 1 { each.join("  ") } else { String::new() };
        let each = fit(&each, width.saturating_sub(STEPS_MARGIN_COLUMNS));
        let each = if each.is_empty() { each } else { format!("   {DIM}{each}{DIM:#}") };
        lines.push(format!("  {} {:10} {total:>4}{each}", stage.cells(1), stage.word()));
    }
    lines
}

/// The messages to look at first, each with why, when, to whom, its subject and its file.
fn worth_opening(story: &Story, width: usize) -> Vec<String> {
    if story.sent.is_empty() {
        return Vec::new();
    }
    let room = width.saturating_sub(HIGHLIGHT_MARGIN_COLUMNS);
    let mut lines = vec![heading("Worth opening")];
    for (place, highlight) in highlights(story.sent).into_iter().enumerate() {
        let mail = highlight.mail;
        let head = format!("{}, to {} <{}>", mail.on.format("%a %-d %b %Y"), mail.name, mail.to);
        lines.extend((place > 0).then(String::new));
        lines.push(format!("  {}  {}", place + 1, fit(&highlight.why, room)));
        lines.push(format!("     {DIM}{}{DIM:#}", fit(&head, room)));
        lines.push(format!("     {BOLD}{}{BOLD:#}", fit(&mail.subject, room)));
        lines.push(format!("     {}", mail.file));
    }
    lines
}

/// Commands to go on with: beside what they are for, or below it where that would be too wide.
fn try_next(story: &Story, width: usize) -> Vec<String> {
    let command = |verb: &str| format!("{} {verb}", story.prefix);
    let commands = [
        ("what is late", command("list --overdue")),
        ("the whole story", command(&format!("explain {}", story.explain))),
        ("what comes next", command("plan")),
        ("what was sent", command("log")),
        ("all the mails", story.open_folder.to_owned()),
    ];
    let widest = commands.iter().map(|(_, command)| command.width()).max().unwrap_or(0);
    let beside = TRY_MARGIN_COLUMNS + widest <= width;
    let line = |(what, command): (&str, String)| match beside {
        true => vec![format!("  {DIM}{what:15}{DIM:#} {command}")],
        false => vec![format!("  {DIM}{what}{DIM:#}"), format!("    {command}")],
    };
    iter::once(heading("Try next")).chain(commands.into_iter().flat_map(line)).collect()
}

fn heading(text: &str) -> String {
    format!("{BOLD}{text}{BOLD:#}")
}

fn long(day: NaiveDate) -> String {
    day.format("%-d %B %Y").to_string()
}

/// `1 mail`, `2 mails`.
fn count(number: usize, noun: &str) -> String {
    format!("{number} {}", plural(number, noun))
}

fn plural(number: usize, noun: &str) -> String {
    if number == 1 { noun.to_owned() } else { format!("{noun}s") }
}

/// The text, cut to so many columns with an ellipsis where it is wider.
fn fit(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut used = 1;
    let fits = |c: &char| {
        used += c.width().unwrap_or(0);
        used <= columns
    };
    let kept: String = text.chars().take_while(fits).collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use anstream::adapter::strip_str;

    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn mail(on: &str, name: &str, subject: &str, steps: &str) -> SentMail {
        let steps: Vec<Step> = steps.split(' ').map(|step| step.parse().unwrap()).collect();
        let first = name.split(' ').next().unwrap().to_lowercase();
        SentMail {
            on: day(on),
            ladder: steps[0].ladder(),
            name: name.to_owned(),
            to: format!("{first}@kommune.example"),
            subject: subject.to_owned(),
            capacities: vec![Capacity::Self_; steps.len()],
            steps,
            file: format!("demo/mail/{on}-{first}.eml"),
        }
    }

    fn sample() -> Vec<SentMail> {
        let due = "Frist i dag: Plant æbletræer ved rådhuset";
        let late = "Fristen er overskredet: Plant æbletræer ved rådhuset (fristen var den 29. november 2019)";
        let deputy = SentMail {
            capacities: vec![Capacity::DeputyOf("park".to_owned())],
            ..mail("2019-12-16", "Bo Øst", late, "overdue:2")
        };
        vec![
            mail("2019-10-30", "Aja Lund", "Påmindelse: Plant æbletræer", "before:30"),
            mail("2019-11-22", "Aja Lund", "Du har 2 opgaver", "before:7 opens"),
            mail("2019-11-29", "Aja Lund", due, "due"),
            mail("2019-12-02", "Aja Lund", "Du har 3 opgaver", "overdue:1 due before:14"),
            deputy,
            mail("2019-12-20", "Carl Mose", "Til orientering: opgave hos Aja Lund", "escalate:1"),
            mail("2020-02-03", "Bo Øst", "Påmindelse: Tæl æblerne", "before:30"),
        ]
    }

    fn story(sent: &[SentMail]) -> Story<'_> {
        Story {
            dir: "demo",
            from: day("2019-10-01"),
            to: day("2020-02-28"),
            leaders: 3,
            commitments: 5,
            days: 102,
            sent,
            still_open: 2,
            overdue: 1,
            needs_date: 1,
            seconds: 0.34,
            prefix: "advis --config demo/advis.toml",
            explain: "HAVE-1",
            open_folder: "xdg-open demo/mail",
        }
    }

    fn plain(story: &Story, width: usize) -> String {
        strip_str(&summary(story, width)).to_string()
    }

    #[test]
    fn the_summary_of_a_small_story_reads_like_this() {
        insta::assert_snapshot!(plain(&story(&sample()), 80), @r"
        A rehearsal, 1 October 2019 to 28 February 2020
          3 leaders, 5 commitments, 102 sending days, 7 mails
          2 done or cancelled, 2 still open (1 overdue), 1 waiting for a date
          played through in 0.3 s, and kept in demo

        Reminders, month by month
          ░ before  ▒ opens  ▓ due  █ overdue  ▲ escalation

          2019 Oct ░       1 mail
               Nov ░▒▓     2
               Dec ░▓██▲   3

          2020 Jan         0 mails
               Feb ░       1

        10 reminders, by step
          ░ before        4   before:30 ×2  before:14 ×1  before:7 ×1
          ▒ opens         1
          ▓ due           2
          █ overdue       2   overdue:1 ×1  overdue:2 ×1
          ▲ escalation    1

        Worth opening
          1  The longest digest: 3 items
             Mon 2 Dec 2019, to Aja Lund <aja@kommune.example>
             Du har 3 opgaver
             demo/mail/2019-12-02-aja.eml

          2  The first escalation: a manager is told
             Fri 20 Dec 2019, to Carl Mose <carl@kommune.example>
             Til orientering: opgave hos Aja Lund
             demo/mail/2019-12-20-carl.eml

          3  Read by the deputy: park is away
             Mon 16 Dec 2019, to Bo Øst <bo@kommune.example>
             Fristen er overskredet: Plant æbletræer ved rådhuset (fristen var den 29.…
             demo/mail/2019-12-16-bo.eml

        Try next
          what is late    advis --config demo/advis.toml list --overdue
          the whole story advis --config demo/advis.toml explain HAVE-1
          what comes next advis --config demo/advis.toml plan
          what was sent   advis --config demo/advis.toml log
          all the mails   xdg-open demo/mail
        ");
    }

    #[test]
    fn a_month_with_more_reminders_than_columns_shares_its_cells() {
        let one = mail("2019-10-30", "Aja Lund", "Påmindelse", "before:30");
        let other = mail("2019-11-29", "Aja Lund", "Frist i dag", "due");
        let sent = [vec![one; 130], vec![other]].concat();
        let text = plain(&story(&sent), 80);
        assert!(text.contains("A cell stands for up to 3 reminders."), "{text}");
        let bar = format!("Oct {} 130 mails", "░".repeat(44));
        assert!(text.contains(&bar), "{text}");
        assert!(text.contains("Nov ▓ "), "{text}");
    }

    #[test]
    fn only_commands_and_paths_are_wider_than_asked_for() {
        let mut sent = sample();
        sent[3].subject = "Frist 日本語 ".repeat(40);
        sent[3].name = "Navn ".repeat(40);
        for width in [0, 72, 80, 100, 200] {
            let text = plain(&story(&sent), width);
            let wide = text.lines().filter(|line| line.width() > width.max(COLUMNS_MIN));
            let wide: Vec<&str> = wide.filter(|line| !line.contains("demo/")).collect();
            assert_eq!(wide, Vec::<&str>::new(), "at {width} columns");
        }
    }

    #[test]
    fn commands_stand_below_what_they_are_for_where_they_would_be_too_wide_beside_it() {
        let sent = sample();
        let prefix = "advis --config /home/somebody/somewhere/else/demo/advis.toml";
        let text = plain(&Story { prefix, ..story(&sent) }, 80);
        assert!(text.contains("\n  what is late\n    advis --config /home"), "{text}");
    }

    #[test]
    fn a_rehearsal_that_sent_nothing_points_at_no_message() {
        let text = plain(&story(&[]), 80);
        assert!(text.contains("0 reminders, by step") && !text.contains("Worth opening"), "{text}");
    }

    #[test]
    fn every_stage_has_a_character_and_a_colour_of_its_own() {
        let cells: std::collections::BTreeSet<String> =
            Stage::ALL.iter().map(|stage| stage.cells(1)).collect();
        let plain: std::collections::BTreeSet<String> =
            cells.iter().map(|cell| strip_str(cell).to_string()).collect();
        let colours: std::collections::BTreeSet<&str> =
            cells.iter().map(|cell| cell.split('m').next().unwrap()).collect();
        assert_eq!((plain.len(), colours.len()), (5, 5), "{cells:?}");
        assert!(plain.iter().all(|cell| cell.width() == 1), "{plain:?}");
    }
}
