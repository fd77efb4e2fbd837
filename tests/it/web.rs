//! The pages behind the links of the mails.

mod accessible;
mod browser;
mod colours;
mod doing;
mod driver;
mod engine;
mod giving;
mod golden;
mod hostile;
mod mails;
mod operator;
mod pictures;
mod proposing;
mod renewing;
mod running;
mod settings;
mod site;
mod standing_firm;
