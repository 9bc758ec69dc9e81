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
CREATE TABLE rule_drafts (id TEXT PRIMARY KEY, text TEXT NOT NULL, actor TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
-- Texts that somebody tried, so that the explanation has an address.
CREATE TABLE trials (id TEXT PRIMARY KEY, record TEXT NOT NULL, actor TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
CREATE INDEX trials_at ON trials (at);

-- The numbers beside the queues' names, without a look at the cards.
CREATE INDEX queue_counts ON queue (site, kind, is_escalated, opened_at) WHERE is_open = 1;
CREATE INDEX queue_claims ON queue (claimed_by) WHERE is_open = 1 AND claimed_by IS NOT NULL;
