//! Who gets a reminder on a day.

use chrono::NaiveDate;

use super::world::{Commitment, Key, Ladder, Period, Responsible, World};

fn is_within(day: NaiveDate, (from, to): Period) -> bool {
    from.is_none_or(|from| from <= day) && to.is_none_or(|to| day <= to)
}

/// Whether this leader answers for the commitment on a day.
pub(crate) fn answers(responsible: &Responsible, day: NaiveDate) -> bool {
    responsible.until.is_none_or(|until| day < until)
}

impl World {
    fn is_vacant(&self, leader: &str, day: NaiveDate) -> bool {
        let leader = &self.leaders[leader];
        leader.address.is_none() || !is_within(day, leader.active)
    }

    fn is_absent(&self, leader: &str, day: NaiveDate) -> bool {
        self.leaders[leader].absent.is_some_and(|absent| is_within(day, absent))
    }

    fn managers(&self, leader: &str) -> Vec<&str> {
        let mut managers = Vec::new();
        let mut next = self.leaders[leader].manager.as_deref();
        while let Some(manager) = next {
            assert!(managers.len() < self.leaders.len(), "{leader} is under themselves");
            managers.push(manager);
            next = self.leaders[manager].manager.as_deref();
        }
        managers
    }

    /// The managers who may hear about this leader: those who do not answer for the commitment themselves.
    fn managers_beside(&self, commitment: &Commitment, leader: &str, day: NaiveDate) -> Vec<&str> {
        let mut managers = self.managers(leader);
        managers.retain(|manager| {
            commitment.responsible.iter().all(|one| one.leader != *manager || !answers(one, day))
        });
        managers
    }

    /// How many levels of escalation have a receiver.
    pub(crate) fn levels(&self, commitment: &Commitment, leader: &str, day: NaiveDate) -> usize {
        self.managers_beside(commitment, leader, day).len().max(1)
    }

    /// Who stands for a leader on a day; nobody but the secretariat for `None`.
    fn stand_in<'w>(&'w self, leader: &'w str, day: NaiveDate) -> Option<&'w str> {
        let mut chair = leader;
        if self.is_vacant(leader, day) {
            let managers = self.managers(leader);
            chair = managers.into_iter().find(|manager| !self.is_vacant(manager, day))?;
        }
        if self.is_absent(chair, day)
            && let Some(deputy) = self.leaders[chair].deputy.as_deref()
            && !self.is_vacant(deputy, day)
            && !self.is_absent(deputy, day)
        {
            chair = deputy;
        }
        Some(chair)
    }
}

/// The leader who reads a reminder when its message is frozen on `day`; `None` for the secretariat.
pub(crate) fn reader<'w>(world: &'w World, key: &'w Key, day: NaiveDate) -> Option<&'w str> {
    if key.ladder() == Ladder::Own {
        return world.stand_in(&key.leader, day);
    }
    let level: usize = key.step.trim_start_matches("escalate:").parse().unwrap();
    let commitment = &world.commitments[&key.commitment];
    let managers = world.managers_beside(commitment, &key.leader, day);
    world.stand_in(managers.get(level - 1)?, day)
}

/// The address that it goes to.
pub(crate) fn receiver<'w>(world: &'w World, key: &'w Key, day: NaiveDate) -> &'w str {
    match reader(world, key, day) {
        Some(reader) => world.leaders[reader].address.as_deref().unwrap(),
        None => &world.secretariat,
    }
}
