//! Forms: letters whose texts are left open. Most letters of a day differ in nothing but names, titles, quotes and dates:
//! what the templates make of one is kept with its texts left open, and the next only fills in its own. Running the
//! templates is the dearest part of a letter.
//!
//! A form is right as long as a template asks no more of a text than whether it is empty, or, of a title, whether it is
//! the reference. Those compiled in keep to that, and a test holds them to it; an administrator's own may not, so with
//! those there are no forms.

use std::collections::{HashMap, VecDeque};
use std::fmt::Write;
use std::mem;

use minijinja::HtmlEscape;

use super::letter::OfficeView;
use super::templates::Draft;
use super::{Sheet, View};

/// The forms kept, in bytes, before all are let go: a hundred of letters about one commitment, twenty of long digests.
const FORMS_BYTES_MAX: usize = 512 * 1024;

/// Around the number of an open text; no text that we take in holds a control character.
const OPENS: char = '\u{1}';
const CLOSES: char = '\u{2}';

/// Follows the number: tells what was done to the text. In HTML that is to escape it; after anything else, such as
/// writing it in capitals, there is no form.
const AS_IT_IS: &str = "aA<";
const ESCAPED: &str = "aA&lt;";

/// The forms of the letters written so far.
#[derive(Debug, Default)]
pub(super) struct Forms {
    known: HashMap<Shape, Form>,
    bytes: usize,
}

/// What the templates get, with open texts.
type Shape = (OfficeView, Sheet);

/// What they make of it.
#[derive(Debug)]
struct Form {
    subject: Part,
    text: Part,
    html: Part,
    entries: Vec<(Part, Part)>,
}

#[derive(Debug)]
struct Part {
    pieces: Vec<Piece>,
    end: String,
}

/// An open text, and what stands before it.
#[derive(Debug)]
struct Piece {
    before: String,
    text: usize,
    is_escaped: bool,
}

impl Forms {
    /// Writes letters; `write` does that for those of a new form, in one go. Forms of reminders and escalations are kept;
    /// hardly two other letters are alike. There is nothing for a letter that `write` fails at.
    pub(super) fn fill(
        &mut self,
        office: &OfficeView,
        sheets: Vec<Sheet>,
        write: impl Fn(&OfficeView, &[&Sheet]) -> Vec<Option<Draft>>,
    ) -> Vec<Option<Draft>> {
        let (mut office, mut office_texts) = (office.clone(), Vec::new());
        office.each_text(&mut |text| open(text, &mut office_texts));
        let opened = sheets.into_iter().map(|mut sheet| {
            let mut texts = office_texts.clone();
            sheet.each_text(&mut |text| open(text, &mut texts));
            ((office.clone(), sheet), texts)
        });
        let opened: Vec<(Shape, Vec<String>)> = opened.collect();
        if self.bytes > FORMS_BYTES_MAX {
            *self = Self::default();
        }
        let mut new: Vec<&Shape> = Vec::new();
        for (shape, _) in &opened {
            let is_known = self.known.contains_key(shape) || new.contains(&shape);
            if !is_kept(shape) || !is_known {
                new.push(shape);
            }
        }
        let sheets: Vec<&Sheet> = new.iter().map(|(_, sheet)| sheet).collect();
        let mut used_once = VecDeque::new();
        for (shape, draft) in new.into_iter().zip(write(&office, &sheets)) {
            let form = draft.as_ref().and_then(Form::of);
            if !is_kept(shape) {
                used_once.push_back(form);
            } else if let Some(form) = form {
                self.bytes += form.parts().map(Part::bytes).sum::<usize>();
                self.known.insert(shape.clone(), form);
            }
        }
        let filled = opened.iter().map(|(shape, texts)| match is_kept(shape) {
            true => self.known.get(shape)?.fill(texts),
            false => used_once.pop_front()??.fill(texts),
        });
        filled.collect()
    }
}

fn is_kept((_, sheet): &Shape) -> bool {
    matches!(sheet.view, View::Reminders(_))
}

/// Takes a text out and leaves its number. What is trimmed where it stands alone on its line stays.
fn open(text: &mut String, texts: &mut Vec<String>) {
    if !text.is_empty() && text.trim().len() == text.len() {
        let number = texts.len();
        texts.push(mem::replace(text, format!("{OPENS}{number}{AS_IT_IS}{CLOSES}")));
    }
}

impl Form {
    /// `None` when more was done to a text than to print it.
    fn of(draft: &Draft) -> Option<Self> {
        let entry = |(title, text): &(String, String)| Some((Part::of(title)?, Part::of(text)?));
        Some(Self {
            subject: Part::of(&draft.subject)?,
            text: Part::of(&draft.text)?,
            html: Part::of(&draft.html)?,
            entries: draft.entries.iter().map(entry).collect::<Option<_>>()?,
        })
    }

    fn fill(&self, texts: &[String]) -> Option<Draft> {
        let entry = |(title, text): &(Part, Part)| Some((title.fill(texts)?, text.fill(texts)?));
        Some(Draft {
            subject: self.subject.fill(texts)?,
            text: self.text.fill(texts)?,
            html: self.html.fill(texts)?,
            entries: self.entries.iter().map(entry).collect::<Option<_>>()?,
        })
    }

    fn parts(&self) -> impl Iterator<Item = &Part> {
        let entries = self.entries.iter().flat_map(|(title, text)| [title, text]);
        [&self.subject, &self.text, &self.html].into_iter().chain(entries)
    }
}

impl Part {
    fn of(text: &str) -> Option<Self> {
        let (mut pieces, mut rest) = (Vec::new(), text);
        while let Some((before, after)) = rest.split_once(OPENS) {
            let (mark, behind) = after.split_once(CLOSES)?;
            let as_it_is = mark.strip_suffix(AS_IT_IS);
            let number = as_it_is.or_else(|| mark.strip_suffix(ESCAPED))?;
            pieces.push(Piece {
                before: before.to_owned(),
                text: number.parse().ok()?,
                is_escaped: as_it_is.is_none(),
            });
            rest = behind;
        }
        let part = Self { pieces, end: rest.to_owned() };
        let is_whole = !part.fixed().any(|text| text.contains(CLOSES));
        is_whole.then_some(part)
    }

    fn fixed(&self) -> impl Iterator<Item = &str> {
        let before = self.pieces.iter().map(|piece| piece.before.as_str());
        before.chain([self.end.as_str()])
    }

    fn bytes(&self) -> usize {
        self.fixed().map(str::len).sum::<usize>() + mem::size_of_val(self.pieces.as_slice())
    }

    fn fill(&self, texts: &[String]) -> Option<String> {
        let mut filled = String::with_capacity(2 * self.bytes());
        for Piece { before, text, is_escaped } in &self.pieces {
            filled.push_str(before);
            let text = texts.get(*text)?;
            if *is_escaped {
                write!(filled, "{}", HtmlEscape(text)).ok()?;
            } else {
                filled.push_str(text);
            }
        }
        filled.push_str(&self.end);
        Some(filled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::leader::Language;
    use crate::mail::compose::letter::OfficeView;
    use crate::mail::compose::{AMPLE, Letter, Templates, sample, sheet};

    #[test]
    fn a_letter_of_a_known_form_is_not_written() {
        let (mut forms, templates) = (Forms::default(), Templates::built_in());
        let written = sample::with_letters(Language::Danish, None, |letters, facts| {
            let reminders = letters.filter(|letter| matches!(letter, Letter::Reminders { .. }));
            let sheets = reminders.map(|letter| sheet(AMPLE, letter, facts).expect("a sheet").0);
            let sheets: Vec<Sheet> = sheets.take(20).collect();
            let office = OfficeView::new(facts.sender);
            let mut fill = || {
                let written = std::cell::Cell::new(0);
                let drafts = forms.fill(&office, sheets.clone(), |office, new| {
                    written.set(new.len());
                    new.iter().map(|sheet| templates.render(office, sheet).ok()).collect()
                });
                assert!(drafts.iter().all(Option::is_some));
                written.get()
            };
            vec![sheets.len(), fill(), fill()]
        });
        assert!(written[0] >= written[1] && written[1] > 0, "{written:?}");
        assert_eq!(written[2], 0);
    }

    fn part(text: &str) -> Option<String> {
        Part::of(text)?.fill(&["<Nørre>".to_owned(), "Å & Ø".to_owned()])
    }

    #[test]
    fn a_part_is_filled_as_its_texts_were_printed() {
        let text = "a \u{1}0aA<\u{2}, \u{1}1aA&lt;\u{2}\u{1}1aA<\u{2} b";
        assert_eq!(part(text).as_deref(), Some("a <Nørre>, Å &amp; ØÅ & Ø b"));
        assert_eq!(part("").as_deref(), Some(""));
    }

    #[test]
    fn a_text_that_was_changed_leaves_no_form() {
        for text in
            ["\u{1}0AA<\u{2}", "\u{1}0aA&amp;lt;\u{2}", "\u{1}0aA", "0aA<\u{2}", "\u{1}9aA<\u{2}"]
        {
            assert_eq!(part(text), None, "{text:?}");
        }
    }
}
