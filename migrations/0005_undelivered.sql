-- Addresses that a mail did not reach, and when the secretariat was told: once, not with every mail.
CREATE TABLE undelivered (
    address_key TEXT PRIMARY KEY NOT NULL,
    told_at     TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The last attempt that was looked at for it; what failed before this was in a report.
INSERT INTO meta (key, value) SELECT 'failures_told', coalesce(max(id), 0) FROM attempts;
