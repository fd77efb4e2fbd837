//! The words of a language as one letter says them. Its plain part and its HTML part say the same, so a sentence is made
//! once for both: making them is the dearest part of a page.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use minijinja::value::Object;
use minijinja::{AutoEscape, Error, ErrorKind, State, Value};

/// `words`, the macros of a file of words, for one letter.
pub(super) fn once(words: Value) -> Value {
    Value::from_object(Said { words, sentences: Mutex::default() })
}

#[derive(Debug)]
struct Said {
    words: Value,
    /// What the plain part said and the HTML part has not, in that order.
    sentences: Mutex<VecDeque<Sentence>>,
}

/// A sentence, and the call that made it.
#[derive(Debug)]
struct Sentence {
    name: String,
    about: Vec<Value>,
    /// Not escaped: HTML does that as it takes it in, as with any other text.
    text: Value,
}

impl Said {
    fn said(&self, name: &str, about: &[Value]) -> Option<Value> {
        let mut sentences = self.sentences.lock().unwrap_or_else(PoisonError::into_inner);
        // Both parts go through a letter in the same order, so it is the first or one of the next.
        let place = sentences.iter().position(|one| one.name == name && one.about == about)?;
        Some(sentences.remove(place)?.text)
    }

    fn keep(&self, name: &str, about: &[Value], text: Value) {
        let sentence = Sentence { name: name.to_owned(), about: about.to_vec(), text };
        self.sentences.lock().unwrap_or_else(PoisonError::into_inner).push_back(sentence);
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
        if !matches!(state.auto_escape(), AutoEscape::None) {
            return match self.said(name, about) {
                Some(text) => Ok(text),
                None => self.say(state, name, about),
            };
        }
        let text = self.say(state, name, about)?;
        self.keep(name, about, text.clone());
        Ok(text)
    }
}
