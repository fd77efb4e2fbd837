//! What a form posts, and what it means. Pure: today is handed in.

use chrono::{Months, NaiveDate};
use serde::Serialize;

use crate::domain::address::is_unsafe;
use crate::domain::window::Window;
use crate::phrase;

/// Longest remark, in characters.
pub(super) const REMARK_CHARS_MAX: usize = 1_000;

/// How long reminders may wait, but for a date of one's own.
pub(super) const SNOOZES: [&str; 3] = ["week", "fortnight", "month"];

/// Reminders that wait longer than this were better cancelled.
const SNOOZE_MONTHS_MAX: Months = Months::new(12);

/// The fields of every form, as typed; empty where there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct Fields {
    /// The form's own token; never shown again.
    #[serde(skip)]
    pub(super) form: String,
    pub(super) remark: String,
    /// `week`, `fortnight`, `month`, `date`.
    pub(super) until: String,
    pub(super) date: String,
    /// Reference of a colleague.
    pub(super) to: String,
    /// A date or a phrase.
    pub(super) deadline: String,
    pub(super) reason: String,
}

impl Fields {
    /// Reads `application/x-www-form-urlencoded`. Of a name that comes twice the last counts; others are left out.
    pub(super) fn parse(body: &[u8]) -> Self {
        let mut fields = Self::default();
        for (name, value) in form_urlencoded::parse(body) {
            let place = match name.as_ref() {
                "form" => &mut fields.form,
                "remark" => &mut fields.remark,
                "until" => &mut fields.until,
                "date" => &mut fields.date,
                "to" => &mut fields.to,
                "deadline" => &mut fields.deadline,
                "reason" => &mut fields.reason,
                _ => continue,
            };
            // What reorders or hides text is nobody's remark.
            *place = value.chars().filter(|c| *c == '\n' || !is_unsafe(*c)).collect();
            place.truncate(place.trim_end().len());
        }
        fields
    }

    /// The remark, no longer than there is room for.
    ///
    /// # Errors
    /// When it is longer.
    pub(super) fn remark(&self) -> Result<&str, (&'static str, &'static str)> {
        let fits = self.remark.chars().count() <= REMARK_CHARS_MAX;
        if fits { Ok(&self.remark) } else { Err(("remark", "too_long")) }
    }

    /// The day on which reminders go again.
    ///
    /// # Errors
    /// The field and what is wrong with it.
    pub(super) fn until(
        &self,
        today: NaiveDate,
    ) -> Result<NaiveDate, (&'static str, &'static str)> {
        let days = |days| today.checked_add_days(chrono::Days::new(days));
        let until = match self.until.as_str() {
            "week" => days(7),
            "fortnight" => days(14),
            "month" => today.checked_add_months(Months::new(1)),
            "date" => return self.date(today),
            _ => return Err(("until", "nothing_chosen")),
        };
        until.ok_or(("until", "nothing_chosen"))
    }

    /// The deadline that is proposed, with its phrase when it is no date: one window that is sure, as `postpone` takes it.
    ///
    /// # Errors
    /// The field and what is wrong with it.
    pub(super) fn proposal(
        &self,
        today: NaiveDate,
    ) -> Result<(Window, Option<&str>), (&'static str, &'static str)> {
        let wrong = |what| ("deadline", what);
        let text = self.deadline.as_str();
        let (window, phrase) = match day(text) {
            Some(day) => (Window::day(day), None),
            None if text.is_empty() => return Err(wrong("no_deadline")),
            None => (one_window(text, today).ok_or(wrong("unclear"))?, Some(text)),
        };
        if window.due.is_some_and(|due| due <= today) {
            return Err(wrong("past"));
        }
        match self.reason.chars().count() {
            0 => Err(("reason", "no_reason")),
            count if count > REMARK_CHARS_MAX => Err(("reason", "too_long")),
            _ => Ok((window, phrase)),
        }
    }

    fn date(&self, today: NaiveDate) -> Result<NaiveDate, (&'static str, &'static str)> {
        let day = day(&self.date).ok_or(("date", "no_date"))?;
        if day <= today {
            return Err(("date", "past"));
        }
        let last = today.checked_add_months(SNOOZE_MONTHS_MAX).unwrap_or(NaiveDate::MAX);
        if day > last { Err(("date", "too_late")) } else { Ok(day) }
    }
}

/// What a phrase says, if that is one window and sure.
fn one_window(text: &str, today: NaiveDate) -> Option<Window> {
    let deadline = phrase::parse(text, today).ok()?;
    let is_sure = deadline.confidence.is_certain() && deadline.recurrence.is_none();
    match deadline.windows.as_slice() {
        [window] if is_sure => Some(*window),
        _ => None,
    }
}

/// A day as browsers post it, or as Danes write it where a browser has no field for dates.
pub(super) fn day(text: &str) -> Option<NaiveDate> {
    let formats = ["%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%d-%m-%Y"];
    let text = text.replace(' ', "");
    formats.iter().find_map(|format| NaiveDate::parse_from_str(&text, format).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn today() -> NaiveDate {
        "2026-01-31".parse().unwrap()
    }

    #[test]
    fn a_snooze_lasts_as_long_as_it_says() {
        for (body, until) in [
            ("until=week", Ok("2026-02-07")),
            ("until=fortnight", Ok("2026-02-14")),
            ("until=month", Ok("2026-02-28")),
            ("until=date&date=2026-02-01", Ok("2026-02-01")),
            ("until=date&date=1.+2.+2026", Ok("2026-02-01")),
            ("until=date&date=2026-01-31", Err(("date", "past"))),
            ("until=date&date=2027-02-01", Err(("date", "too_late"))),
            ("until=date&date=i+morgen", Err(("date", "no_date"))),
            ("until=year", Err(("until", "nothing_chosen"))),
            ("", Err(("until", "nothing_chosen"))),
        ] {
            let found = Fields::parse(body.as_bytes()).until(today());
            assert_eq!(found, until.map(|day| day.parse().unwrap()), "{body}");
        }
    }

    #[test]
    fn a_proposal_is_one_window_that_is_sure_with_its_reason() {
        let read = |deadline: &str, reason: &str| {
            let fields = Fields {
                deadline: deadline.to_owned(),
                reason: reason.to_owned(),
                ..Fields::default()
            };
            let found = fields.proposal(today());
            found.map(|(window, phrase)| (window.to_string(), phrase.map(str::to_owned)))
        };
        let phrase = |window: &str, phrase: &str| Ok((window.to_owned(), Some(phrase.to_owned())));
        assert_eq!(read("2026-03-01", "x"), Ok(("2026-03-01..2026-03-01".to_owned(), None)));
        assert_eq!(read("1.3.2026", "x"), Ok(("2026-03-01..2026-03-01".to_owned(), None)));
        let may = phrase("2026-05-01..2026-05-31", "maj 2026");
        assert_eq!(read("maj 2026", "x"), may);
        for (deadline, reason, wrong) in [
            ("", "x", ("deadline", "no_deadline")),
            ("når vi kan", "x", ("deadline", "unclear")),
            ("hvert år i maj", "x", ("deadline", "unclear")),
            ("vinter 2027", "x", ("deadline", "unclear")),
            ("2026-01-31", "x", ("deadline", "past")),
            ("december 2025", "x", ("deadline", "past")),
            ("maj 2026", "", ("reason", "no_reason")),
        ] {
            assert_eq!(read(deadline, reason), Err(wrong), "{deadline}");
        }
        assert_eq!(read("maj 2026", &"æ".repeat(1_001)), Err(("reason", "too_long")));
    }

    #[test]
    fn unknown_fields_and_bytes_that_are_no_text_do_no_harm() {
        let fields = Fields::parse(b"remark=a%0D%0Ab");
        assert_eq!(fields.remark, "a\nb");
        let fields =
            Fields::parse("remark=x&evil=%FF&remark=\u{202e}c%00%FF+&form=&=&&%".as_bytes());
        assert_eq!(fields.remark, "c\u{fffd}");
        assert!(Fields { remark: "æ".repeat(1_001), ..fields }.remark().is_err());
    }
}
