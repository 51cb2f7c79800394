-- The ledger of messages: normalised phone numbers, bodies and replies. The lake's tables of
-- messages have none of these.
-- Times are UTC, ISO 8601 with microseconds, so that they sort as text.

CREATE TABLE recipients (
    user_id TEXT PRIMARY KEY,
    phone TEXT,                 -- as the source has it
    country TEXT NOT NULL,
    time_zone TEXT,
    state TEXT,
    postal_code TEXT,
    consent_at TEXT,
    consent_source TEXT,
    consent_text TEXT
) STRICT;

CREATE TABLE messages (
    message_id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL,
    campaign TEXT NOT NULL,
    day TEXT NOT NULL,          -- campaign day, local
    assignment_id TEXT NOT NULL,
    job_id TEXT,
    cohort TEXT,
    phone TEXT,                 -- +15125550123; NULL where there is no valid number
    body TEXT,                  -- NULL where the message was never rendered
    segments INTEGER,
    state TEXT NOT NULL,
    state_at TEXT NOT NULL,
    reason TEXT,
    rule_id TEXT,
    send_at TEXT NOT NULL,
    due_at TEXT NOT NULL,       -- send_at, or where the last deferral put it
    expires_at TEXT NOT NULL,   -- end of the campaign day where the recipient is
    sent_at TEXT,
    delivered_at TEXT,
    final_at TEXT,
    opted_out_at TEXT,
    provider TEXT,
    provider_id TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    UNIQUE (user_id, campaign, day)
) STRICT;

CREATE INDEX messages_due ON messages (due_at, message_id) WHERE state IN ('planned', 'deferred');
CREATE INDEX messages_sending ON messages (message_id) WHERE state = 'sending';
CREATE INDEX messages_of_phone ON messages (phone, sent_at);
CREATE INDEX messages_of_day ON messages (day, message_id);

-- Every state a message was ever in, by any process.
CREATE TABLE message_states (
    message_id TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    state TEXT NOT NULL,
    at TEXT NOT NULL,
    reason TEXT,
    rule_id TEXT,
    PRIMARY KEY (message_id, sequence)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER message_planned AFTER INSERT ON messages BEGIN
    INSERT INTO message_states
    VALUES (new.message_id, 1, new.state, new.state_at, new.reason, new.rule_id);
END;

CREATE TRIGGER message_moved AFTER UPDATE OF state ON messages BEGIN
    INSERT INTO message_states
    SELECT new.message_id, max(sequence) + 1, new.state, new.state_at, new.reason, new.rule_id
    FROM message_states WHERE message_id = new.message_id;
END;

CREATE TRIGGER message_kept BEFORE DELETE ON messages BEGIN
    SELECT RAISE(ABORT, 'messages are never deleted');
END;

CREATE TRIGGER history_unchanged BEFORE UPDATE ON message_states BEGIN
    SELECT RAISE(ABORT, 'the history of a message never changes');
END;

CREATE TRIGGER history_kept BEFORE DELETE ON message_states BEGIN
    SELECT RAISE(ABORT, 'the history of a message never changes');
END;

-- By phone number, for all campaigns: a re-import of the users does not touch it.
CREATE TABLE suppressions (
    phone TEXT NOT NULL,
    at TEXT NOT NULL,
    reason TEXT NOT NULL,       -- stop, unsure, carrier or person
    rule_id TEXT NOT NULL,
    reply_id TEXT,
    lifted_at TEXT,
    lifted_by TEXT
) STRICT;

CREATE UNIQUE INDEX suppressions_active ON suppressions (phone) WHERE lifted_at IS NULL;

CREATE TABLE replies (
    reply_id TEXT PRIMARY KEY,
    phone TEXT NOT NULL,
    body TEXT NOT NULL,
    at TEXT NOT NULL,
    kind TEXT NOT NULL,
    rule_id TEXT NOT NULL,
    suppressed INTEGER NOT NULL,
    needs_person INTEGER NOT NULL,
    message_id TEXT,
    user_id TEXT
) STRICT;

CREATE INDEX replies_at ON replies (at);

-- Replies of ours to a reply: one confirmation of an opt-out, or the help text.
CREATE TABLE notices (
    notice_id TEXT PRIMARY KEY,
    reply_id TEXT NOT NULL UNIQUE,
    phone TEXT NOT NULL,
    kind TEXT NOT NULL,         -- stop or help
    body TEXT NOT NULL,
    state TEXT NOT NULL,        -- planned, sending, sent, refused or expired
    at TEXT NOT NULL,
    expires_at TEXT NOT NULL
) STRICT;

CREATE INDEX notices_open ON notices (notice_id) WHERE state IN ('planned', 'sending');
CREATE INDEX notices_of_phone ON notices (phone, at);
