-- Messages about a commitment of which they carry no reminder any more: it was deleted, and its reminders with it.
CREATE VIEW gone AS
SELECT m.id AS message
  FROM messages AS m CROSS JOIN json_each(m.items) AS i
 WHERE m.purpose IN ('own', 'escalation')
   AND NOT EXISTS (
       SELECT 1 FROM reminders AS r
        WHERE r.message = m.id AND r.state = 'attached' AND r.commitment = i.value ->> 0);
