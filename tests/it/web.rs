//! The pages behind the links of the mails.

mod browser;
mod colours;
mod doing;
mod driver;
mod giving;
mod golden;
mod hostile;
mod mails;
mod proposing;
mod renewing;
mod running;
mod settings;
mod site;
mod standing_firm;
