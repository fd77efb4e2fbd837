-- The store of Advis. Dates are text, YYYY-MM-DD; instants are text, RFC 3339 in UTC with a Z.
-- Other systems may write leaders, commitments, windows and responsibilities (README, "The store for other systems");
-- every other table belongs to Advis alone.

CREATE TABLE meta (
    key   TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Tells this store's Message-IDs from those of any other.
INSERT INTO meta (key, value) VALUES ('instance', lower(hex(randomblob(16))));

CREATE TABLE leaders (
    reference   TEXT PRIMARY KEY NOT NULL CHECK (trim(reference) <> ''),
    name        TEXT NOT NULL CHECK (trim(name) <> ''),
    email       TEXT NOT NULL,
    role        TEXT NOT NULL DEFAULT '',
    unit        TEXT NOT NULL DEFAULT '',
    manager     TEXT REFERENCES leaders (reference) DEFERRABLE INITIALLY DEFERRED,
    deputy      TEXT REFERENCES leaders (reference) DEFERRABLE INITIALLY DEFERRED,
    language    TEXT CHECK (language IN ('da', 'en')),
    active_from TEXT CHECK (active_from IS date(active_from)),
    active_to   TEXT CHECK (active_to IS date(active_to)),
    absent_from TEXT CHECK (absent_from IS date(absent_from)),
    absent_to   TEXT CHECK (absent_to IS date(absent_to)),
    imported    TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(imported)),
    CHECK (active_from <= active_to),
    CHECK (absent_from <= absent_to),
    CHECK (manager <> reference),
    CHECK (deputy <> reference)
) STRICT, WITHOUT ROWID;

CREATE TABLE commitments (
    reference      TEXT PRIMARY KEY NOT NULL CHECK (trim(reference) <> ''),
    title          TEXT NOT NULL CHECK (trim(title) <> ''),
    kind           TEXT NOT NULL DEFAULT 'follow_up',
    phrase         TEXT NOT NULL DEFAULT '',
    organisation   TEXT NOT NULL DEFAULT '',
    document       TEXT NOT NULL DEFAULT '',
    document_date  TEXT CHECK (document_date IS date(document_date)),
    section        TEXT NOT NULL DEFAULT '',
    quote          TEXT NOT NULL DEFAULT '',
    confidential   INTEGER NOT NULL DEFAULT 0 CHECK (confidential IN (0, 1)),
    status         TEXT NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'needs_date', 'done', 'cancelled')),
    adopted_on     TEXT CHECK (adopted_on IS date(adopted_on)),
    -- The day it was written here: read later, its steps count from that day all the same.
    written_on     TEXT NOT NULL DEFAULT (date('now')) CHECK (written_on IS date(written_on)),
    -- From here on Advis fills in what is left NULL at its next pass. To have a changed phrase read, raise revision
    -- and set entered_on to NULL.
    entered_on     TEXT CHECK (entered_on IS date(entered_on)),
    reference_date TEXT CHECK (reference_date IS date(reference_date)),
    revision       INTEGER NOT NULL DEFAULT 1 CHECK (revision BETWEEN 1 AND 1000000),
    confidence     TEXT CHECK (confidence IN ('high', 'assumed_year', 'fuzzy', 'corrected')),
    undated        TEXT,
    rrule          TEXT,
    span           TEXT,
    problem        TEXT,
    look_on        TEXT CHECK (look_on IS date(look_on)),
    imported       TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(imported)),
    CHECK ((rrule IS NULL) = (span IS NULL))
) STRICT, WITHOUT ROWID;

-- What the next pass reads: rows never read or not to be made sense of, and those whose day has come.
CREATE INDEX commitments_unread ON commitments (reference) WHERE entered_on IS NULL OR problem IS NOT NULL;
CREATE INDEX commitments_look_on ON commitments (look_on) WHERE status = 'open';

CREATE TABLE windows (
    commitment TEXT NOT NULL REFERENCES commitments (reference) ON DELETE CASCADE,
    revision   INTEGER NOT NULL DEFAULT 1 CHECK (revision BETWEEN 1 AND 1000000),
    number     INTEGER NOT NULL DEFAULT 1 CHECK (number BETWEEN 1 AND 1000000),
    opens      TEXT NOT NULL CHECK (opens IS date(opens)),
    due        TEXT CHECK (due IS date(due)),
    made_on    TEXT CHECK (made_on IS date(made_on)),
    closed_on  TEXT CHECK (closed_on IS date(closed_on)),
    closed_as  TEXT CHECK (closed_as IN ('done', 'not_answered')),
    PRIMARY KEY (commitment, revision, number),
    CHECK (opens <= due),
    CHECK ((closed_on IS NULL) = (closed_as IS NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE responsibilities (
    commitment TEXT NOT NULL REFERENCES commitments (reference) ON DELETE CASCADE,
    leader     TEXT NOT NULL REFERENCES leaders (reference),
    position   INTEGER NOT NULL DEFAULT 1 CHECK (position BETWEEN 1 AND 1000000),
    since      TEXT CHECK (since IS date(since)),
    -- The day from which somebody else answers for it.
    until      TEXT CHECK (until IS date(until)),
    PRIMARY KEY (commitment, leader)
) STRICT, WITHOUT ROWID;

CREATE INDEX responsibilities_leader ON responsibilities (leader);
CREATE INDEX responsibilities_until ON responsibilities (until) WHERE until IS NOT NULL;

CREATE TABLE snoozes (
    commitment TEXT NOT NULL REFERENCES commitments (reference) ON DELETE CASCADE,
    revision   INTEGER NOT NULL,
    window     INTEGER NOT NULL,
    leader     TEXT NOT NULL REFERENCES leaders (reference),
    until      TEXT NOT NULL CHECK (until IS date(until)),
    made_on    TEXT NOT NULL CHECK (made_on IS date(made_on)),
    PRIMARY KEY (commitment, revision, window, leader)
) STRICT, WITHOUT ROWID;

-- Since when each step of each kind has been in force; NULL: as long as anyone remembers.
CREATE TABLE rule_steps (
    kind  TEXT NOT NULL,
    step  TEXT NOT NULL CHECK (step IN ('opens', 'due') OR step GLOB 'before:[0-9]*'
                   OR step GLOB 'overdue:[0-9]*' OR step GLOB 'escalate:[0-9]*'),
    days  INTEGER NOT NULL,
    since TEXT CHECK (since IS date(since)),
    PRIMARY KEY (kind, step, days)
) STRICT, WITHOUT ROWID;

-- One mail to one person. Its bytes are frozen in message_bytes, apart, so that a change of state stays small.
CREATE TABLE messages (
    id          INTEGER PRIMARY KEY,
    purpose     TEXT NOT NULL CHECK (purpose IN ('own', 'escalation', 'notice', 'report')),
    day         TEXT NOT NULL CHECK (day IS date(day)),
    sender      TEXT NOT NULL,
    recipient   TEXT NOT NULL,
    address_key TEXT NOT NULL,
    name        TEXT NOT NULL,
    subject     TEXT NOT NULL,
    message_id  TEXT NOT NULL UNIQUE,
    -- What it was frozen with, [[commitment, step], …]: the log tells it still when the reminders have moved on.
    items       TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(items)),
    state       TEXT NOT NULL CHECK (state IN ('ready', 'open', 'body', 'accepted', 'deferred', 'rejected',
                    'unknown', 'cancelled', 'superseded', 'expired', 'held')),
    attempt     INTEGER NOT NULL DEFAULT 0,
    epoch       INTEGER NOT NULL DEFAULT 0,
    -- How many attempts the network left unknown.
    resends     INTEGER NOT NULL DEFAULT 0,
    was_in_body INTEGER NOT NULL DEFAULT 0 CHECK (was_in_body IN (0, 1)),
    next_at     TEXT,
    rehearsal   INTEGER NOT NULL DEFAULT 0 CHECK (rehearsal IN (0, 1)),
    frozen_at   TEXT NOT NULL,
    started_at  TEXT,
    accepted_on TEXT CHECK (accepted_on IS date(accepted_on)),
    CHECK ((accepted_on IS NOT NULL) = (state = 'accepted'))
) STRICT;

-- Statements that mean to use this index repeat its list of states word for word.
CREATE INDEX messages_waiting ON messages (id) WHERE state IN ('ready', 'open', 'body', 'deferred', 'unknown', 'held');
CREATE INDEX messages_day ON messages (day, address_key);
CREATE INDEX messages_accepted ON messages (accepted_on, address_key) WHERE accepted_on IS NOT NULL;

CREATE TABLE message_bytes (
    message INTEGER PRIMARY KEY REFERENCES messages (id),
    mime    BLOB NOT NULL,
    sha256  TEXT NOT NULL
) STRICT;

-- One step of one window about one responsible leader: once only.
CREATE TABLE reminders (
    commitment TEXT NOT NULL REFERENCES commitments (reference) ON DELETE CASCADE,
    revision   INTEGER NOT NULL,
    window     INTEGER NOT NULL,
    step       TEXT NOT NULL CHECK (step IN ('opens', 'due') OR step GLOB 'before:[0-9]*'
                   OR step GLOB 'overdue:[0-9]*' OR step GLOB 'escalate:[0-9]*'),
    leader     TEXT NOT NULL REFERENCES leaders (reference),
    planned_on TEXT NOT NULL CHECK (planned_on IS date(planned_on)),
    moved_on   TEXT NOT NULL CHECK (moved_on IS date(moved_on)),
    state      TEXT NOT NULL DEFAULT 'planned' CHECK (state IN ('planned', 'attached', 'cancelled', 'superseded', 'expired')),
    message    INTEGER REFERENCES messages (id),
    PRIMARY KEY (commitment, revision, window, step, leader),
    CHECK ((state = 'attached') <= (message IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX reminders_message ON reminders (message);
CREATE INDEX reminders_planned ON reminders (state) WHERE state = 'planned';

-- Reminders under way about what is so no more, whoever changed it.
CREATE VIEW groundless AS
SELECT r.*
  FROM reminders AS r
 WHERE r.state IN ('planned', 'attached') AND NOT EXISTS (
       SELECT 1
         FROM commitments AS c
         JOIN windows AS w ON w.commitment = c.reference AND w.revision = c.revision
         JOIN responsibilities AS p ON p.commitment = c.reference
        WHERE c.reference = r.commitment AND c.status = 'open' AND c.revision = r.revision
          AND w.number = r.window AND w.closed_on IS NULL AND p.leader = r.leader);

-- The delivery log: what every attempt led to. Append only.
CREATE TABLE attempts (
    id      INTEGER PRIMARY KEY,
    message INTEGER NOT NULL REFERENCES messages (id),
    attempt INTEGER NOT NULL,
    at      TEXT NOT NULL,
    state   TEXT NOT NULL CHECK (state IN ('accepted', 'deferred', 'rejected', 'unknown', 'held', 'expired')),
    stage   TEXT,
    code    INTEGER,
    reply   TEXT NOT NULL DEFAULT '',
    UNIQUE (message, attempt)
) STRICT;

CREATE INDEX attempts_at ON attempts (at);

-- Who changed what, and when. Append only.
CREATE TABLE events (
    id         INTEGER PRIMARY KEY,
    at         TEXT NOT NULL,
    who        TEXT NOT NULL,
    what       TEXT NOT NULL,
    commitment TEXT,
    leader     TEXT,
    message    INTEGER,
    detail     TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(detail))
) STRICT;

CREATE INDEX events_commitment ON events (commitment);

CREATE TRIGGER attempts_are_kept BEFORE DELETE ON attempts BEGIN SELECT RAISE(ABORT, 'the delivery log is append only'); END;
CREATE TRIGGER attempts_stand BEFORE UPDATE ON attempts BEGIN SELECT RAISE(ABORT, 'the delivery log is append only'); END;
CREATE TRIGGER events_are_kept BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'events are append only'); END;
CREATE TRIGGER events_stand BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'events are append only'); END;

-- The last wall-clock firing of each schedule.
CREATE TABLE firings (
    schedule TEXT PRIMARY KEY NOT NULL CHECK (schedule IN ('reminders', 'report')),
    wall     TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The book as the planner sees it, once Advis has read a commitment: one row each, what belongs to it as JSON arrays.
CREATE VIEW book AS
SELECT c.*,
       (SELECT json_group_array(json_array(w.number, w.opens, w.due, w.made_on, w.closed_on))
          FROM windows w WHERE w.commitment = c.reference AND w.revision = c.revision) AS windows,
       (SELECT json_group_array(json_array(r.position, r.leader, r.since, r.until))
          FROM responsibilities r WHERE r.commitment = c.reference) AS responsible,
       -- Most drivers do not enforce references.
       (SELECT json_group_array(r.leader)
          FROM responsibilities r WHERE r.commitment = c.reference
           AND NOT EXISTS (SELECT 1 FROM leaders l WHERE l.reference = r.leader)) AS strangers,
       (SELECT json_group_array(json_array(s.leader, s.window, s.until, s.made_on))
          FROM snoozes s WHERE s.commitment = c.reference AND s.revision = c.revision) AS snoozes
  FROM commitments c
 WHERE c.entered_on IS NOT NULL;

-- What the planner counts as sent: reminders in messages that were not withdrawn.
CREATE VIEW sent AS
SELECT r.commitment, r.revision, r.window, r.leader, r.step, m.day, m.accepted_on
  FROM reminders r
  JOIN messages m ON m.id = r.message AND m.state NOT IN ('cancelled', 'superseded', 'expired')
 WHERE r.state = 'attached';

-- A deadline written anew is as young as its writing.
CREATE TRIGGER commitments_rewritten AFTER UPDATE OF entered_on ON commitments
    WHEN new.entered_on IS NULL AND old.entered_on IS NOT NULL
    BEGIN UPDATE commitments SET written_on = date('now') WHERE reference = new.reference; END;

-- Whoever changes what a plan depends on, the commitment is looked at again at the next pass.
CREATE TRIGGER commitments_changed AFTER UPDATE OF kind, status, adopted_on, entered_on, reference_date, revision, rrule, span
    ON commitments WHEN new.look_on IS NOT NULL
    BEGIN UPDATE commitments SET look_on = NULL WHERE reference = new.reference; END;
CREATE TRIGGER windows_added AFTER INSERT ON windows
    BEGIN UPDATE commitments SET look_on = NULL WHERE reference = new.commitment AND look_on IS NOT NULL; END;
CREATE TRIGGER windows_changed AFTER UPDATE ON windows
    BEGIN UPDATE commitments SET look_on = NULL WHERE reference = new.commitment AND look_on IS NOT NULL; END;
CREATE TRIGGER windows_removed AFTER DELETE ON windows
    BEGIN UPDATE commitments SET look_on = NULL WHERE reference = old.commitment AND look_on IS NOT NULL; END;
CREATE TRIGGER responsibilities_added AFTER INSERT ON responsibilities
    BEGIN UPDATE commitments SET look_on = NULL WHERE reference = new.commitment AND look_on IS NOT NULL; END;
CREATE TRIGGER responsibilities_changed AFTER UPDATE ON responsibilities
    BEGIN UPDATE commitments SET look_on = NULL WHERE reference = new.commitment AND look_on IS NOT NULL; END;
CREATE TRIGGER responsibilities_removed AFTER DELETE ON responsibilities
    BEGIN UPDATE commitments SET look_on = NULL WHERE reference = old.commitment AND look_on IS NOT NULL; END;
CREATE TRIGGER snoozes_added AFTER INSERT ON snoozes
    BEGIN UPDATE commitments SET look_on = NULL WHERE reference = new.commitment AND look_on IS NOT NULL; END;
CREATE TRIGGER snoozes_changed AFTER UPDATE ON snoozes
    BEGIN UPDATE commitments SET look_on = NULL WHERE reference = new.commitment AND look_on IS NOT NULL; END;
CREATE TRIGGER snoozes_removed AFTER DELETE ON snoozes
    BEGIN UPDATE commitments SET look_on = NULL WHERE reference = old.commitment AND look_on IS NOT NULL; END;
-- Who stands above or in for whom decides about escalations anywhere in the book.
CREATE TRIGGER leaders_added AFTER INSERT ON leaders
    BEGIN UPDATE commitments SET look_on = NULL WHERE status = 'open' AND look_on IS NOT NULL; END;
CREATE TRIGGER leaders_changed AFTER UPDATE OF email, manager, deputy, active_from, active_to, absent_from, absent_to ON leaders
    BEGIN UPDATE commitments SET look_on = NULL WHERE status = 'open' AND look_on IS NOT NULL; END;
CREATE TRIGGER leaders_removed AFTER DELETE ON leaders
    BEGIN UPDATE commitments SET look_on = NULL WHERE status = 'open' AND look_on IS NOT NULL; END;
