-- Schema 3: the desk's pages: settings of people, counts by hour, drafts of rules, tried texts.
CREATE TABLE preferences (
  user TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE, name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (user, name)
) STRICT, WITHOUT ROWID;

-- Comments that came live, by the hour in which they were posted (hours since 1970), and what was proposed for them on arrival.
CREATE TABLE hourly (
  site TEXT NOT NULL REFERENCES sites (id), hour INTEGER NOT NULL, comments INTEGER NOT NULL, flagged INTEGER NOT NULL,
  PRIMARY KEY (site, hour)
) STRICT, WITHOUT ROWID;
INSERT INTO hourly (site, hour, comments, flagged)
  SELECT site, coalesce(created_at, received_at) / 3600000, count(*), sum(verdict <> 'allow') FROM comments
  WHERE is_current = 1 AND is_history = 0 GROUP BY 1, 2;

-- Rules that were drafted on the desk: matched and counted as shadow, beside the operator's files.
CREATE TABLE rule_drafts (
  id TEXT PRIMARY KEY, site TEXT NOT NULL REFERENCES sites (id), text TEXT NOT NULL, actor TEXT NOT NULL, at INTEGER NOT NULL
) STRICT;
-- Texts that somebody tried, so that the explanation has an address.
CREATE TABLE trials (id TEXT PRIMARY KEY, record TEXT NOT NULL, actor TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
CREATE INDEX trials_at ON trials (at);

-- The numbers beside the queues' names, without a look at the cards: kept by triggers, so that no way of changing a card goes past them.
CREATE TABLE queue_totals (
  site TEXT NOT NULL, kind TEXT NOT NULL, is_escalated INTEGER NOT NULL, cards INTEGER NOT NULL, PRIMARY KEY (site, kind, is_escalated)
) STRICT, WITHOUT ROWID;
INSERT INTO queue_totals (site, kind, is_escalated, cards)
  SELECT site, kind, is_escalated, count(*) FROM queue WHERE is_open = 1 GROUP BY 1, 2, 3;
CREATE TRIGGER queue_card_opened AFTER INSERT ON queue WHEN new.is_open = 1 BEGIN
  INSERT INTO queue_totals (site, kind, is_escalated, cards) VALUES (new.site, new.kind, new.is_escalated, 1)
    ON CONFLICT (site, kind, is_escalated) DO UPDATE SET cards = cards + 1;
END;
CREATE TRIGGER queue_card_moved AFTER UPDATE OF is_open, is_escalated ON queue
  WHEN old.is_open <> new.is_open OR old.is_escalated <> new.is_escalated BEGIN
  UPDATE queue_totals SET cards = cards - 1
    WHERE old.is_open = 1 AND site = old.site AND kind = old.kind AND is_escalated = old.is_escalated;
  INSERT INTO queue_totals (site, kind, is_escalated, cards) SELECT new.site, new.kind, new.is_escalated, 1 WHERE new.is_open = 1
    ON CONFLICT (site, kind, is_escalated) DO UPDATE SET cards = cards + 1;
END;
CREATE TRIGGER queue_card_removed AFTER DELETE ON queue WHEN old.is_open = 1 BEGIN
  UPDATE queue_totals SET cards = cards - 1 WHERE site = old.site AND kind = old.kind AND is_escalated = old.is_escalated;
END;
CREATE INDEX queue_oldest ON queue (site, opened_at) WHERE is_open = 1;
-- The other orders of the whole queue.
CREATE INDEX queue_longest ON queue (opened_at, id) WHERE is_open = 1;
CREATE INDEX queue_latest ON queue (opened_at DESC, id) WHERE is_open = 1;
-- The short queues, in their order.
CREATE INDEX queue_campaigns ON queue (priority DESC, id) WHERE is_open = 1 AND kind = 'campaign';
CREATE INDEX queue_escalated ON queue (priority DESC, id) WHERE is_open = 1 AND is_escalated = 1;
CREATE INDEX queue_held ON queue (priority DESC, id) WHERE is_open = 1 AND verdict = 'hold';
-- An article's comments, whatever its threads are called.
ALTER TABLE comments ADD COLUMN article TEXT GENERATED ALWAYS AS (json_extract(record, '$.article_id')) VIRTUAL;
CREATE INDEX comments_article ON comments (site, article, seq) WHERE article IS NOT NULL;

-- What a rescoring proposes, as its file says it; and what applying it changed, so that it can be taken back exactly.
CREATE TABLE plans (
  id TEXT PRIMARY KEY, head TEXT NOT NULL, items INTEGER NOT NULL, actor TEXT NOT NULL, at INTEGER NOT NULL,
  applied_at INTEGER, applied_by TEXT, undone_at INTEGER, undone_by TEXT
) STRICT;
-- What a plan proposes for a comment: goes when the comment's text goes, for it quotes it.
CREATE TABLE plan_items (
  plan TEXT NOT NULL REFERENCES plans (id) ON DELETE CASCADE, comment INTEGER NOT NULL REFERENCES comments (seq) ON DELETE CASCADE,
  item TEXT NOT NULL, PRIMARY KEY (plan, comment)
) STRICT, WITHOUT ROWID;
CREATE INDEX plan_items_comment ON plan_items (comment);
CREATE TABLE plan_changes (
  plan TEXT NOT NULL REFERENCES plans (id) ON DELETE CASCADE, comment INTEGER NOT NULL REFERENCES comments (seq) ON DELETE CASCADE,
  before TEXT NOT NULL, standing_after INTEGER NOT NULL, assessment INTEGER NOT NULL, PRIMARY KEY (plan, comment)
) STRICT, WITHOUT ROWID;
-- Cards that were there before, whole, and those that were opened (no row before); with the version after.
CREATE TABLE plan_cards (
  plan TEXT NOT NULL REFERENCES plans (id) ON DELETE CASCADE, card TEXT NOT NULL, before TEXT, version_after INTEGER NOT NULL,
  PRIMARY KEY (plan, card)
) STRICT, WITHOUT ROWID;
