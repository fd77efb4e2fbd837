-- Who gets it, as far as is known when it is planned (an address key): what goes to one person is frozen together.
ALTER TABLE reminders ADD COLUMN reader TEXT NOT NULL DEFAULT '-';

DROP INDEX reminders_planned;
CREATE INDEX reminders_planned ON reminders (reader) WHERE state = 'planned';
