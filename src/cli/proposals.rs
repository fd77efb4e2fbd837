//! Deadlines that leaders proposed on the pages: what waits for an answer, and the answers.

use std::io::Write;

use super::book;
use super::exit::Exit;
use super::list::plain;
use super::log::local;
use super::setting::Setting;
use crate::store::Which;

/// Shows what waits for an answer.
pub(super) async fn show(setting: &Setting, out: &mut impl Write) -> anyhow::Result<Exit> {
    let waiting = setting.store.proposals().await?;
    let (people, _) = setting.desk().people().await?;
    for one in &waiting {
        let name = people.get(&one.leader).map_or(&one.leader, |leader| &leader.name);
        let phrase = one.phrase.iter().map(|phrase| format!(" ({phrase})")).collect::<String>();
        let at = local(one.made_at, setting.config.timezone);
        let line = format!("{}: {name} proposes {}{phrase}, {at}", one.commitment, one.window);
        writeln!(out, "{}", plain(&line))?;
        if !one.reason.is_empty() {
            writeln!(out, "  {}", plain(&one.reason))?;
        }
    }
    match waiting.len() {
        0 => writeln!(out, "no proposal waits for an answer")?,
        _ => writeln!(out, "`advis accept REF` or `advis refuse REF --reason TEXT` answers")?,
    }
    Ok(Exit::Done)
}

/// Makes a proposed deadline the deadline.
pub(super) async fn accept(
    setting: &Setting,
    reference: &str,
    out: &mut impl Write,
) -> anyhow::Result<Exit> {
    prepare(setting, reference).await?;
    let edited = setting.store.accept(reference, &setting.stamp()).await?;
    let deadline = edited.touched().first().and_then(|one| one.after.earliest_open());
    let said = deadline.map(|open| format!("the deadline is now {}", open.window));
    book::conclude(setting, edited, &said.unwrap_or_default(), out).await?;
    Ok(Exit::Done)
}

/// Turns a proposed deadline down.
pub(super) async fn refuse(
    setting: &Setting,
    reference: &str,
    reason: &str,
    out: &mut impl Write,
) -> anyhow::Result<Exit> {
    prepare(setting, reference).await?;
    let edited = setting.store.refuse(reference, reason, &setting.stamp()).await?;
    book::conclude(setting, edited, "the proposal is refused, the deadline stays", out).await?;
    Ok(Exit::Done)
}

async fn prepare(setting: &Setting, reference: &str) -> anyhow::Result<()> {
    setting.refuse_pretence().await?;
    setting.read_new().await?;
    setting.desk().roll_on(Which::These(&[reference])).await?;
    Ok(())
}
