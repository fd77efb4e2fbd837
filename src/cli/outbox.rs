//! The operator's hand on messages that did not leave, or should not: `hold`, `release`, `resend`.

use std::io::Write;

use super::exit::Exit;
use super::setting::Setting;
use crate::delivery::state::{Order, State};
use crate::store::outbox::Ordered;

/// Carries out an order on the messages of these numbers: on all, or on none.
pub(super) async fn order(
    setting: &Setting,
    order: Order,
    ids: &[i64],
    out: &mut impl Write,
) -> anyhow::Result<Exit> {
    if order != Order::Hold {
        setting.refuse_pretence().await?;
    }
    let ordered = setting.store.order(order, ids, &setting.stamp()).await?;
    for Ordered { id, to, from, state } in &ordered {
        if from == state {
            writeln!(out, "#{id} to {to}: {from} already, nothing to change")?;
        } else {
            writeln!(out, "#{id} to {to}: {} (it was {from})", said(*state))?;
        }
    }
    if ordered.iter().any(|one| one.state == State::Ready)
        && setting.store.on_hold().await?.is_some()
    {
        writeln!(out, "the whole store is on hold, so nothing leaves yet: see `advis check`")?;
    }
    Ok(Exit::Done)
}

fn said(state: State) -> &'static str {
    match state {
        State::Held => "held; `advis release` lets it go",
        _ => "ready; the worker sends it within a minute, or the next `advis once`",
    }
}

/// The number of a message, as `log` writes it or bare.
pub(super) fn number(text: &str) -> Result<i64, String> {
    let digits = text.strip_prefix('#').unwrap_or(text);
    let number = digits.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| "a message has a number, such as 17; `advis log` shows it".to_owned())
}
