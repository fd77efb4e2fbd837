//! The words of a language as one letter says them. Its plain part and its HTML part say the same, so a sentence is made
//! once for both: making them is the dearest part of a page.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use minijinja::value::Object;
use minijinja::{AutoEscape, Error, ErrorKind, State, Value};

/// `words`, the macros of a file of words, for one letter.
pub(super) fn once(words: Value) -> Value {
    Value::from_object(Said { words, said: Mutex::default() })
}

#[derive(Debug)]
struct Said {
    words: Value,
    said: Mutex<Sentences>,
}

/// What the plain part said, in its order, and how far the HTML part has come in that.
#[derive(Debug, Default)]
struct Sentences {
    all: Vec<Sentence>,
    next: usize,
}

/// A sentence, and the call that made it.
#[derive(Debug)]
struct Sentence {
    name: String,
    about: Vec<Value>,
    /// Not escaped: HTML does that as it takes it in, as with any other text.
    text: Value,
}

impl Sentences {
    /// Both parts go through a letter in the same order, so it is looked for from the last one on: comparing what two
    /// sentences are about is dear where they differ.
    fn again(&mut self, name: &str, about: &[Value]) -> Option<Value> {
        let (before, after) = self.all.split_at_checked(self.next)?;
        let is_it = |one: &Sentence| one.name == name && one.about == about;
        let steps = after.iter().chain(before).position(is_it)?;
        let place = (self.next + steps) % self.all.len();
        self.next = place + 1;
        Some(self.all.get(place)?.text.clone())
    }
}

impl Said {
    fn said(&self) -> MutexGuard<'_, Sentences> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn say(&self, state: &mut State<'_, '_>, name: &str, about: &[Value]) -> Result<Value, Error> {
        let sentence = self.words.get_attr(name)?;
        if sentence.is_undefined() {
            return Err(ErrorKind::UnknownMethod.into());
        }
        sentence.call(state, about)
    }
}

impl Object for Said {
    fn call_method(
        self: &Arc<Self>,
        state: &mut State<'_, '_>,
        name: &str,
        about: &[Value],
    ) -> Result<Value, Error> {
        let is_plain = matches!(state.auto_escape(), AutoEscape::None);
        if !is_plain && let Some(text) = self.said().again(name, about) {
            return Ok(text);
        }
        let text = self.say(state, name, about)?;
        if is_plain {
            let (name, about) = (name.to_owned(), about.to_vec());
            self.said().all.push(Sentence { name, about, text: text.clone() });
        }
        Ok(text)
    }
}
