-- Schema 2: people and their sessions, several sites a key, filters, notes, views, allow-lists, events, an inbox for answers that were
-- promised, the log of callbacks.
CREATE TABLE keys_2 (
  id TEXT PRIMARY KEY, hash BLOB NOT NULL UNIQUE, sites TEXT NOT NULL, scopes TEXT NOT NULL, title TEXT NOT NULL DEFAULT '',
  review_is_spam INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL, revoked_at INTEGER
) STRICT;
INSERT INTO keys_2 (id, hash, sites, scopes, created_at, revoked_at)
  SELECT id, hash, json_array(site), scopes, created_at, revoked_at FROM keys;
DROP TABLE keys;
ALTER TABLE keys_2 RENAME TO keys;

-- An empty list of sites means all of them.
ALTER TABLE users ADD COLUMN sites TEXT NOT NULL DEFAULT '[]';
ALTER TABLE users ADD COLUMN disabled_at INTEGER;
CREATE TABLE sessions (
  hash BLOB PRIMARY KEY, user TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE, csrf TEXT NOT NULL,
  created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

ALTER TABLE hooks ADD COLUMN settings TEXT;
ALTER TABLE articles ADD COLUMN fetch_due_at INTEGER;
ALTER TABLE articles ADD COLUMN fetch_attempts INTEGER NOT NULL DEFAULT 0;
CREATE INDEX articles_fetch ON articles (fetch_due_at) WHERE fetch_due_at IS NOT NULL;

-- The first answer is the assessment whose cause is `arrival`.
ALTER TABLE comments DROP COLUMN first_answer;
ALTER TABLE comments ADD COLUMN lang TEXT;
-- Order of what the live index says of a comment: an older word never takes the place of a newer one.
ALTER TABLE comments ADD COLUMN standing_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE comments ADD COLUMN is_history INTEGER NOT NULL DEFAULT 0;
-- Whether the text is still there: what is forgotten with time is looked at once.
ALTER TABLE comments ADD COLUMN has_text INTEGER NOT NULL DEFAULT 1;
CREATE INDEX comments_with_text ON comments (received_at) WHERE has_text = 1;
CREATE INDEX queue_comment ON queue (comment);
ALTER TABLE comments ADD COLUMN is_trusted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE comments ADD COLUMN because TEXT NOT NULL DEFAULT '[]';
UPDATE comments SET because = coalesce(
  (SELECT json_extract(a.record, '$.because') FROM assessments a WHERE a.comment = comments.seq ORDER BY a.seq DESC LIMIT 1), '[]');
CREATE INDEX comments_thread ON comments (site, thread, seq) WHERE thread IS NOT NULL;
-- Other names of a comment: a CMS that told its id only later.
CREATE TABLE aliases (
  site TEXT NOT NULL REFERENCES sites (id), alias TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (site, alias)
) STRICT, WITHOUT ROWID;
-- Comments that were deleted, by a keyed hash of their id: a late delivery must not bring one back.
CREATE TABLE deleted (
  site TEXT NOT NULL REFERENCES sites (id), id TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (site, id)
) STRICT, WITHOUT ROWID;
-- Comments whose sender was told `pending`: taken in at the next start if a crash comes first.
CREATE TABLE inbox (
  site TEXT NOT NULL REFERENCES sites (id), id TEXT NOT NULL, revision TEXT NOT NULL, record TEXT NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY (site, id, revision)
) STRICT, WITHOUT ROWID;

-- What a card can be found by, as `|signal:style|rule:en.praise/x|lang:en|section:politics|`.
ALTER TABLE queue ADD COLUMN tags TEXT NOT NULL DEFAULT '|';
-- The decision that proposed a sweep.
ALTER TABLE queue ADD COLUMN opened_by TEXT;
CREATE INDEX queue_opened_by ON queue (opened_by) WHERE opened_by IS NOT NULL;
CREATE INDEX queue_site_order ON queue (site, priority DESC, id) WHERE is_open = 1;
CREATE INDEX decisions_at ON decisions (site, at);
CREATE INDEX decision_comments_comment ON decision_comments (comment);

CREATE TABLE notes (
  id TEXT PRIMARY KEY, site TEXT NOT NULL REFERENCES sites (id), kind TEXT NOT NULL, subject TEXT NOT NULL, text TEXT NOT NULL,
  actor TEXT NOT NULL, at INTEGER NOT NULL
) STRICT;
CREATE INDEX notes_subject ON notes (site, kind, subject, at);
CREATE TABLE views (
  id TEXT PRIMARY KEY, owner TEXT NOT NULL, sites TEXT, name TEXT NOT NULL, query TEXT NOT NULL, is_shared INTEGER NOT NULL,
  created_at INTEGER NOT NULL, UNIQUE (owner, name)
) STRICT;
CREATE TABLE trusted_authors (
  site TEXT NOT NULL REFERENCES sites (id), author TEXT NOT NULL, note TEXT, actor TEXT NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY (site, author)
) STRICT, WITHOUT ROWID;
-- Legitimate campaigns by the signature of one of their comments.
CREATE TABLE allowed_campaigns (
  id TEXT PRIMARY KEY, site TEXT NOT NULL REFERENCES sites (id), title TEXT NOT NULL, sketch BLOB NOT NULL,
  canon_version INTEGER NOT NULL, expires_at INTEGER NOT NULL, actor TEXT NOT NULL, at INTEGER NOT NULL
) STRICT;
-- What happened on the desk, for those who watch.
CREATE TABLE events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, site TEXT NOT NULL, kind TEXT NOT NULL, data TEXT NOT NULL, at INTEGER NOT NULL
) STRICT;
CREATE TABLE alerts (subject TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;

ALTER TABLE callbacks ADD COLUMN kind TEXT NOT NULL DEFAULT 'standard';
CREATE INDEX outbox_callback_due ON outbox (callback, due_at, id) WHERE state = 'pending';
CREATE INDEX outbox_callback_subject ON outbox (callback, subject, id);
CREATE TABLE deliveries (
  seq INTEGER PRIMARY KEY, message TEXT NOT NULL REFERENCES outbox (id) ON DELETE CASCADE, at INTEGER NOT NULL,
  outcome TEXT NOT NULL, millis INTEGER NOT NULL
) STRICT;
CREATE INDEX deliveries_message ON deliveries (message, seq);

CREATE TABLE plugin_calls (day TEXT NOT NULL, plugin TEXT NOT NULL, calls INTEGER NOT NULL, PRIMARY KEY (day, plugin)) STRICT, WITHOUT ROWID;
CREATE TABLE akismet_calls (
  site TEXT NOT NULL REFERENCES sites (id), month TEXT NOT NULL, blog TEXT NOT NULL, api_calls INTEGER NOT NULL DEFAULT 0,
  spam INTEGER NOT NULL DEFAULT 0, ham INTEGER NOT NULL DEFAULT 0, missed_spam INTEGER NOT NULL DEFAULT 0,
  false_positives INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (site, month, blog)
) STRICT, WITHOUT ROWID;

-- A decision may be about several cards.
CREATE TABLE decision_items (
  decision TEXT NOT NULL REFERENCES decisions (id) ON DELETE CASCADE, item TEXT NOT NULL, PRIMARY KEY (decision, item)
) STRICT, WITHOUT ROWID;
INSERT INTO decision_items (decision, item) SELECT id, item FROM decisions WHERE item IS NOT NULL;
ALTER TABLE decisions DROP COLUMN item;

-- The chain covers digests of subject and detail, so that personal data can be erased from an entry and the chain still holds.
ALTER TABLE audit ADD COLUMN salt BLOB;
ALTER TABLE audit ADD COLUMN content_digest TEXT;
ALTER TABLE audit ADD COLUMN is_erased INTEGER NOT NULL DEFAULT 0;

-- What people decided last about a campaign: proposed again for its other and its later comments.
CREATE TABLE campaign_states (
  site TEXT NOT NULL REFERENCES sites (id), campaign TEXT NOT NULL, decision TEXT NOT NULL REFERENCES decisions (id) ON DELETE CASCADE,
  PRIMARY KEY (site, campaign)
) STRICT, WITHOUT ROWID;
CREATE INDEX campaign_states_decision ON campaign_states (decision);
CREATE INDEX comments_proposed ON comments (site) WHERE is_current = 1 AND verdict <> 'allow';
CREATE INDEX comments_held ON comments (received_at) WHERE verdict = 'hold';
