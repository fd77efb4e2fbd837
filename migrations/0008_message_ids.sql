-- Message-IDs are random: nearly each new one wrote a page of their index. But day and address are hashed into them, so one
-- that is unique among those of its day and address is unique among all; and by day and address there is an index already,
-- in whose order messages are written.
CREATE TABLE messages_before AS SELECT * FROM messages;
-- What refers to a message finds it again before the end.
PRAGMA defer_foreign_keys = ON;
DROP TABLE messages;

-- One mail to one person. Its bytes are frozen in message_bytes, apart, so that a change of state stays small.
CREATE TABLE messages (
    id            INTEGER PRIMARY KEY,
    purpose       TEXT NOT NULL CHECK (purpose IN ('own', 'escalation', 'notice', 'report')),
    day           TEXT NOT NULL CHECK (day IS date(day)),
    sender        TEXT NOT NULL,
    recipient     TEXT NOT NULL,
    address_key   TEXT NOT NULL,
    name          TEXT NOT NULL,
    subject       TEXT NOT NULL,
    message_id    TEXT NOT NULL,
    -- What it was frozen with, [[commitment, step], …]: the log tells it still when the reminders have moved on.
    items         TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(items)),
    state         TEXT NOT NULL CHECK (state IN ('ready', 'open', 'body', 'accepted', 'deferred', 'rejected',
                      'unknown', 'cancelled', 'superseded', 'expired', 'held')),
    attempt       INTEGER NOT NULL DEFAULT 0,
    epoch         INTEGER NOT NULL DEFAULT 0,
    -- How many attempts the network left unknown.
    resends       INTEGER NOT NULL DEFAULT 0,
    was_in_body   INTEGER NOT NULL DEFAULT 0 CHECK (was_in_body IN (0, 1)),
    next_at       TEXT,
    rehearsal     INTEGER NOT NULL DEFAULT 0 CHECK (rehearsal IN (0, 1)),
    frozen_at     TEXT NOT NULL,
    started_at    TEXT,
    accepted_on   TEXT CHECK (accepted_on IS date(accepted_on)),
    -- From when its days until it is given up are counted, where an operator started them anew.
    patience_from TEXT,
    CHECK ((accepted_on IS NOT NULL) = (state = 'accepted'))
) STRICT;

INSERT INTO messages (id, purpose, day, sender, recipient, address_key, name, subject, message_id, items, state, attempt,
    epoch, resends, was_in_body, next_at, rehearsal, frozen_at, started_at, accepted_on, patience_from)
SELECT id, purpose, day, sender, recipient, address_key, name, subject, message_id, items, state, attempt,
    epoch, resends, was_in_body, next_at, rehearsal, frozen_at, started_at, accepted_on, patience_from
  FROM messages_before
 ORDER BY id;
DROP TABLE messages_before;

-- Statements that mean to use this index repeat its list of states word for word.
CREATE INDEX messages_waiting ON messages (id) WHERE state IN ('ready', 'open', 'body', 'deferred', 'unknown', 'held');
CREATE UNIQUE INDEX messages_day ON messages (day, address_key, message_id);
CREATE INDEX messages_accepted ON messages (accepted_on, address_key) WHERE accepted_on IS NOT NULL;
