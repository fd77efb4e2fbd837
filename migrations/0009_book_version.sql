-- Counts what can take its ground from a reminder. As long as it stands where it stood when the reminders of a message were
-- found due, they have theirs, and nobody need look at each before its body leaves.
CREATE TABLE book_version (number INTEGER NOT NULL) STRICT;
INSERT INTO book_version (number) VALUES (1);

ALTER TABLE messages ADD COLUMN book_version INTEGER;

-- INSERT OR REPLACE removes a row, and no trigger hears of that: so a row counts that stands in the place of another.
CREATE TRIGGER commitments_replaced AFTER INSERT ON commitments
    WHEN EXISTS (SELECT 1 FROM reminders WHERE commitment = new.reference)
    BEGIN UPDATE book_version SET number = number + 1; END;
CREATE TRIGGER commitments_moved AFTER UPDATE OF reference, status, revision ON commitments
    BEGIN UPDATE book_version SET number = number + 1; END;
CREATE TRIGGER commitments_gone AFTER DELETE ON commitments
    BEGIN UPDATE book_version SET number = number + 1; END;
-- In the place of another it is the same window, unless it is closed.
CREATE TRIGGER windows_replaced AFTER INSERT ON windows WHEN new.closed_on IS NOT NULL
    BEGIN UPDATE book_version SET number = number + 1; END;
CREATE TRIGGER windows_moved AFTER UPDATE OF commitment, revision, number, closed_on ON windows
    BEGIN UPDATE book_version SET number = number + 1; END;
CREATE TRIGGER windows_gone AFTER DELETE ON windows
    BEGIN UPDATE book_version SET number = number + 1; END;
CREATE TRIGGER responsibilities_moved AFTER UPDATE OF commitment, leader ON responsibilities
    BEGIN UPDATE book_version SET number = number + 1; END;
CREATE TRIGGER responsibilities_gone AFTER DELETE ON responsibilities
    BEGIN UPDATE book_version SET number = number + 1; END;
