-- Deadlines that leaders propose on the pages, until the secretariat has answered.
CREATE TABLE proposals (
    id          INTEGER PRIMARY KEY,
    commitment  TEXT NOT NULL REFERENCES commitments (reference) ON DELETE CASCADE,
    -- The deadline that it would take the place of: once that is another, there is nothing left to answer.
    revision    INTEGER NOT NULL,
    leader      TEXT NOT NULL REFERENCES leaders (reference),
    opens       TEXT NOT NULL CHECK (opens IS date(opens)),
    due         TEXT CHECK (due IS date(due)),
    -- As it was written, if it was no date.
    phrase      TEXT NOT NULL DEFAULT '',
    reason      TEXT NOT NULL DEFAULT '',
    made_at     TEXT NOT NULL,
    state       TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'accepted', 'refused', 'withdrawn', 'replaced')),
    answered_at TEXT,
    CHECK (opens <= due),
    CHECK ((state = 'open') = (answered_at IS NULL))
) STRICT;

-- One at a time, so that a commitment is all that an answer has to name.
CREATE UNIQUE INDEX proposals_open ON proposals (commitment) WHERE state = 'open';
