-- The next day on which there can be anything to say about each open commitment; NULL: look now, if the first of its windows
-- is within reach of the rules. A table of its own, since it changes far oftener than the commitments do, and rows of a
-- kilobyte would be written anew each time.
CREATE TABLE agenda (
    commitment TEXT PRIMARY KEY NOT NULL,
    look_on    TEXT CHECK (look_on IS date(look_on)),
    -- Not after the first day of any of its windows.
    opens      TEXT NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO agenda (commitment, look_on, opens)
SELECT reference, look_on, coalesce((SELECT min(opens) FROM windows WHERE commitment = reference), '9999-12-31')
  FROM commitments
 WHERE status = 'open';

CREATE INDEX agenda_look_on ON agenda (look_on) WHERE look_on IS NOT NULL;
CREATE INDEX agenda_unlooked ON agenda (opens) WHERE look_on IS NULL;

DROP TRIGGER commitments_changed;
DROP TRIGGER windows_added;
DROP TRIGGER windows_changed;
DROP TRIGGER windows_removed;
DROP TRIGGER responsibilities_added;
DROP TRIGGER responsibilities_changed;
DROP TRIGGER responsibilities_removed;
DROP TRIGGER snoozes_added;
DROP TRIGGER snoozes_changed;
DROP TRIGGER snoozes_removed;
DROP TRIGGER leaders_added;
DROP TRIGGER leaders_changed;
DROP TRIGGER leaders_removed;
DROP INDEX commitments_look_on;
ALTER TABLE commitments DROP COLUMN look_on;

-- Whoever changes what a plan depends on, the commitment is looked at again at the next pass.
CREATE TRIGGER commitments_added AFTER INSERT ON commitments WHEN new.status = 'open'
    BEGIN
        INSERT OR REPLACE INTO agenda (commitment, opens)
        SELECT new.reference, coalesce(min(opens), '9999-12-31') FROM windows WHERE commitment = new.reference;
    END;
CREATE TRIGGER commitments_changed
    AFTER UPDATE OF reference, kind, status, adopted_on, entered_on, reference_date, revision, rrule, span ON commitments
    BEGIN
        DELETE FROM agenda WHERE commitment = old.reference;
        INSERT OR REPLACE INTO agenda (commitment, opens)
        SELECT new.reference, coalesce(min(opens), '9999-12-31') FROM windows WHERE commitment = new.reference
        HAVING new.status = 'open';
    END;
CREATE TRIGGER commitments_removed AFTER DELETE ON commitments
    BEGIN DELETE FROM agenda WHERE commitment = old.reference; END;
CREATE TRIGGER windows_added AFTER INSERT ON windows
    BEGIN UPDATE agenda SET look_on = NULL, opens = min(opens, new.opens) WHERE commitment = new.commitment; END;
CREATE TRIGGER windows_changed AFTER UPDATE ON windows
    BEGIN
        UPDATE agenda SET look_on = NULL WHERE commitment = old.commitment AND look_on IS NOT NULL;
        UPDATE agenda SET look_on = NULL, opens = min(opens, new.opens) WHERE commitment = new.commitment;
    END;
CREATE TRIGGER windows_removed AFTER DELETE ON windows
    BEGIN UPDATE agenda SET look_on = NULL WHERE commitment = old.commitment AND look_on IS NOT NULL; END;
CREATE TRIGGER responsibilities_added AFTER INSERT ON responsibilities
    BEGIN UPDATE agenda SET look_on = NULL WHERE commitment = new.commitment AND look_on IS NOT NULL; END;
CREATE TRIGGER responsibilities_changed AFTER UPDATE ON responsibilities
    BEGIN UPDATE agenda SET look_on = NULL WHERE commitment IN (old.commitment, new.commitment) AND look_on IS NOT NULL; END;
CREATE TRIGGER responsibilities_removed AFTER DELETE ON responsibilities
    BEGIN UPDATE agenda SET look_on = NULL WHERE commitment = old.commitment AND look_on IS NOT NULL; END;
CREATE TRIGGER snoozes_added AFTER INSERT ON snoozes
    BEGIN UPDATE agenda SET look_on = NULL WHERE commitment = new.commitment AND look_on IS NOT NULL; END;
CREATE TRIGGER snoozes_changed AFTER UPDATE ON snoozes
    BEGIN UPDATE agenda SET look_on = NULL WHERE commitment IN (old.commitment, new.commitment) AND look_on IS NOT NULL; END;
CREATE TRIGGER snoozes_removed AFTER DELETE ON snoozes
    BEGIN UPDATE agenda SET look_on = NULL WHERE commitment = old.commitment AND look_on IS NOT NULL; END;
-- Who stands above or in for whom decides about escalations anywhere in the book.
CREATE TRIGGER leaders_added AFTER INSERT ON leaders
    BEGIN UPDATE agenda SET look_on = NULL WHERE look_on IS NOT NULL; END;
CREATE TRIGGER leaders_changed AFTER UPDATE OF email, manager, deputy, active_from, active_to, absent_from, absent_to ON leaders
    BEGIN UPDATE agenda SET look_on = NULL WHERE look_on IS NOT NULL; END;
CREATE TRIGGER leaders_removed AFTER DELETE ON leaders
    BEGIN UPDATE agenda SET look_on = NULL WHERE look_on IS NOT NULL; END;
