//! The program as its users meet it: from the command line in to the mail in the folder and the exit code out.

mod checking;
mod command_line;
mod connecting;
mod demo;
mod editing;
mod importing;
mod leaks;
mod operating;
mod other_systems;
mod previewing;
mod refusals;
mod rehearsing;
mod restoring;
pub(crate) mod running;
mod shapes;

use crate::world::World;

/// People of an invented municipality: a director, her chief with a deputy, one who works for him, and one who left.
const LEADERS: &str = "\
reference,name,email,manager,deputy,active_to,absent_from,absent_to
dir,Dorthe Dal,dorthe@kommune.example,,,,,
chef,Carl Eng,carl@kommune.example,dir,vice,,2027-02-15,2027-03-12
vice,Vibe Vang,vibe@kommune.example,dir,,,,
led,Lise Holm,lise@kommune.example,chef,,,,
gone,Georg Bak,georg@kommune.example,chef,,2027-01-31,,
";

/// The header of the short sheets of commitments in these tests.
const HEADER: &str = "reference,title,kind,deadline,responsible\n";

/// A Monday on which most of these tests begin.
const FIRST_DAY: &str = "2027-01-04";

/// A sheet of commitments, one a line.
fn sheet(rows: &[&str]) -> String {
    format!("{HEADER}{}\n", rows.join("\n"))
}

/// A world whose book holds these commitments since the first day.
fn world(rows: &[&str]) -> World {
    let world = World::new();
    world.import(FIRST_DAY, LEADERS, &sheet(rows)).ok();
    world
}

/// Everything that was sent, a message a line.
fn sent(world: &World) -> Vec<String> {
    world.sent().iter().map(crate::world::Sent::line).collect()
}
