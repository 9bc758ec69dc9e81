-- Schema 1. Times are milliseconds since 1970 (UTC). Records are JSON.
CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;

CREATE TABLE sites (id TEXT PRIMARY KEY, title TEXT NOT NULL, created_at INTEGER NOT NULL) STRICT;

CREATE TABLE users (
  name TEXT PRIMARY KEY, role TEXT NOT NULL, password_hash TEXT NOT NULL, created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE keys (
  id TEXT PRIMARY KEY, hash BLOB NOT NULL UNIQUE, site TEXT NOT NULL REFERENCES sites (id),
  scopes TEXT NOT NULL, created_at INTEGER NOT NULL, revoked_at INTEGER
) STRICT;

CREATE TABLE hooks (
  name TEXT PRIMARY KEY, site TEXT NOT NULL REFERENCES sites (id), adapter TEXT NOT NULL, secrets TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

-- Webhook ids already taken, so that a replayed request does nothing twice.
CREATE TABLE hook_deliveries (
  hook TEXT NOT NULL REFERENCES hooks (name), id TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (hook, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE articles (
  site TEXT NOT NULL REFERENCES sites (id), id TEXT NOT NULL, record TEXT NOT NULL, updated_at INTEGER NOT NULL,
  PRIMARY KEY (site, id)
) STRICT, WITHOUT ROWID;

-- One row a revision; the one that counts has is_current = 1.
CREATE TABLE comments (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  site TEXT NOT NULL REFERENCES sites (id), id TEXT NOT NULL, revision TEXT NOT NULL, is_current INTEGER NOT NULL,
  thread TEXT, author TEXT, status TEXT NOT NULL, decided_by TEXT, created_at INTEGER, received_at INTEGER NOT NULL,
  record TEXT NOT NULL,
  points REAL NOT NULL, p REAL NOT NULL, words INTEGER NOT NULL, disguised INTEGER NOT NULL, strongest_rule REAL NOT NULL,
  abstained INTEGER NOT NULL,
  sketch BLOB, canon_version INTEGER NOT NULL,
  verdict TEXT NOT NULL, campaign TEXT,
  first_answer TEXT NOT NULL,
  UNIQUE (site, id, revision)
) STRICT;
CREATE UNIQUE INDEX comments_current ON comments (site, id) WHERE is_current = 1;
CREATE INDEX comments_campaign ON comments (campaign, seq) WHERE campaign IS NOT NULL;
CREATE INDEX comments_author ON comments (site, author, seq) WHERE author IS NOT NULL;

-- Every assessment a comment has had, the first one too.
CREATE TABLE assessments (
  seq INTEGER PRIMARY KEY, comment INTEGER NOT NULL REFERENCES comments (seq) ON DELETE CASCADE,
  at INTEGER NOT NULL, cause TEXT NOT NULL, record TEXT NOT NULL
) STRICT;
CREATE INDEX assessments_comment ON assessments (comment, seq);

CREATE TABLE queue (
  id TEXT PRIMARY KEY, version INTEGER NOT NULL, kind TEXT NOT NULL, site TEXT NOT NULL REFERENCES sites (id),
  comment INTEGER REFERENCES comments (seq) ON DELETE CASCADE, campaign TEXT,
  verdict TEXT NOT NULL, because TEXT NOT NULL, priority REAL NOT NULL, opened_at INTEGER NOT NULL,
  is_open INTEGER NOT NULL, is_escalated INTEGER NOT NULL DEFAULT 0, claimed_by TEXT, claimed_until INTEGER
) STRICT;
CREATE UNIQUE INDEX queue_open_comment ON queue (comment) WHERE is_open = 1 AND comment IS NOT NULL;
CREATE UNIQUE INDEX queue_open_campaign ON queue (site, campaign) WHERE is_open = 1 AND campaign IS NOT NULL;
CREATE INDEX queue_order ON queue (priority DESC, id) WHERE is_open = 1;

CREATE TABLE decisions (
  id TEXT PRIMARY KEY, site TEXT NOT NULL REFERENCES sites (id), item TEXT, action TEXT NOT NULL, reason TEXT, note TEXT,
  actor TEXT NOT NULL, trust TEXT NOT NULL, at INTEGER NOT NULL, undo_until INTEGER NOT NULL, undone_at INTEGER
) STRICT;
CREATE TABLE decision_comments (
  decision TEXT NOT NULL REFERENCES decisions (id), comment INTEGER NOT NULL REFERENCES comments (seq) ON DELETE CASCADE,
  status_before TEXT NOT NULL, decided_by_before TEXT, PRIMARY KEY (decision, comment)
) STRICT, WITHOUT ROWID;

-- Append-only; each row's hash covers the row before it.
CREATE TABLE audit (
  seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL, subject TEXT NOT NULL,
  detail TEXT NOT NULL, hash TEXT NOT NULL
) STRICT;

CREATE TABLE callbacks (
  id TEXT PRIMARY KEY, site TEXT NOT NULL REFERENCES sites (id), url TEXT NOT NULL, secret TEXT NOT NULL,
  allow_private INTEGER NOT NULL, is_enabled INTEGER NOT NULL, created_at INTEGER NOT NULL
) STRICT;
CREATE TABLE outbox (
  id TEXT PRIMARY KEY, callback TEXT NOT NULL REFERENCES callbacks (id), subject TEXT NOT NULL, body TEXT NOT NULL, created_at INTEGER NOT NULL,
  due_at INTEGER NOT NULL, attempts INTEGER NOT NULL, state TEXT NOT NULL, last_outcome TEXT
) STRICT;
CREATE INDEX outbox_due ON outbox (due_at) WHERE state = 'pending';
CREATE INDEX outbox_subject ON outbox (callback, subject, id) WHERE state = 'pending';
