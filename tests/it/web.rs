//! The pages behind the links of the mails.

mod doing;
mod giving;
mod golden;
mod hostile;
mod running;
mod settings;
mod site;
mod standing_firm;
