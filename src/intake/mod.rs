//! The use case: a comment comes in, is analysed, scored, stored in one commit with its card, and answered.
//!
//! [`Intake::take`] is the live way, [`Intake::score`] judges a text without keeping it. The order is what makes it safe: the store is asked whether
//! the delivery is known; the text is judged without any lock; the [`live`] index places it under a lock held for microseconds;
//! the store commits; what changed about earlier comments follows in a second commit, and is found again at the next start
//! if a crash comes between.

pub mod live;
mod privacy;

pub use privacy::pseudonym;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::Utc;

use self::live::{Live, Member, priority, text_score};
use crate::domain::{Article, Assessment, Comment, Id, Status};
use crate::engine::{Engine, Place, Standing};
use crate::signals::NoHistory;
use crate::similarity::{Features, Sketch};
use crate::store::records::{NewComment, Remembered, Taken, TextFacts};
use crate::store::{Store, StoreError};
use crate::text::{Analysis, CANON_VERSION, Context, Language, Reference, stable_hash};

/// Comments read from the store at a time when the live index is made.
const PAGE: usize = 5000;
/// Reassessments of one commit.
const BATCH: usize = 500;

/// Takes comments in. Shared by all workers.
pub struct Intake {
    engine: Arc<Engine>,
    store: Store,
    live: Mutex<Live>,
}

impl Intake {
    /// Makes the live index from the store, and catches up on what a crash left undone.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub async fn start(engine: Arc<Engine>, store: Store) -> Result<Self, StoreError> {
        let mut live = Live::default();
        let mut after = 0;
        loop {
            let page = store.remembered(after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = last.seq;
            for remembered in page {
                live.arrive(&engine, &member_of(remembered));
            }
        }
        let changed = live.all_changed(&engine);
        let intake = Self { engine, store, live: Mutex::new(live) };
        intake.reassess(changed).await?;
        Ok(intake)
    }

    /// The store behind it.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Rules, model and thresholds.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// How many comments the live index knows, and its bytes.
    pub fn index_size(&self) -> (usize, usize) {
        let live = self.live();
        (live.len(), live.index_bytes())
    }

    fn live(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a comment of a site: judged, stored, answered. The same delivery again gets the first answer. The work goes on to its end
    /// even when the caller gives up waiting; `ticket` is dropped then and not before.
    ///
    /// # Errors
    /// When the store refuses it; nothing is kept then.
    pub async fn take(
        self: &Arc<Self>,
        site: String,
        comment: Comment,
        queue: bool,
        ticket: impl Send + 'static,
    ) -> Result<Taken, StoreError> {
        let intake = Arc::clone(self);
        let task = tokio::spawn(async move {
            let _ticket = ticket;
            let taken = intake.take_now(site, comment, queue).await;
            if let Err(error) = &taken {
                tracing::error!(%error, "a comment was not kept");
            }
            taken
        });
        task.await.map_err(|error| StoreError::Database(format!("the intake failed: {error}")))?
    }

    async fn take_now(&self, site: String, mut comment: Comment, queue: bool) -> Result<Taken, StoreError> {
        comment.site = Some(Id::from(site.as_str()));
        let revision = revision(&comment);
        if let Some(taken) = self.store.known(site.clone(), comment.id.clone(), revision.clone()).await? {
            return Ok(taken);
        }
        let article = match &comment.article_id {
            Some(id) => self.store.article(site.clone(), id.clone()).await?,
            None => None,
        };
        let parent = match &comment.parent_id {
            Some(id) => self.store.text(site.clone(), id.clone()).await?,
            None => None,
        };
        privacy::hash_contacts(&mut comment, self.store.secret());
        let (new, placed) = self.judge(site, comment, revision, article.as_ref(), parent.as_deref(), queue);
        let (verdict, because) = (new.verdict, new.because.clone());
        match self.store.take(new).await {
            Ok(taken) if taken.fresh => {
                let changed = {
                    let mut live = self.live();
                    if let Some(replaced) = taken.replaced {
                        live.remove_seq(replaced);
                    }
                    live.confirm(&self.engine, &placed, taken.seq, verdict, &because)
                };
                self.reassess(changed).await?;
                Ok(taken)
            }
            Ok(taken) => {
                self.live().remove(placed.number);
                Ok(taken)
            }
            Err(error) => {
                self.live().remove(placed.number);
                Err(error)
            }
        }
    }

    async fn reassess(&self, mut changed: Vec<crate::store::records::Reassessed>) -> Result<(), StoreError> {
        while !changed.is_empty() {
            let rest = changed.split_off(changed.len().min(BATCH));
            self.store.reassess(std::mem::replace(&mut changed, rest)).await?;
        }
        Ok(())
    }

    /// Judges a comment and places it in the live index.
    fn judge(
        &self,
        site: String,
        comment: Comment,
        revision: String,
        article: Option<&Article>,
        parent: Option<&str>,
        queue: bool,
    ) -> (NewComment, live::Placed) {
        let article = article.map(|a| Reference::new(&a.title, a.body.as_deref().unwrap_or_default()));
        let parent = parent.map(|text| Reference::new("", text));
        let lang = comment.lang.as_deref().and_then(Language::parse);
        let context = Context { article: article.as_ref(), parent: parent.as_ref(), lang };
        let analysis = Analysis::new(&comment.text, &context);
        let mut evidence = Vec::new();
        let text = self.engine.score_text(&comment, &analysis, article.as_ref(), Some(&mut evidence));
        let sketch = Sketch::new(&Features::new(&analysis, article.as_ref()));
        let facts = TextFacts {
            points: text.points,
            p: text.p,
            words: text.words,
            disguised: text.disguised,
            strongest_rule: text.strongest_rule,
            abstained: text.abstained,
        };
        let placed = self.live().arrive(
            &self.engine,
            &Member {
                seq: None,
                site: site.clone(),
                id: comment.id.to_string(),
                thread: comment.thread().map(Id::to_string),
                author: comment.author_key().map(str::to_owned),
                at: comment.created_at.unwrap_or_else(Utc::now).timestamp_millis(),
                facts,
                sketch,
                verdict: crate::domain::Verdict::Allow,
                campaign: None,
                on_campaign_card: false,
            },
        );
        let place = Place {
            standing: placed.standing,
            campaign: placed.campaign.as_deref().map(Id::from),
            history: Some(&placed.known),
        };
        let assessment =
            self.engine.assess(&comment, &analysis, article.as_ref(), &text_score(&facts), evidence, &place);
        let new = NewComment {
            site,
            revision,
            facts,
            sketch: sketch.map(|sketch| sketch.to_bytes()),
            verdict: assessment.verdict,
            because: assessment.because.clone(),
            campaign: placed.campaign.clone(),
            assessment: serde_json::to_string(&assessment).unwrap_or_default(),
            queue,
            priority: priority(&facts, &placed.standing),
            comment,
        };
        (new, placed)
    }

    /// Judges a comment by its text, and by an article given with it, without keeping anything.
    pub fn score(&self, comment: &Comment, article: Option<&Article>) -> Assessment {
        let article = article.map(|a| Reference::new(&a.title, a.body.as_deref().unwrap_or_default()));
        let lang = comment.lang.as_deref().and_then(Language::parse);
        let analysis =
            Analysis::new(&comment.text, &Context { article: article.as_ref(), parent: None, lang });
        let mut evidence = Vec::new();
        let text = self.engine.score_text(comment, &analysis, article.as_ref(), Some(&mut evidence));
        let place = Place { standing: Standing::default(), campaign: None, history: Some(&NoHistory) };
        self.engine.assess(comment, &analysis, article.as_ref(), &text, evidence, &place)
    }

    /// What the CMS or its people did to a comment.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an unknown comment.
    pub async fn set_status(&self, site: String, id: Id, status: Status) -> Result<(), StoreError> {
        self.store.set_status(site, id, status, "cms".to_owned()).await
    }

    /// Forgets a comment everywhere.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an unknown comment.
    pub async fn delete(&self, site: String, id: Id) -> Result<(), StoreError> {
        for seq in self.store.delete_comment(site, id, "cms".to_owned()).await? {
            self.live().remove_seq(seq);
        }
        Ok(())
    }
}

/// Names this version of a comment: the CMS's own name for it, or the text's hash. A delivery with the same is the same delivery.
fn revision(comment: &Comment) -> String {
    match &comment.revision {
        Some(revision) => format!("r:{revision}"),
        None => format!("t:{:016x}", stable_hash(comment.text.as_bytes())),
    }
}

fn member_of(remembered: Remembered) -> Member {
    let sketch = remembered.sketch.as_deref().filter(|_| remembered.canon_version == CANON_VERSION);
    Member {
        seq: Some(remembered.seq),
        sketch: sketch.and_then(Sketch::from_bytes),
        site: remembered.site,
        id: remembered.id,
        thread: remembered.thread,
        author: remembered.author,
        at: remembered.at,
        facts: remembered.facts,
        verdict: remembered.verdict,
        campaign: remembered.campaign,
        on_campaign_card: remembered.on_campaign_card,
    }
}
