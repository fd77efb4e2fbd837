-- From when a message's days until it is given up are counted, where an operator started them anew.
ALTER TABLE messages ADD COLUMN patience_from TEXT;

-- What happened to a message, for those who ask about it.
CREATE INDEX events_message ON events (message) WHERE message IS NOT NULL;
