//! What an operator may do to a message, by the state it is in. Total, no I/O.

use super::State;

/// What an operator asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Order {
    /// Not to be sent until it is released.
    Hold,
    /// What is held goes again.
    Release,
    /// To be sent now: what waits for another time, failed, or was given up.
    Resend,
}

impl Order {
    /// Every order.
    pub const ALL: [Self; 3] = [Self::Hold, Self::Release, Self::Resend];

    /// What the journal calls it.
    #[must_use]
    pub fn done(self) -> &'static str {
        match self {
            Self::Hold => "held",
            Self::Release => "released",
            Self::Resend => "resent",
        }
    }
}

/// How a message stands when the order comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Its state.
    pub state: State,
    /// Whether it may have arrived before: then only the same bytes may follow it, whatever has changed.
    pub was_in_body: bool,
    /// Whether a commitment in it is not any more as it says.
    pub is_groundless: bool,
    /// Whether a later step stands in another message, or will.
    pub is_overtaken: bool,
    /// Whether any of its reminders went to another message, or nowhere, when it was given up.
    pub is_taken_apart: bool,
}

/// The state that follows from an order; `None` where the message is as it was asked for.
///
/// # Errors
/// Why the order makes no sense, as the end of a sentence about the message.
pub fn obey(order: Order, standing: &Standing) -> Result<Option<State>, &'static str> {
    match order {
        Order::Hold => hold(standing.state),
        Order::Release => release(standing),
        Order::Resend => resend(standing),
    }
}

fn hold(state: State) -> Result<Option<State>, &'static str> {
    match state {
        State::Ready | State::Open | State::Deferred | State::Unknown => Ok(Some(State::Held)),
        State::Held => Ok(None),
        State::Body => Err(ON_THE_WIRE),
        State::Accepted => Err("the server has it"),
        State::Rejected | State::Cancelled | State::Superseded | State::Expired => {
            Err("it is not sent anyway")
        }
    }
}

fn release(standing: &Standing) -> Result<Option<State>, &'static str> {
    match standing.state {
        State::Held => again(standing),
        State::Ready => Ok(None),
        State::Rejected | State::Expired | State::Deferred | State::Unknown => {
            Err("nothing holds it; `advis resend` sends it")
        }
        State::Open | State::Body => Err(ON_THE_WIRE),
        State::Accepted => Err("the server has it"),
        State::Cancelled | State::Superseded => Err(REPLACED),
    }
}

fn resend(standing: &Standing) -> Result<Option<State>, &'static str> {
    match standing.state {
        State::Deferred | State::Unknown | State::Held => again(standing),
        State::Rejected | State::Expired if standing.is_taken_apart => {
            Err("its reminders were planned anew when it was given up")
        }
        State::Rejected | State::Expired if standing.is_groundless => Err(GROUNDLESS),
        State::Rejected | State::Expired if standing.is_overtaken => {
            Err("a later reminder of the same has taken its place")
        }
        State::Rejected | State::Expired => Ok(Some(State::Ready)),
        State::Ready => Ok(None),
        State::Open | State::Body => Err(ON_THE_WIRE),
        State::Accepted => Err("the server has it, and servers throw away the same mail \
            under the same Message-ID; what it said is in `advis explain`"),
        State::Cancelled | State::Superseded => Err(REPLACED),
    }
}

/// Ready, and not unknown: at the next start the policy for what is unknown would hold it again.
fn again(standing: &Standing) -> Result<Option<State>, &'static str> {
    if standing.is_groundless && !standing.was_in_body {
        return Err(GROUNDLESS);
    }
    Ok(Some(State::Ready))
}

const ON_THE_WIRE: &str =
    "it is on its way right now; look again when `advis log` shows the answer";
const GROUNDLESS: &str = "a commitment in it has changed since, so what it says is not so any more";
const REPLACED: &str = "it was taken back, and what is still so goes in another message";

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(state: State) -> Standing {
        let was_in_body = matches!(state, State::Body | State::Unknown);
        Standing {
            state,
            was_in_body,
            is_groundless: false,
            is_overtaken: false,
            is_taken_apart: false,
        }
    }

    /// Whether the order moves the message (to that state), changes nothing, or is refused.
    fn follows(order: Order, standing: &Standing) -> &'static str {
        match obey(order, standing) {
            Ok(Some(state)) => state.name(),
            Ok(None) => "stays",
            Err(_) => "refused",
        }
    }

    #[test]
    fn each_order_moves_only_what_it_makes_sense_for() {
        for (state, hold, release, resend) in [
            (State::Ready, "held", "stays", "stays"),
            (State::Open, "held", "refused", "refused"),
            (State::Body, "refused", "refused", "refused"),
            (State::Accepted, "refused", "refused", "refused"),
            (State::Deferred, "held", "refused", "ready"),
            (State::Rejected, "refused", "refused", "ready"),
            (State::Unknown, "held", "refused", "ready"),
            (State::Cancelled, "refused", "refused", "refused"),
            (State::Superseded, "refused", "refused", "refused"),
            (State::Expired, "refused", "refused", "ready"),
            (State::Held, "stays", "ready", "ready"),
        ] {
            let found = Order::ALL.map(|order| follows(order, &standing(state)));
            assert_eq!(found, [hold, release, resend], "{state}");
        }
    }

    #[test]
    fn what_is_not_so_any_more_goes_only_if_it_may_have_arrived() {
        for (state, was_in_body, resent) in [
            (State::Held, false, "refused"),
            (State::Held, true, "ready"),
            (State::Unknown, true, "ready"),
            (State::Deferred, false, "refused"),
            (State::Rejected, true, "refused"),
            (State::Expired, true, "refused"),
        ] {
            let standing = Standing { was_in_body, is_groundless: true, ..standing(state) };
            assert_eq!(follows(Order::Resend, &standing), resent, "{state} {was_in_body}");
        }
        let held = Standing { is_groundless: true, ..standing(State::Held) };
        assert_eq!(follows(Order::Release, &held), "refused");
        assert_eq!(follows(Order::Hold, &Standing { state: State::Ready, ..held }), "held");
    }

    #[test]
    fn what_was_given_up_never_says_again_what_another_message_says() {
        for state in [State::Rejected, State::Expired] {
            let overtaken = Standing { is_overtaken: true, ..standing(state) };
            let apart = Standing { is_taken_apart: true, ..standing(state) };
            assert_eq!(follows(Order::Resend, &overtaken), "refused", "{state}");
            assert_eq!(follows(Order::Resend, &apart), "refused", "{state}");
        }
        let held = Standing { is_overtaken: true, ..standing(State::Held) };
        assert_eq!(follows(Order::Release, &held), "ready");
    }
}
