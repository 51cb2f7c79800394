-- The sandbox provider's own books: what it was given, whom it blocks, what it will report.

CREATE TABLE outbox (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id TEXT,            -- not unique, as at a real provider; NULL for the provider's own messages
    provider_id TEXT NOT NULL,
    phone TEXT NOT NULL,
    body TEXT NOT NULL,
    at TEXT NOT NULL
) STRICT;

CREATE INDEX outbox_of_message ON outbox (message_id);

CREATE TABLE blocks (
    phone TEXT NOT NULL,
    since TEXT NOT NULL,
    until TEXT                  -- NULL: still blocked
) STRICT;

CREATE INDEX blocks_of_phone ON blocks (phone);

CREATE TABLE callbacks (
    callback_id TEXT PRIMARY KEY,
    at TEXT NOT NULL,
    message_id TEXT,            -- of a receipt
    status TEXT,
    code TEXT,
    phone TEXT,                 -- of a reply
    body TEXT,
    answered INTEGER NOT NULL DEFAULT 0,
    acknowledged INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX callbacks_waiting ON callbacks (at, callback_id) WHERE NOT acknowledged;
