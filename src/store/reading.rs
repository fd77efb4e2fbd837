//! What other systems wrote into the store and Advis has not read yet.

use chrono::NaiveDate;
use sqlx::FromRow;

use super::changes::{DeadlineRow, WindowRow, add_windows, set_deadlines, window_rows};
use super::journal::{Subject, record};
use super::row::{RowProblem, readable};
use super::{Error, Stamp, Store};
use crate::domain::commitment::Status;
use crate::domain::window::{Deadline, Undated};

/// Its first condition is that of the index, word for word. What is closed needs nobody's care.
const UNREAD: &str = "
    SELECT reference, phrase, kind, status, revision, document_date, adopted_on, written_on, problem,
           (SELECT count(*) FROM windows w
             WHERE w.commitment = c.reference AND w.revision = c.revision) AS windows,
           (SELECT count(*) FROM responsibilities r WHERE r.commitment = c.reference) AS responsible
      FROM commitments c
     WHERE (entered_on IS NULL OR problem IS NOT NULL)
       AND (entered_on IS NULL OR status = 'needs_date')
     ORDER BY reference";

/// A commitment that nobody has read yet, or made sense of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// Its reference.
    pub reference: String,
    /// The deadline as written; may be empty.
    pub phrase: String,
    /// The kind as written.
    pub kind: String,
    /// As written; kept when it is `Done` or `Cancelled`.
    pub status: Status,
    /// Its revision.
    pub revision: u32,
    /// The date of its document.
    pub document_date: Option<NaiveDate>,
    /// The day it was adopted.
    pub adopted_on: Option<NaiveDate>,
    /// The day it was written into the store.
    pub written_on: Option<NaiveDate>,
    /// Why it could not be made sense of the last time.
    pub problem: Option<String>,
    /// Number of windows given directly.
    pub windows: u32,
    /// Number of leaders who answer for it.
    pub responsible: u32,
}

impl Unread {
    /// The day to read the phrase against: the document's, else that of the adoption, else that of its entry.
    #[must_use]
    pub fn reference_date(&self, today: NaiveDate) -> NaiveDate {
        self.document_date.or(self.adopted_on).unwrap_or_else(|| self.entered_on(today))
    }

    /// The day it entered the store, however late it is read; never after `today`, which may be pretended.
    fn entered_on(&self, today: NaiveDate) -> NaiveDate {
        self.written_on.map_or(today, |written| written.min(today))
    }
}

/// What became of an unread commitment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entered {
    /// As it was given.
    pub unread: Unread,
    /// What it was read as.
    pub outcome: EnteredAs,
}

/// What an unread commitment was read as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnteredAs {
    /// It has windows of its own, which stand.
    Windows,
    /// The phrase has dates.
    Deadline(Deadline),
    /// The phrase has none.
    Undated(Undated),
    /// It cannot be planned, for this reason.
    Problem(String),
}

#[derive(FromRow)]
struct UnreadRow {
    reference: String,
    phrase: String,
    kind: String,
    status: String,
    revision: u32,
    document_date: Option<String>,
    adopted_on: Option<String>,
    written_on: Option<String>,
    problem: Option<String>,
    windows: u32,
    responsible: u32,
}

impl UnreadRow {
    fn unread(self) -> Unread {
        // A day that cannot be read counts as none: the table's own checks refuse nearly all of them.
        let day = |text: Option<String>| text.and_then(|text| text.parse().ok());
        Unread {
            status: Status::from_name(&self.status).unwrap_or(Status::NeedsDate),
            document_date: day(self.document_date),
            adopted_on: day(self.adopted_on),
            written_on: day(self.written_on),
            problem: self.problem,
            reference: self.reference,
            phrase: self.phrase,
            kind: self.kind,
            revision: self.revision,
            windows: self.windows,
            responsible: self.responsible,
        }
    }
}

impl Entered {
    /// Whether it is still what could not be made sense of before: there is nothing new to enter.
    fn is_known(&self) -> bool {
        matches!(&self.outcome, EnteredAs::Problem(what) if self.unread.problem.as_ref() == Some(what))
    }

    /// One that can be planned keeps its status, or waits no more if only its problem made it wait; the others wait for
    /// a date.
    fn status(&self) -> Status {
        let can_be_planned = match &self.outcome {
            EnteredAs::Windows => true,
            EnteredAs::Deadline(deadline) => deadline.can_be_planned(),
            EnteredAs::Undated(_) | EnteredAs::Problem(_) => false,
        };
        match self.unread.status {
            Status::Open if !can_be_planned => Status::NeedsDate,
            Status::NeedsDate if can_be_planned && self.unread.problem.is_some() => Status::Open,
            status => status,
        }
    }

    fn row(&self, today: NaiveDate) -> DeadlineRow<'_> {
        let Unread { reference, revision, .. } = &self.unread;
        let entered_on = self.unread.entered_on(today);
        let row = DeadlineRow::given(reference, *revision, self.status(), entered_on);
        match &self.outcome {
            EnteredAs::Windows => row,
            EnteredAs::Deadline(deadline) => row.read(Ok(deadline)),
            EnteredAs::Undated(undated) => row.read(Err(*undated)),
            EnteredAs::Problem(problem) => DeadlineRow { problem: Some(problem), ..row },
        }
    }

    /// The windows read, unless some were given.
    fn windows(&self, today: NaiveDate) -> Vec<WindowRow<'_>> {
        match &self.outcome {
            EnteredAs::Deadline(deadline) if self.unread.windows == 0 => {
                let made_on = self.unread.entered_on(today);
                window_rows(&self.unread.reference, self.unread.revision, deadline, made_on)
                    .collect()
            }
            _ => Vec::new(),
        }
    }
}

impl Store {
    /// The commitments that Advis has not read yet, or could not make sense of, by reference, and the rows that cannot
    /// be read at all. How to read each is the caller's decision.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn unread(&self) -> Result<(Vec<Unread>, Vec<RowProblem>), Error> {
        let mut unit = self.read_once().await?;
        let rows = sqlx::query_as(UNREAD).fetch_all(&mut *unit).await?;
        unit.keep();
        let (rows, problems) = readable::<UnreadRow>(rows);
        Ok((rows.into_iter().map(UnreadRow::unread).collect(), problems))
    }

    /// Enters commitments into the book as they were read, on the day they were written, or that of the stamp if it is
    /// earlier. Those that still have the problem they had are left alone.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn enter(&self, readings: &[Entered], stamp: &Stamp) -> Result<(), Error> {
        let readings: Vec<&Entered> = readings.iter().filter(|one| !one.is_known()).collect();
        if readings.is_empty() {
            return Ok(());
        }
        let rows: Vec<DeadlineRow<'_>> =
            readings.iter().map(|entered| entered.row(stamp.day)).collect();
        let windows: Vec<WindowRow<'_>> =
            readings.iter().flat_map(|entered| entered.windows(stamp.day)).collect();
        let subjects: Vec<Subject<'_>> =
            readings.iter().map(|entered| Subject::commitment(&entered.unread.reference)).collect();
        let mut unit = self.write().await?;
        set_deadlines(&mut unit, &rows, add_windows(&windows)).await?;
        record(&mut unit, stamp, "entered", &subjects).await?;
        unit.commit().await
    }
}
