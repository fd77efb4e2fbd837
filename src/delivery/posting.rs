//! One firing: read what is new, decide what is due, write it into the outbox (T0), freeze each message as bytes (T1).
//!
//! It goes page by page, so that its memory does not grow with the book or with what is due. Delivering what is frozen is
//! the engine's.

use std::collections::{HashMap, HashSet};
use std::panic::resume_unwind;
use std::pin::pin;
use std::thread::{self, JoinHandle};

use chrono::NaiveDate;
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::join;
use tokio::runtime::Handle;
use tokio::sync::mpsc::channel;

use super::letters::{Sealer, Unsealed};
use super::pass::{Desk, find};
use crate::domain::leader::Capacity;
use crate::domain::reminder::{Message, Reminder, ReminderKey};
use crate::link::Links;
use crate::mail::compose::{Facts as LetterFacts, Letter, Sender};
use crate::planner::{self, Rules};
use crate::store::outbox::{Frozen, PlannedReminder, Purpose};
use crate::store::{self, Near, Page, RowProblem};
use crate::telemetry;

/// Commitments that are planned in one go: enough that a call to the store does not count, few enough that they do not.
const PLAN_PAGE: usize = 128;

/// Commitments whose reminders are written in one go: those are small beside what they are about, and each flush costs.
const PLAN_MOST: usize = 4 * PLAN_PAGE;

/// Items that are composed in one go: enough that reading the words of the templates does not count, few enough that their
/// texts do not.
const COMPOSE_ITEMS: usize = 32;

/// How far the composing thread steps back (nice(2)): enough to make way, and to get on beside a busy program all the same.
#[cfg(target_os = "linux")]
const COMPOSER_NICENESS: i32 = 10;

/// What a pass put into the outbox.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Posted {
    /// Reminders due.
    pub due: usize,
    /// Messages frozen.
    pub messages: usize,
    /// Responsible leaders of what is due whose chair is empty.
    pub vacancies: usize,
    /// Messages that no mail can be made of; their reminders stay planned.
    pub unsendable: usize,
    /// Rows that make no sense, left out.
    pub problems: Vec<RowProblem>,
}

impl Posted {
    /// Counts in what was posted later in the same pass.
    pub(super) fn add(&mut self, more: Self) {
        self.due += more.due;
        self.messages += more.messages;
        self.unsendable += more.unsendable;
    }
}

impl Desk<'_> {
    /// Plans today and freezes what is due: T0 and T1.
    ///
    /// # Errors
    /// When the store fails; what was written stands, and the next pass goes on from there.
    pub async fn post(&self) -> Result<Posted, store::Error> {
        self.plan_today().await?.freeze(|| ()).await
    }

    /// T0: writes down what is due.
    pub(super) async fn plan_today(&self) -> Result<Posting<'_>, store::Error> {
        let mut posting = self.plan_once().await?;
        // A later step takes back the message of an earlier one; what else was in that goes in a new one.
        if self.store.has_freed().await? {
            posting = self.plan_once().await?;
        }
        for problem in &posting.posted.problems {
            telemetry::row_problem(&problem.reference, &problem.what);
        }
        Ok(posting)
    }

    async fn plan_once(&self) -> Result<Posting<'_>, store::Error> {
        self.mind_the_clock().await?;
        let problems = self.read_new().await?;
        let rules = self.keep_rules().await?;
        self.conclude(self.store.begin_pass(&self.stamp(), rules.reach(self.today())).await?)
            .await?;
        let posted = Posted { problems, ..Posted::default() };
        let mut posting = Posting { desk: self, rules, posted };
        posting.plan().await?;
        Ok(posting)
    }
}

/// A firing under way.
pub(super) struct Posting<'d> {
    desk: &'d Desk<'d>,
    rules: Rules,
    posted: Posted,
}

impl Posting<'_> {
    /// Whether there may be anything to freeze.
    pub(super) fn is_due(&self) -> bool {
        self.posted.due > 0
    }

    /// T0: writes down what is due, from the first page of what is near to the last; while some is written, the next
    /// is read and decided.
    async fn plan(&mut self) -> Result<(), store::Error> {
        let mut ahead = self.decide(&Near::default()).await?;
        while let Some((last, decided)) = ahead {
            let Desk { store, clock, .. } = self.desk;
            let writing = store.plan(&decided.due, &decided.looks, clock.now());
            let (planning, next) = join!(biased; writing, self.decide(&last));
            let planning = planning?;
            telemetry::planned(planning.new, planning.superseded, planning.expired);
            self.posted.due += decided.due.len();
            self.posted.problems.extend(decided.problems);
            ahead = next?;
        }
        let problems = &mut self.posted.problems;
        problems.sort();
        problems.dedup();
        Ok(())
    }

    /// What the planner says of the next of what is near after `place`, [`PLAN_MOST`] at most, and the last of it; `None`
    /// at the end. While one page is planned, the next is read.
    async fn decide(&self, place: &Near) -> Result<Option<(Near, Decided)>, store::Error> {
        let near = self.desk.store.near(self.desk.today(), place, PLAN_MOST).await?;
        let Some(last) = near.last().cloned() else { return Ok(None) };
        let mut decided = Decided::default();
        let pages = stream::iter(near.chunks(PLAN_PAGE).map(|page| self.decide_page(page)));
        let mut pages = pin!(pages.buffered(2));
        while let Some(page) = pages.try_next().await? {
            decided.due.extend(page.due);
            decided.looks.extend(page.looks);
            decided.problems.extend(page.problems);
        }
        Ok(Some((last, decided)))
    }

    async fn decide_page(&self, near: &[Near]) -> Result<Decided, store::Error> {
        let references: Vec<&str> = near.iter().map(|one| one.reference.as_str()).collect();
        let mut page = self.desk.page(&references, &[]).await?;
        self.desk.roll_both(&mut page.book).await?;
        let Page { book, people, sent, problems, .. } = page;
        let plan = planner::plan(&book, &people, &self.rules, &sent, self.desk.today());
        let looks = plan.look_on.iter().map(|(one, on)| ((*one).to_owned(), *on)).collect();
        Ok(Decided { due: plan.due, looks, problems })
    }

    /// T1: freezes all that waits for its message, some readers at a time, and says so after each page. While one page is
    /// written down, the next is composed and the one after that is read.
    pub(super) async fn freeze(mut self, frozen: impl Fn()) -> Result<Posted, store::Error> {
        let desk = self.desk;
        let bureau = Bureau {
            sealer: desk.sealer(),
            sender: desk.sender().await?,
            links: desk.links().cloned(),
            taken_back: desk.store.taken_back(desk.today()).await?,
        };
        let (to_compose, mut read) = channel(1);
        let (to_write, composed) = channel(1);
        // What ends before the others lets go of its channel, and they end too. Nothing is begun before there is room for
        // it: of each page there are two, not three.
        let reading = async {
            let (to_compose, mut vacant, mut after) = (to_compose, HashSet::new(), String::new());
            while let Ok(room) = to_compose.reserve().await
                && let Some(sheaf) = self.sheaf(&after).await?
            {
                after.clone_from(&sheaf.last);
                let about = sheaf.messages.iter().flat_map(vacancies);
                vacant.extend(about.map(str::to_owned));
                room.send(sheaf);
            }
            Ok::<_, store::Error>(vacant.len())
        };
        let composing = async move {
            while let Ok(room) = to_write.reserve().await
                && let Some(sheaf) = read.recv().await
            {
                room.send(bureau.seal(&sheaf));
            }
        };
        let composer = beside_sending(composing);
        let writing = async {
            let (mut composed, mut posted) = (composed, Posted::default());
            while let Some(sealed) = composed.recv().await {
                posted.add(self.freeze_page(sealed).await?);
                frozen();
            }
            Ok::<_, store::Error>(posted)
        };
        let (vacant, written) = join!(biased; reading, writing);
        composer.join().unwrap_or_else(|panic| resume_unwind(panic));
        self.posted.add(written?);
        self.posted.vacancies += vacant?;
        Ok(self.posted)
    }

    /// The messages that planned reminders make today for the next readers after `after`, and what they are about; `None`
    /// at the end.
    async fn sheaf(&self, after: &str) -> Result<Option<Sheaf>, store::Error> {
        let planned = self.desk.store.planned(after).await?;
        let Some(last) = planned.last().map(|one| one.reader.clone()) else { return Ok(None) };
        let today = self.desk.today();
        let mut references: Vec<&str> =
            planned.iter().map(|one| one.key.commitment.as_str()).collect();
        references.sort_unstable();
        references.dedup();
        let mut readers: Vec<&str> = planned.iter().map(|one| one.reader.as_str()).collect();
        readers.dedup();
        let mut page = self.desk.page(&references, &readers).await?;
        self.desk.roll(&mut page.book);
        let Page { book, people, sent, .. } = &page;
        let mut due = planner::plan(book, people, &self.rules, sent, today).due;
        let waiting: HashSet<&ReminderKey> = planned.iter().map(|one| &one.key).collect();
        due.retain(|one| waiting.contains(&one.key));
        let find = |reference: &str| find(book, reference);
        let messages = planner::messages(&due, find, people, &self.rules, sent, today);
        Ok(Some(Sheaf { last, planned, page, messages }))
    }

    async fn freeze_page(&self, sealed: Sealed) -> Result<Posted, store::Error> {
        let count = sealed.len();
        let sealed = sealed.into_iter().map(|one| one.map_err(Unsealed::tell));
        let page: Vec<Frozen> = sealed.filter_map(Result::ok).collect();
        let frozen = self.desk.store.freeze(&page, self.desk.clock.now()).await?;
        telemetry::frozen(frozen, page.len() - frozen);
        let unsendable = count - page.len();
        Ok(Posted { messages: frozen, unsendable, ..Posted::default() })
    }
}

/// Does the dearest work of all on a thread of its own, which makes way for the others: sending needs a processor for
/// moments only, but at once.
fn beside_sending(work: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
    let runtime = Handle::current();
    thread::spawn(move || {
        // Elsewhere it would be the priority of the whole process. Without, it is only slower.
        #[cfg(target_os = "linux")]
        rustix::process::nice(COMPOSER_NICENESS).ok();
        runtime.block_on(work);
    })
}

/// What the planner says of some commitments.
#[derive(Default)]
struct Decided {
    due: Vec<Reminder>,
    /// The next day on which there may be something to say about each commitment.
    looks: Vec<(String, NaiveDate)>,
    /// Rows that make no sense.
    problems: Vec<RowProblem>,
}

/// A page of messages as they will leave, and those that no mail can be made of.
type Sealed = Vec<Result<Frozen, Unsealed>>;

/// The messages of some readers, and what they are about.
struct Sheaf {
    /// The last of the readers.
    last: String,
    planned: Vec<PlannedReminder>,
    page: Page,
    messages: Vec<Message>,
}

/// What the letters of a firing have in common.
struct Bureau {
    sealer: Sealer,
    sender: Sender,
    links: Option<Links>,
    /// How many messages of the day were taken back, by purpose and address.
    taken_back: HashMap<(Purpose, String), u32>,
}

impl Bureau {
    fn seal(&self, sheaf: &Sheaf) -> Sealed {
        let events = sheaf.planned.iter().map(|one| (one.key.commitment.as_str(), one.last_event));
        let events: HashMap<&str, i64> = events.collect();
        let facts = LetterFacts {
            sender: &self.sender,
            people: &sheaf.page.people,
            book: &|reference| find(&sheaf.page.book, reference),
            last_event: &|reference| events.get(reference).copied().unwrap_or(0),
            links: self.links.as_ref(),
        };
        let letter = |message| Letter::Reminders { message, edition: self.edition(message) };
        let mut items = 0;
        let runs = sheaf.messages.chunk_by(|one, next| {
            items += one.items.len();
            let fits = items + next.items.len() <= COMPOSE_ITEMS;
            items = if fits { items } else { 0 };
            fits
        });
        let sealed = runs.flat_map(|run| {
            let letters: Vec<_> = run.iter().map(letter).collect();
            self.sealer.seal(&letters, &facts)
        });
        let book_version = Some(sheaf.page.version);
        sealed.map(|one| one.map(|frozen| Frozen { book_version, ..frozen })).collect()
    }

    /// Which message of the day to that person it is.
    fn edition(&self, message: &Message) -> u32 {
        let key = (message.ladder.into(), message.to.address.key());
        self.taken_back.get(&key).copied().unwrap_or(0)
    }
}

/// The responsible in a message who have an empty chair.
fn vacancies(message: &Message) -> impl Iterator<Item = &str> {
    let about = message.items.iter().flat_map(|item| &item.about);
    about
        .filter(|(_, capacity)| matches!(capacity, Capacity::ForVacancy(_)))
        .map(|(leader, _)| leader.as_str())
}
