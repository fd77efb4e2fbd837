-- What the operator's page asks for each time it is opened, in a book and a log that may be large.
CREATE INDEX commitments_needs_date ON commitments (reference) WHERE status = 'needs_date';
CREATE INDEX attempts_failed ON attempts (at) WHERE state IN ('rejected', 'expired');
