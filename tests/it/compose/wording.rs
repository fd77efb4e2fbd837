//! Words come from today and the real deadline, never from the step's name.

use advis::domain::commitment::{Commitment, Source};
use advis::domain::leader::{Capacity, Language};
use advis::domain::reminder::Item;
use advis::domain::rule::Step;
use advis::domain::window::Window;
use advis::mail::compose::Composed;

use super::calendar::entries;
use super::gallery;
use super::scene::*;

/// Subject and text of a mail about one item, with plain spaces.
fn about(commitment: &Commitment, item: Item) -> (String, String) {
    let Composed { subject, text, .. } =
        mail(&own(Language::Danish, vec![item]), std::slice::from_ref(commitment));
    (spaced(&subject), spaced(&text))
}

/// Kind, step, first day, last day (either may be missing), the subject, and a line of the text.
const DEADLINES: &str = "
milestone | before:7  |            | 2020-06-26 | Påmindelse: T – frist fredag den 26. juni 2020 | Frist om 7 dage: fredag den 26. juni 2020
milestone | due       |            | 2020-06-21 | Påmindelse: T – frist på søndag den 21. juni 2020 | Frist på søndag den 21. juni 2020 – om 2 dage
milestone | before:7  |            | 2020-06-20 | Påmindelse: T – frist lørdag den 20. juni 2020 | Frist i morgen, lørdag den 20. juni 2020
milestone | before:7  |            | 2020-06-19 | Frist i dag: T | Frist i dag, fredag den 19. juni 2020
milestone | due       |            | 2020-06-18 | Fristen er overskredet: T (fristen var den 18. juni 2020) | 1 dag over fristen, som var torsdag den 18. juni 2020
milestone | before:7  |            | 2020-06-14 | Fristen er overskredet: T (fristen var den 14. juni 2020) | 5 dage over fristen, som var søndag den 14. juni 2020
status    | opens     | 2020-06-19 | 2020-06-30 | Tid til opfølgning: T – senest den 30. juni 2020 | Perioden er 19.–30. juni 2020.
decision  | opens     | 2020-06-19 | 2020-07-31 | Nu begynder perioden: T – senest den 31. juli 2020 | Perioden er 19. juni – 31. juli 2020.
status    | opens     | 2020-06-01 | 2020-06-19 | Frist i dag: T | Frist i dag, fredag den 19. juni 2020
milestone | opens     | 2020-06-19 |            | Nu begynder perioden: T – fra den 19. juni 2020 | Opgaven gælder fra den 19. juni 2020
follow_up | opens     | 2020-06-19 |            | Tid til opfølgning: T – fra den 19. juni 2020 | Opgaven gælder fra den 19. juni 2020
meeting   | before:7  |            | 2020-06-26 | Møde: T – fredag den 26. juni 2020 | Møde om 7 dage: fredag den 26. juni 2020
meeting   | due       |            | 2020-06-19 | Møde i dag: T | Møde i dag, fredag den 19. juni 2020
meeting   | overdue:1 |            | 2020-06-17 | Møde: T – skulle være holdt onsdag den 17. juni 2020 | Mødet skulle være holdt onsdag den 17. juni 2020 – for 2 dage siden
meeting   | before:7  | 2020-02-01 | 2020-06-30 | Møde: T – senest tirsdag den 30. juni 2020 | Frist for mødet om 11 dage: tirsdag den 30. juni 2020
meeting   | overdue:1 | 2020-02-01 | 2020-06-14 | Møde: T – skulle være holdt senest søndag den 14. juni 2020 | 5 dage over fristen, som var søndag den 14. juni 2020
";

#[test]
fn subject_and_deadline_follow_the_days_left() {
    for row in DEADLINES.trim().lines() {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let [kind, step, opens, due, subject, line] = cells[..] else { panic!("{row}") };
        let first = if opens.is_empty() { due } else { opens };
        let last = if due.is_empty() { opens } else { due };
        let mut item = item("T-1", step.parse().expect("a step"), first, last);
        if due.is_empty() {
            item.span = Window::from(date(opens));
            item.days_left = None;
        }
        let (said, text) = about(&plain("T-1", "T", kind), item);
        assert_eq!(said, subject);
        assert!(text.contains(line), "{line} is not in\n{text}");
        assert!(kind != "meeting" || !text.contains("udført"), "{text}");
    }
}

#[test]
fn a_confidential_commitment_shows_only_reference_and_date_in_its_subject() {
    for kind in ["meeting", "status", "decision"] {
        let secret = Commitment { confidential: true, ..plain("SAG-7", "Hemmelig", kind) };
        for (step, opens, due, subject) in [
            (
                Step::Before(7),
                "2020-06-26",
                "2020-06-26",
                "Påmindelse: SAG-7 – frist fredag den 26. juni 2020",
            ),
            (
                Step::Opens,
                "2020-06-19",
                "2020-06-30",
                "Påmindelse: SAG-7 – frist tirsdag den 30. juni 2020",
            ),
            (Step::Due, "2020-06-19", "2020-06-19", "Frist i dag: SAG-7"),
            (
                Step::Overdue(1),
                "2020-06-16",
                "2020-06-16",
                "Fristen er overskredet: SAG-7 (fristen var den 16. juni 2020)",
            ),
        ] {
            let (said, text) = about(&secret, item("SAG-7", step, opens, due));
            assert_eq!(said, subject);
            assert!(text.contains("Hemmelig"), "those responsible read the whole");
        }
    }
}

#[test]
fn an_escalation_about_a_confidential_commitment_carries_only_its_reference() {
    let secret = Commitment { confidential: true, ..commitment("SAG-7") };
    let item = item("SAG-7", Step::Escalate(1), "2020-06-05", "2020-06-05");
    let mail = mail(&escalation(Language::Danish, vec![item]), std::slice::from_ref(&secret));
    let whole = format!("{}{}{}", mail.subject, mail.text, mail.html);
    assert!(whole.contains("SAG-7"));
    for hidden in [
        &secret.title,
        &secret.phrase,
        &secret.source.document,
        &secret.source.section,
        &secret.source.quote,
    ] {
        assert!(!whole.contains(hidden.as_str()), "{hidden}");
    }
}

#[test]
fn parts_that_are_empty_are_left_out() {
    let (_, text) = about(
        &plain("T-1", "T", "milestone"),
        item("T-1", Step::Before(7), "2020-06-26", "2020-06-26"),
    );
    for absent in ["fremgår", "læst", "orienterer", "»", "None", "none", "()", "  "] {
        assert!(!text.contains(absent), "{absent:?} is in\n{text}");
    }
}

#[test]
fn the_source_sentence_names_what_is_known() {
    let full = commitment("T-1").source;
    for (document, dated, section, quote, sentence) in [
        (
            true,
            true,
            true,
            false,
            "Det fremgår af Indstilling om dagcentre af 15. januar 2020, afsnittet Opfølgning.\n",
        ),
        (true, false, false, true, "Det fremgår af Indstilling om dagcentre: »Målene"),
        (false, true, true, false, "Det fremgår af afsnittet Opfølgning.\n"),
        (false, false, false, true, "Der står: »Målene"),
    ] {
        let mut commitment = plain("T-1", "T", "milestone");
        commitment.source.document = if document { full.document.clone() } else { String::new() };
        commitment.source.document_date = full.document_date.filter(|_| dated);
        commitment.source.section = if section { full.section.clone() } else { String::new() };
        commitment.source.quote = if quote { full.quote.clone() } else { String::new() };
        let (_, text) = about(&commitment, item("T-1", Step::Due, TODAY, TODAY));
        assert!(text.contains(sentence), "{sentence} is not in\n{text}");
    }
}

#[test]
fn our_reading_of_a_plain_date_is_not_explained() {
    let read = |phrase: &str| {
        let commitment = Commitment { phrase: phrase.to_owned(), ..plain("T-1", "T", "milestone") };
        about(&commitment, item("T-1", Step::Before(7), "2020-06-26", "2020-06-26")).1
    };
    assert!(!read("26. juni 2020").contains("læst"));
    assert!(read("26. juni").contains("Vi har læst »26. juni« som 26. juni 2020."));
}

#[test]
fn the_reading_of_a_postponed_deadline_names_no_day_from_before_it() {
    let read = |phrase: &str, due: &str| {
        let commitment = Commitment { phrase: phrase.to_owned(), ..plain("T-1", "T", "milestone") };
        about(&commitment, item("T-1", Step::Before(7), "2020-05-15", due)).1
    };
    let text = read("ultimo juni 2020", "2020-06-30");
    assert!(text.contains("Vi har læst »ultimo juni 2020« som 21.–30. juni 2020."), "{text}");
    assert!(!read("2020-06-26", "2020-06-26").contains("læst"));
}

#[test]
fn a_digest_lists_the_overdue_first_and_counts_them() {
    let late = item("A", Step::Overdue(1), "2020-06-14", "2020-06-14");
    let today = item("B", Step::Due, TODAY, TODAY);
    let later = item("C", Step::Before(30), "2020-07-19", "2020-07-19");
    let book = ["A", "B", "C"].map(|name| plain(name, name, "milestone"));
    for (items, subject, headings) in [
        (
            vec![late.clone(), today.clone(), later.clone()],
            "Du har 3 opgaver – 1 er over fristen",
            "OVER FRISTEN|FRIST I DAG|SENERE",
        ),
        (
            vec![today.clone(), later.clone()],
            "Du har 2 opgaver – 1 har frist i dag",
            "FRIST I DAG|SENERE",
        ),
        (
            vec![later.clone(), later],
            "Du har 2 opgaver – den næste har frist søndag den 19. juli 2020",
            "SENERE",
        ),
        (vec![late.clone(), late], "Du har 2 opgaver – 2 er over fristen", "OVER FRISTEN"),
    ] {
        let mail = mail(&own(Language::Danish, items), &book);
        assert_eq!(spaced(&mail.subject), subject);
        let is_heading = |line: &&str| {
            ["OVER FRISTEN", "FRIST I DAG", "FRIST INDEN FOR 14 DAGE", "SENERE"].contains(line)
        };
        let found: Vec<&str> = mail.text.lines().filter(is_heading).collect();
        assert_eq!(found.join("|"), headings);
    }
}

#[test]
fn every_reader_is_told_why() {
    let named = |capacity: fn(String) -> Capacity, name: &str| capacity(name.to_owned());
    for (leader, capacity, sentence) in [
        ("aase", Capacity::Self_, "Du får denne mail, fordi du står som ansvarlig for opgaven."),
        (
            "ida",
            named(Capacity::DeputyOf, "ida"),
            "Du får denne mail som stedfortræder for Ida Lund, der er fraværende til og med den 3. juli 2020.",
        ),
        (
            "kaj",
            named(Capacity::ForVacancy, "kaj"),
            "Du får denne mail, fordi Kaj Mølle ikke længere er registreret som leder. Fordel opgaven, eller svar sekretariatet.",
        ),
        (
            "ukendt",
            named(Capacity::ForVacancy, "ukendt"),
            "Du får denne mail, fordi ukendt ikke er registreret som leder.",
        ),
    ] {
        let mut item = item("T-1", Step::Due, TODAY, TODAY);
        item.about = vec![(leader.to_owned(), capacity)];
        let (_, text) = about(&plain("T-1", "T", "milestone"), item);
        assert!(text.contains(sentence), "{sentence} is not in\n{text}");
    }
}

#[test]
fn an_escalation_counts_the_reminders_that_were_accepted() {
    for (days, sentence) in [
        (vec!["2020-06-08"], "Åse Ærøbo har fået 1 påmindelse den 8. juni 2020."),
        (
            vec!["2020-06-01", "2020-06-08"],
            "Åse Ærøbo har fået 2 påmindelser, den seneste den 8. juni 2020.",
        ),
        (
            vec![],
            "Du skal ikke gøre andet end at aftale næste skridt med Åse Ærøbo og Søren Ågård.",
        ),
    ] {
        let mut item = item("T-1", Step::Escalate(1), "2020-06-05", "2020-06-05");
        item.about.push(("soeren".to_owned(), Capacity::Self_));
        item.reminded_on = days.into_iter().map(date).collect();
        let book = [plain("T-1", "T", "milestone")];
        let mail = mail(&escalation(Language::Danish, vec![item]), &book);
        assert!(spaced(&mail.text).contains(sentence), "{sentence} is not in\n{}", mail.text);
        assert!(mail.text.contains("fordi du er leder for Åse Ærøbo og Søren Ågård."));
    }
}

/// Mails to who answers for what they are about.
const FOR_THE_RESPONSIBLE: [&str; 22] = [
    "coming_up",
    "window_opens",
    "window_opens_without_end",
    "due_today",
    "overdue",
    "escalation_announced",
    "meeting",
    "meeting_overdue",
    "confidential",
    "several",
    "deputy",
    "vacancy_to_manager",
    "coming_up_without_pages",
    "overdue_without_pages",
    "several_without_pages",
    "handed_over",
    "done",
    "receipt",
    "cancelled",
    "new_deadline",
    "proposal_refused",
    "new_link",
];

#[test]
fn a_confidential_commitment_shows_itself_to_nobody_but_those_who_answer_for_it() {
    let secret = |commitment: Commitment| Commitment {
        confidential: true,
        title: "Hemmelig sag".to_owned(),
        source: Source { quote: "Hemmeligt citat".to_owned(), ..Source::default() },
        phrase: "hemmeligt i juni 2020".to_owned(),
        ..commitment
    };
    let book: Vec<Commitment> = gallery::book().into_iter().map(secret).collect();
    for language in gallery::LANGUAGES {
        for (name, mail) in gallery::letters_about(language, &book, "Det er Søren.") {
            let is_secret = |text: &str| text.to_lowercase().contains("hemmelig");
            assert!(!is_secret(&mail.subject), "{name}: {}", mail.subject);
            for entry in entries(&mail.mime) {
                assert!(!is_secret(&entry.title) && !is_secret(&entry.text), "{name}: {entry:?}");
                assert!(entry.is_private, "{name}");
            }
            let title = mail.html.split("</title>").next().unwrap();
            assert!(!is_secret(title), "{name}: a browser keeps titles");
            let is_shown = is_secret(&mail.text) || is_secret(&mail.html);
            let is_theirs =
                FOR_THE_RESPONSIBLE.contains(&name) || name.starts_with("several_handed");
            assert_eq!(is_shown, is_theirs, "{name}: {}", mail.text);
        }
    }
}

#[test]
fn the_subject_and_the_first_two_lines_say_what_by_when_and_what_to_do() {
    // What to do, in the words of each mail.
    let asks = [
        "markér",
        "Sig til",
        "sig det",
        "svar på",
        "Fordel",
        "Du skal ikke",
        "aftale",
        "Fra nu af",
        "Tak.",
        "Fristen er",
        "Find en anden",
        "Sig ja med",
        "skriv",
        "ret den",
        "følge op",
        "Du får ikke",
        "Her er",
        "Har du spørgsmål",
        "Følg op",
    ];
    for (name, mail) in gallery::letters(Language::Danish) {
        let lines: Vec<&str> = mail.text.lines().filter(|line| !line.is_empty()).take(2).collect();
        let [greeting, lead] = lines.as_slice() else { panic!("{name}: {}", mail.text) };
        assert!(greeting.starts_with("Kære "), "{name}: {greeting}");
        let lead = spaced(lead);
        let is_asked = |ask: &&str| lead.to_lowercase().contains(&ask.to_lowercase());
        assert!(asks.iter().any(is_asked), "{name}: {lead}");
        let both = format!("{} {lead}", spaced(&mail.subject));
        let is_dated =
            both.contains("2020") || both.contains("i dag") || both.contains("over fristen");
        let is_about_a_deadline =
            FOR_THE_RESPONSIBLE[..16].contains(&name) && !name.starts_with("vacancy");
        assert!(is_dated || !is_about_a_deadline, "{name}: {both}");
    }
}
