-- The moves that a message may make. Part of schema 2; schema 1 did not let a suppressed message be
-- decided about again.
DROP TRIGGER IF EXISTS message_moves;

CREATE TRIGGER message_moves BEFORE UPDATE OF state ON messages
WHEN (old.state, new.state) NOT IN (VALUES
    ('planned', 'deferred'), ('planned', 'sending'), ('planned', 'suppressed'),
    ('planned', 'expired'),
    ('deferred', 'deferred'), ('deferred', 'sending'), ('deferred', 'suppressed'),
    ('deferred', 'expired'),
    ('sending', 'sent'), ('sending', 'failed'), ('sending', 'suppressed'),
    ('sending', 'planned'),
    ('sent', 'delivered'), ('sent', 'failed'),
    ('suppressed', 'planned'), ('suppressed', 'suppressed')
)
-- What was ever given to the provider is not planned again.
OR (old.state = 'suppressed' AND (old.attempts > 0 OR old.sent_at IS NOT NULL))
BEGIN
    SELECT RAISE(ABORT, 'a message cannot move that way');
END;
