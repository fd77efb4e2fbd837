//! The people who answer for commitments, and who gets a mail meant for one of them.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;

use super::address::{EmailAddress, Mailbox};

/// The language of a leader's mails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Language {
    /// Danish, the default.
    #[default]
    Danish,
    /// English.
    English,
}

impl Language {
    /// `da` or `en` (ISO 639-1).
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Danish => "da",
            Self::English => "en",
        }
    }

    /// Reads `da` or `en`.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Danish, Self::English].into_iter().find(|language| language.code() == code)
    }
}

/// Days `from..to`, both included; an end that is missing is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Period {
    /// First day.
    pub from: Option<NaiveDate>,
    /// Last day.
    pub to: Option<NaiveDate>,
}

impl Period {
    /// Whether `day` lies in the period; one with neither end holds every day.
    #[must_use]
    pub fn contains(&self, day: NaiveDate) -> bool {
        self.from.is_none_or(|from| from <= day) && self.to.is_none_or(|to| day <= to)
    }

    /// Whether neither end is given.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.from.is_none() && self.to.is_none()
    }
}

/// Someone who may be responsible for commitments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leader {
    /// Unique, chosen by the municipality: `aar-nord`.
    pub reference: String,
    /// As mails greet them.
    pub name: String,
    /// `None` when the store holds no address we can send to: a vacancy.
    pub email: Option<EmailAddress>,
    /// Such as "Områdechef"; may be empty.
    pub role: String,
    /// Such as "Område Nord"; may be empty.
    pub unit: String,
    /// Reference of the manager.
    pub manager: Option<String>,
    /// Reference of the deputy.
    pub deputy: Option<String>,
    /// Language of their mails.
    pub language: Language,
    /// In office.
    pub active: Period,
    /// Away; empty when not.
    pub absent: Period,
}

impl Leader {
    /// Whether nobody sits in the chair on `day`: not in office, or no valid address.
    #[must_use]
    pub fn is_vacant(&self, day: NaiveDate) -> bool {
        self.email.is_none() || !self.active.contains(day)
    }

    /// Whether the leader is away on `day`.
    #[must_use]
    pub fn is_absent(&self, day: NaiveDate) -> bool {
        !self.absent.is_empty() && self.absent.contains(day)
    }
}

/// Why this person gets a mail that is about somebody.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Capacity {
    /// It is their own.
    Self_,
    /// As the deputy of an absent leader (reference).
    DeputyOf(String),
    /// As the nearest active manager above a vacancy (reference of the vacancy).
    ForVacancy(String),
    /// The secretariat, where no manager is left.
    Secretariat,
}

/// A person and the mailbox that a message goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receiver {
    /// Reference of the leader who reads it; `None` for the secretariat.
    pub leader: Option<String>,
    /// Name and address.
    pub mailbox: Mailbox,
    /// Language of the mail.
    pub language: Language,
    /// Why they get it.
    pub capacity: Capacity,
}

/// A [`Receiver`] as the address book has them.
#[derive(Debug, Clone)]
pub struct Reader<'p> {
    people: &'p People,
    /// Leader and address; `None` for the secretariat.
    person: Option<(&'p Leader, &'p EmailAddress)>,
    /// Why they get it.
    pub capacity: Capacity,
}

impl<'p> Reader<'p> {
    /// Reference of the leader; `None` for the secretariat.
    #[must_use]
    pub fn leader(&self) -> Option<&'p str> {
        self.person.map(|(leader, _)| leader.reference.as_str())
    }

    /// Where their mail goes.
    #[must_use]
    pub fn address(&self) -> &'p EmailAddress {
        self.person.map_or(&self.people.secretariat.address, |(_, address)| address)
    }

    /// The same as facts of their own.
    #[must_use]
    pub fn receiver(self) -> Receiver {
        let Self { people, person, capacity } = self;
        match person {
            Some((leader, address)) => Receiver {
                leader: Some(leader.reference.clone()),
                mailbox: Mailbox { name: leader.name.clone(), address: address.clone() },
                language: leader.language,
                capacity,
            },
            None => Receiver {
                leader: None,
                mailbox: people.secretariat.clone(),
                language: people.language,
                capacity,
            },
        }
    }
}

/// The address book: every leader, and the secretariat that stands in where nobody else does.
#[derive(Debug, Clone)]
pub struct People {
    /// By reference.
    leaders: Vec<Leader>,
    /// Where each stands: the planner asks for them hundreds of thousands of times.
    places: HashMap<String, usize>,
    secretariat: Mailbox,
    language: Language,
}

impl People {
    /// The book of `leaders`; `language` is the organisation's, for mails to the secretariat.
    #[must_use]
    pub fn new(
        leaders: impl IntoIterator<Item = Leader>,
        secretariat: Mailbox,
        language: Language,
    ) -> Self {
        let leaders: BTreeMap<String, Leader> =
            leaders.into_iter().map(|leader| (leader.reference.clone(), leader)).collect();
        let places = leaders.keys().cloned().zip(0..).collect();
        let leaders = leaders.into_values().collect();
        Self { leaders, places, secretariat, language }
    }

    /// The leader with that reference.
    #[must_use]
    pub fn get(&self, reference: &str) -> Option<&Leader> {
        self.leaders.get(*self.places.get(reference)?)
    }

    /// Every leader, by reference.
    pub fn iter(&self) -> impl Iterator<Item = &Leader> {
        self.leaders.iter()
    }

    /// The secretariat as a receiver.
    #[must_use]
    pub fn secretariat(&self) -> Receiver {
        self.secretariat_reads().receiver()
    }

    /// The secretariat as a reader.
    #[must_use]
    pub fn secretariat_reads(&self) -> Reader<'_> {
        Reader { people: self, person: None, capacity: Capacity::Secretariat }
    }

    /// The managers above a leader, nearest first. Ends at a cycle (import refuses them, other writers might not).
    #[must_use]
    pub fn chain(&self, reference: &str) -> Vec<&Leader> {
        let mut chain: Vec<&Leader> = Vec::new();
        let mut next = self.get(reference).and_then(|leader| leader.manager.as_deref());
        while let Some(manager) = next.and_then(|manager| self.get(manager)) {
            if manager.reference == reference
                || chain.iter().any(|seen| seen.reference == manager.reference)
            {
                break;
            }
            chain.push(manager);
            next = manager.manager.as_deref();
        }
        chain
    }

    /// Who gets a mail meant for the leader `reference` on `day`.
    ///
    /// A vacancy goes to the nearest active manager, else to the secretariat. Someone absent is stood in for by a
    /// deputy who is there; without one they get it themselves. A deputy's deputy is never followed.
    #[must_use]
    pub fn reader(&self, reference: &str, day: NaiveDate) -> Reader<'_> {
        let vacancy = || Capacity::ForVacancy(reference.to_owned());
        match self.get(reference).filter(|leader| !leader.is_vacant(day)) {
            Some(leader) => self.present(leader, day, Capacity::Self_),
            None => match self.chain(reference).into_iter().find(|manager| !manager.is_vacant(day))
            {
                Some(manager) => self.present(manager, day, vacancy()),
                None => Reader { capacity: vacancy(), ..self.secretariat_reads() },
            },
        }
    }

    /// [`Self::reader`], as facts of their own.
    #[must_use]
    pub fn receiver(&self, reference: &str, day: NaiveDate) -> Receiver {
        self.reader(reference, day).receiver()
    }

    /// `leader`, or the deputy while the leader is away.
    fn present<'p>(&'p self, leader: &'p Leader, day: NaiveDate, capacity: Capacity) -> Reader<'p> {
        let deputy = leader
            .deputy
            .as_deref()
            .filter(|_| leader.is_absent(day))
            .and_then(|deputy| self.get(deputy))
            .filter(|deputy| !deputy.is_vacant(day) && !deputy.is_absent(day));
        let (person, capacity) = match (deputy, capacity) {
            (Some(deputy), Capacity::Self_) => {
                (deputy, Capacity::DeputyOf(leader.reference.clone()))
            }
            (Some(deputy), capacity) => (deputy, capacity),
            (None, capacity) => (leader, capacity),
        };
        match &person.email {
            Some(address) => Reader { people: self, person: Some((person, address)), capacity },
            None => self.secretariat_reads(),
        }
    }
}
