//! A made-up past, for the demo: what came in within seconds is dated as if it had come when it was posted.

use super::SqliteStore;
use crate::store::StoreError;

impl SqliteStore {
    /// Whether this is a demo's store.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn is_demo(&self) -> Result<bool, StoreError> {
        self.read(|connection| Ok(connection.prepare("SELECT 1 FROM meta WHERE key = 'demo'")?.exists([])?))
            .await
    }

    /// Dates arrivals by the times of posting, cards by their first comment, decisions by some time after their comments, and marks the store as a demo's. For one that
    /// holds nothing but a seed: the audit log keeps its own times.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn date_back(&self) -> Result<(), StoreError> {
        self.writer
            .run(|connection| {
                connection.execute_batch(
                    "INSERT INTO meta (key, value) VALUES ('demo', x'01') ON CONFLICT DO NOTHING;
                     UPDATE comments SET received_at = coalesce(created_at, received_at);
                     UPDATE assessments SET at = (SELECT received_at FROM comments c WHERE c.seq = assessments.comment);
                     UPDATE queue SET opened_at = coalesce(
                       (SELECT c.received_at FROM comments c WHERE c.seq = queue.comment),
                       (SELECT min(c.received_at) FROM comments c WHERE c.site = queue.site AND c.campaign = queue.campaign), opened_at);
                     UPDATE decisions SET at = coalesce(
                       (SELECT max(c.received_at) + 300000 + (c.seq * 7919 % 97) * 60000 FROM decision_comments x JOIN comments c ON c.seq = x.comment
                        WHERE x.decision = decisions.id), at);
                     UPDATE decisions SET undo_until = at + 600000;",
                )?;
                Ok(())
            })
            .await
    }
}
