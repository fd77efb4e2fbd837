//! Which of many messages are worth opening.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::ptr;

use super::picture::SentMail;
use super::stage::Stage;
use crate::domain::leader::Capacity;
use crate::domain::rule::Ladder;

/// How many messages are pointed out.
const HIGHLIGHTS_MAX: usize = 3;

/// A message and why it is worth opening.
pub(super) struct Highlight<'s> {
    pub(super) mail: &'s SentMail,
    pub(super) why: String,
}

/// The longest digest, the first escalation, one read on behalf of somebody else; where there is none, the most varied.
pub(super) fn highlights(sent: &[SentMail]) -> Vec<Highlight<'_>> {
    let digest = longest(sent.iter().filter(|mail| mail.steps.len() > 1));
    let escalation = sent.iter().find(|mail| mail.ladder == Ladder::Escalation);
    let deputy = longest(on_behalf(sent, |capacity| matches!(capacity, Capacity::DeputyOf(_))));
    let vacancy = longest(on_behalf(sent, |capacity| matches!(capacity, Capacity::ForVacancy(_))));
    let mut varied: Vec<&SentMail> = sent.iter().collect();
    varied.sort_by_key(|mail| Reverse(stages(mail)));

    let why_digest = |mail: &SentMail| format!("The longest digest: {} items", mail.steps.len());
    let why_escalation = |_: &SentMail| "The first escalation: a manager is told".to_owned();
    let mut chosen: Vec<Highlight<'_>> = Vec::new();
    let candidates = [
        digest.map(|mail| (mail, why_digest(mail))),
        escalation.map(|mail| (mail, why_escalation(mail))),
        deputy.map(|mail| (mail, why_on_behalf(mail))),
        vacancy.map(|mail| (mail, why_on_behalf(mail))),
    ];
    let rest = varied.into_iter().map(|mail| (mail, why_varied(mail)));
    for (mail, why) in candidates.into_iter().flatten().chain(rest) {
        if chosen.len() < HIGHLIGHTS_MAX && !chosen.iter().any(|one| ptr::eq(one.mail, mail)) {
            chosen.push(Highlight { mail, why });
        }
    }
    chosen
}

/// The message with the most items; of equals the first.
fn longest<'s>(mails: impl Iterator<Item = &'s SentMail>) -> Option<&'s SentMail> {
    mails.min_by_key(|mail| Reverse(mail.steps.len()))
}

/// Own reminders that somebody reads for another.
fn on_behalf(sent: &[SentMail], which: fn(&Capacity) -> bool) -> impl Iterator<Item = &SentMail> {
    sent.iter().filter(move |mail| mail.ladder == Ladder::Own && mail.capacities.iter().any(which))
}

fn why_on_behalf(mail: &SentMail) -> String {
    let why = |capacity: &Capacity| match capacity {
        Capacity::DeputyOf(leader) => Some(format!("Read by the deputy: {leader} is away")),
        Capacity::ForVacancy(leader) => Some(format!("Read one level up: {leader} has left")),
        Capacity::Self_ | Capacity::Secretariat => None,
    };
    mail.capacities.iter().find_map(why).unwrap_or_default()
}

fn why_varied(mail: &SentMail) -> String {
    let steps: Vec<String> = mail.steps.iter().map(ToString::to_string).collect();
    format!("Steps: {}", steps.join(", "))
}

/// How many different stages the items of a message are in.
fn stages(mail: &SentMail) -> usize {
    mail.steps.iter().map(|step| Stage::of(*step)).collect::<BTreeSet<Stage>>().len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::rule::Step;

    fn mail(file: &str, steps: &[Step], capacity: Capacity) -> SentMail {
        SentMail {
            on: "2020-03-02".parse().unwrap(),
            ladder: steps[0].ladder(),
            name: "Aja Lund".to_owned(),
            to: "aja@kommune.example".to_owned(),
            subject: "Påmindelse".to_owned(),
            steps: steps.to_vec(),
            capacities: vec![capacity; steps.len()],
            file: file.to_owned(),
        }
    }

    fn chosen(sent: &[SentMail]) -> Vec<(&str, String)> {
        highlights(sent).into_iter().map(|one| (one.mail.file.as_str(), one.why)).collect()
    }

    #[test]
    fn a_digest_an_escalation_and_a_mail_for_a_vacancy_are_chosen_before_all_others() {
        let vacancy = || Capacity::ForVacancy("park".to_owned());
        let sent = [
            mail("a", &[Step::Due], Capacity::Self_),
            mail("b", &[Step::Due], vacancy()),
            mail("c", &[Step::Due, Step::Due], Capacity::Self_),
            mail("d", &[Step::Escalate(1)], vacancy()),
            mail("e", &[Step::Escalate(1)], Capacity::Self_),
        ];
        let expected = [
            ("c", "The longest digest: 2 items".to_owned()),
            ("d", "The first escalation: a manager is told".to_owned()),
            ("b", "Read one level up: park has left".to_owned()),
        ];
        assert_eq!(chosen(&sent), expected);
    }

    #[test]
    fn a_mail_is_chosen_once_and_the_most_varied_fill_up() {
        let sent = [
            mail("a", &[Step::Before(7)], Capacity::Self_),
            mail("b", &[Step::Due, Step::Overdue(1)], Capacity::DeputyOf("park".to_owned())),
            mail("c", &[Step::Due, Step::Opens], Capacity::Self_),
        ];
        let files: Vec<&str> = chosen(&sent).into_iter().map(|(file, _)| file).collect();
        assert_eq!(files, ["b", "c", "a"]);
        assert_eq!(chosen(&sent)[1].1, "Steps: due, opens");
    }
}
