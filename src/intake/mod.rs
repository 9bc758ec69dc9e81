//! The use case: a comment comes in, is analysed, scored, stored in one commit with its card, and answered.
//!
//! [`Intake::take`] is the live way, [`Intake::score`] judges a text without keeping it. The order is what makes it safe: the store is asked what
//! it knows of the delivery; `plugins` are asked if there are any; the text is judged without any lock; the [`live`] index places it under a
//! lock held for microseconds; the store commits the comment, its card and what it changed about earlier comments at once.
//! What an operator or a moderator allows lies beside: `holds` says what may be kept back, `trust` who is above suspicion, `allowed`
//! which campaigns are legitimate.

mod allowed;
mod articles;
mod holds;
pub mod live;
pub mod plugins;
mod privacy;
mod trust;

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use chrono::Utc;

use self::articles::{Articles, Known};
use self::holds::Holds;
use self::live::{Live, Member, Origin, Placed, text_score};

pub use self::allowed::Allowed;
pub(crate) use self::live::{facts_of, priority};
use self::plugins::Plugins;
use crate::config::{Contacts, Settings};
use crate::domain::{Article, Assessment, Comment, Id, Status, Verdict};
use crate::engine::{Engine, External, Place, Standing};
use crate::signals::NoHistory;
use crate::similarity::{Features, Sketch};
use crate::store::records::{Arrival, NewComment, Question, Reassessed, Remembered, Sites, Taken, Trust};
use crate::store::{Store, StoreError};
use crate::text::{Analysis, CANON_VERSION, Context, Language, Reference, stable_hash};

/// Comments read from the store at a time when the live index is made.
const PAGE: usize = 5000;
/// Reassessments of one commit.
const BATCH: usize = 500;
/// How long past its budget an answer waits for the promise to be on disk.
const GRACE: Duration = Duration::from_secs(2);

/// Takes comments in. Shared by all workers.
pub struct Intake {
    engine: ArcSwap<Engine>,
    store: Store,
    live: Mutex<Live>,
    plugins: ArcSwap<Plugins>,
    holds: Holds,
    trust: ArcSwap<crate::config::Trust>,
    contacts: ArcSwap<Contacts>,
    allowed: Allowed,
    trusted_authors: ArcSwap<HashSet<(String, String)>>,
    articles: Articles,
    /// Whether promises are being kept now.
    keeping: AtomicBool,
    /// How long the stages took.
    pub stages: Stages,
}

/// Microseconds spent in each stage, and how often.
#[derive(Debug, Default)]
pub struct Stages {
    /// Asking the store what it knows.
    pub ask: crate::telemetry::Timing,
    /// Asking plugins.
    pub plugins: crate::telemetry::Timing,
    /// Analysis, model, rules, signals, the live index.
    pub judge: crate::telemetry::Timing,
    /// Waiting for the commit.
    pub commit: crate::telemetry::Timing,
}

/// What became of a comment within its budget.
#[derive(Debug)]
pub enum Outcome {
    /// It was judged and stored.
    Taken(Taken),
    /// It is on disk and will be judged.
    Pending,
}

impl Intake {
    /// Makes the live index from the store, judges anew what that index says another word of, and takes in what was promised before a crash: the
    /// start of the one service of a store.
    ///
    /// # Errors
    /// When the store cannot be read or written, or a plugin's secret cannot be read.
    pub async fn start(
        engine: Arc<Engine>,
        store: Store,
        settings: &Settings,
    ) -> Result<Arc<Self>, StoreError> {
        let intake = Self::beside(engine, store, settings).await?;
        let changed = intake.live().all_changed(&intake.engine());
        intake.reassess(changed).await?;
        intake.keep_promises(0).await?;
        Ok(intake)
    }

    /// Makes the live index from the store and leaves everything in it as it is: for work beside a service that may run with other rules.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn beside(
        engine: Arc<Engine>,
        store: Store,
        settings: &Settings,
    ) -> Result<Arc<Self>, StoreError> {
        let service = &settings.service;
        let plugins = Plugins::new(&service.plugins).map_err(StoreError::Refused)?;
        let intake = Self {
            engine: ArcSwap::new(engine),
            live: Mutex::default(),
            plugins: ArcSwap::from_pointee(plugins),
            holds: Holds::new(&service.hold),
            trust: ArcSwap::from_pointee(service.trust.clone()),
            contacts: ArcSwap::from_pointee(service.privacy.contacts),
            allowed: Allowed::default(),
            trusted_authors: ArcSwap::default(),
            articles: Articles::default(),
            keeping: AtomicBool::new(false),
            stages: Stages::default(),
            store,
        };
        intake.refresh().await?;
        intake.sign_again().await?;
        let engine = intake.engine();
        let mut live = Live::default();
        let mut after = 0;
        loop {
            let page = intake.store.remembered(after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = last.seq;
            for remembered in page {
                let member = intake.member_of(remembered);
                live.arrive(&engine, &member, true);
            }
        }
        *intake.live() = live;
        Ok(Arc::new(intake))
    }

    /// Takes in the comments whose senders were told `pending` longer ago than this and that are still not judged.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn keep_promises(self: &Arc<Self>, older_than_millis: i64) -> Result<(), StoreError> {
        let promised = self.store.promised(older_than_millis).await?;
        // One round at a time, and one after another: two versions of a comment in their order.
        if promised.is_empty() || self.keeping.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        let intake = Arc::clone(self);
        tokio::spawn(async move {
            for (site, comment) in promised {
                let (of_site, id, version) = (site.clone(), comment.id.clone(), revision(&comment));
                match intake.take_protected(site, comment, true).await {
                    Ok(_) | Err(StoreError::Deleted) => {}
                    // It will be refused the next time too.
                    Err(StoreError::Refused(error)) => {
                        tracing::error!(error, "a promised comment cannot be kept");
                        let _ = intake.store.forget_promise(of_site, id, version).await;
                    }
                    Err(error) => tracing::error!(%error, "a promised comment waits on"),
                }
            }
            intake.keeping.store(false, Ordering::Release);
        });
        Ok(())
    }

    /// The store behind it.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Rules, model and thresholds.
    pub fn engine(&self) -> Arc<Engine> {
        self.engine.load_full()
    }

    /// Puts other rules, another model, other settings in place of those so far, at once for every comment from now on.
    ///
    /// # Errors
    /// When a plugin's secret cannot be read; nothing is changed then.
    pub fn reload(&self, engine: Engine, settings: &Settings) -> Result<(), String> {
        let service = &settings.service;
        let plugins = self.plugins.load().renewed(&service.plugins)?;
        let engine = Arc::new(engine);
        self.live().recount(&engine);
        self.engine.store(engine);
        self.plugins.store(Arc::new(plugins));
        self.holds.configure(&service.hold);
        self.trust.store(Arc::new(service.trust.clone()));
        self.contacts.store(Arc::new(service.privacy.contacts));
        Ok(())
    }

    /// Reads anew what others may have changed in the store: allowed campaigns, trusted authors, what people decided about each reason.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn refresh(&self) -> Result<(), StoreError> {
        self.allowed.set(&self.store.allowed_campaigns(Sites::All).await?);
        let trusted = self.store.trusted_authors(Sites::All).await?;
        self.trusted_authors.store(Arc::new(trusted.into_iter().map(|one| (one.site, one.author)).collect()));
        self.holds.refresh(&self.store).await
    }

    /// Takes in what an applied plan, or one taken back, has made of comments.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn follow_plan(&self, plan: String) -> Result<(), StoreError> {
        let changed = self.store.remembered_of_plan(plan).await?;
        let engine = self.engine.load();
        for portion in changed.chunks(256) {
            let members: Vec<Member> = portion.iter().map(|one| self.member_of(one.clone())).collect();
            let mut live = self.live();
            for member in members {
                live.correct(&engine, member);
            }
        }
        Ok(())
    }

    /// Keeps an article; comments that come from now on are compared with it.
    ///
    /// # Errors
    /// When the site does not exist.
    pub async fn put_article(&self, site: String, article: Article) -> Result<(), StoreError> {
        let id = article.id.clone();
        self.store.put_article(site.clone(), article).await?;
        self.articles.forget(&site, &id);
        Ok(())
    }

    /// How many comments the live index knows, and its bytes.
    pub fn index_size(&self) -> (usize, usize) {
        let live = self.live();
        (live.len(), live.index_bytes())
    }

    /// The comments most like one of the store, by their numbers there, most alike first, each with its likeness in [0, 1].
    pub fn alike(&self, seq: i64, sketch: Option<&[u8]>, most: usize) -> Vec<(i64, f64)> {
        let Some(sketch) = sketch.and_then(Sketch::from_bytes) else { return Vec::new() };
        let engine = self.engine.load();
        let mut alike = self.live().alike(&engine, &sketch, most + 1);
        alike.retain(|(other, _)| *other != seq);
        alike.truncate(most);
        alike
    }

    /// How each plugin fared: its name -> asked, remembered, failed, skipped.
    pub fn plugin_counts(&self) -> std::collections::BTreeMap<String, [u64; 4]> {
        self.plugins.load().counts()
    }

    /// Forgets comments that were erased, by their numbers in the store.
    pub fn forget(&self, seqs: &[i64]) {
        let engine = self.engine.load();
        let mut live = self.live();
        for seq in seqs {
            live.remove_seq(&engine, *seq);
        }
    }

    fn live(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a comment of a site: judged, stored, answered. The same delivery again gets the first answer. The work goes on to its end
    /// even when the caller gives up waiting; `ticket` is dropped then and not before. With a budget, what is not done in it is promised:
    /// written to the inbox, so that a crash does not lose it.
    ///
    /// # Errors
    /// When the store refuses it; nothing is kept then.
    pub async fn take(
        self: &Arc<Self>,
        site: String,
        mut comment: Comment,
        queue: bool,
        budget: Option<Duration>,
        ticket: impl Send + 'static,
    ) -> Result<Outcome, StoreError> {
        privacy::protect(&mut comment, **self.contacts.load(), self.store.secret());
        let kept = budget.map(|_| comment.clone());
        let intake = Arc::clone(self);
        let of_site = site.clone();
        let mut task = tokio::spawn(async move {
            let _ticket = ticket;
            let taken = intake.take_protected(of_site, comment, queue).await;
            if let Err(error) = &taken {
                tracing::warn!(%error, "a comment was not kept");
            }
            taken
        });
        let failed = |error| StoreError::Database(format!("the intake failed: {error}"));
        let (Some(budget), Some(kept)) = (budget, kept) else {
            return task.await.map_err(failed)?.map(Outcome::Taken);
        };
        if let Ok(taken) = tokio::time::timeout(budget, &mut task).await {
            return taken.map_err(failed)?.map(Outcome::Taken);
        }
        let promise = self.store.promise(site, revision(&kept), &kept);
        match tokio::time::timeout(GRACE, promise).await {
            Ok(promised) => promised.map(|()| Outcome::Pending),
            Err(_) => Err(StoreError::Database("it takes too long to write".to_owned())),
        }
    }

    /// Takes a comment whose contacts are protected already.
    async fn take_protected(
        &self,
        site: String,
        mut comment: Comment,
        queue: bool,
    ) -> Result<Taken, StoreError> {
        comment.site = Some(Id::from(site.as_str()));
        let revision = revision(&comment);
        let rules = self.trust.load_full();
        let started = Instant::now();
        // A name is what its bearer says; trust is given to accounts.
        let author = comment.author.as_ref().and_then(|author| author.id.as_ref()).map(Id::to_string);
        let count_approved = rules.approved_comments > 0 && author.is_some();
        let listed = author.as_ref().is_some_and(|author| {
            let trusted = self.trusted_authors.load();
            !trusted.is_empty() && trusted.contains(&(site.clone(), author.clone()))
        });
        let mut name = Trust { listed, approved: 0 };
        let mut parent = None;
        // Most comments are new, reply to nobody and need nothing more of the store; whether one is new is asked again when it is stored.
        if count_approved || comment.parent_id.is_some() || self.live().may_know(&site, &comment.id) {
            let question = Question {
                site: site.clone(),
                id: comment.id.clone(),
                revision: revision.clone(),
                parent: comment.parent_id.clone(),
                author: author.filter(|_| count_approved),
            };
            match self.store.arrival(question).await? {
                Arrival::Known(taken) => return Ok(taken),
                Arrival::Deleted => {
                    self.store.forget_promise(site, comment.id, revision).await?;
                    return Err(StoreError::Deleted);
                }
                Arrival::New { parent: text, approved } => {
                    parent = text;
                    name.approved = approved;
                }
            }
        }
        let article = match &comment.article_id {
            Some(id) => self.articles.get(&self.store, &site, id).await?,
            None => None,
        };
        self.stages.ask.add(started);
        let started = Instant::now();
        let plugins = self.plugins.load_full();
        let external = if plugins.is_empty() {
            Vec::new()
        } else {
            let article = article.as_ref().map(|known| &known.article);
            let external = plugins.ask(&self.store, &comment, article, parent.as_deref()).await;
            self.stages.plugins.add(started);
            external
        };
        let started = Instant::now();
        let context = Judged { article: article.as_deref(), parent: parent.as_deref(), external: &external };
        let trusted = trust::is_trusted(&rules, &comment, name);
        let promise = (site.clone(), comment.id.clone(), revision.clone());
        let (new, placed) = self.judge(site, comment, revision, &context, trusted, queue);
        self.stages.judge.add(started);
        let started = Instant::now();
        let (verdict, because) = (new.verdict, new.because.clone());
        let taken = self.store.take(new).await;
        self.stages.commit.add(started);
        match taken {
            Ok(taken) if taken.fresh => {
                let changed = {
                    let mut live = self.live();
                    if let Some(replaced) = taken.replaced {
                        live.remove_seq(&self.engine.load(), replaced);
                    }
                    live.confirm(&self.engine.load(), &placed, taken.seq, verdict, &because, queue)
                };
                self.reassess(changed.into_iter().collect()).await?;
                Ok(taken)
            }
            Err(StoreError::Deleted) => {
                self.live().withdraw(&self.engine.load(), &placed);
                self.store.forget_promise(promise.0, promise.1, promise.2).await?;
                Err(StoreError::Deleted)
            }
            other => {
                self.live().withdraw(&self.engine.load(), &placed);
                other
            }
        }
    }

    async fn reassess(&self, mut changed: Vec<Reassessed>) -> Result<(), StoreError> {
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
        mut comment: Comment,
        revision: String,
        judged: &Judged<'_>,
        trusted: bool,
        queue: bool,
    ) -> (NewComment, Placed) {
        let engine = self.engine.load();
        let article = judged.article.map(|known| &known.words);
        let parent = judged.parent.map(|text| Reference::new("", text));
        let lang = comment.lang.as_deref().and_then(Language::parse);
        let analysis = Analysis::new(&comment.text, &Context { article, parent: parent.as_ref(), lang });
        let mut evidence = Vec::new();
        let mut text = engine.score_text(&comment, &analysis, article, Some(&mut evidence));
        engine.add_external(judged.external, &mut text, &mut evidence);
        let sketch = Sketch::new(&Features::new(&analysis, article));
        let facts = facts_of(&text);
        let allowed = sketch.is_some_and(|sketch| self.allowed.covers(&site, &sketch, &engine.config));
        let member = Member {
            seq: None,
            site: site.clone(),
            id: comment.id.to_string(),
            thread: comment.thread().map(Id::to_string),
            author: comment.author_key().map(str::to_owned),
            at: comment.created_at.unwrap_or_else(Utc::now).timestamp_millis(),
            facts,
            sketch,
            verdict: Verdict::Allow,
            campaign: None,
            on_campaign_card: false,
            origin: Origin { trusted, history: !queue, allowed },
        };
        let mut placed = self.live().arrive(&engine, &member, queue);
        let place = Place {
            standing: placed.standing,
            campaign: placed.campaign.as_deref().map(Id::from),
            history: Some(&placed.known),
        };
        let mut assessment =
            engine.assess(&comment, &analysis, article, &text_score(&facts), evidence, &place);
        let language = analysis.language().map(|language| language.to_string());
        if queue && self.holds.take(&assessment) {
            assessment.verdict = Verdict::Hold;
            // The CMS is asked to keep it back.
            comment.status = comment.status.or(Some(Status::Pending));
        }
        let new = NewComment {
            tags: tags(
                &assessment,
                language.as_deref(),
                judged.article.and_then(|known| known.article.section.as_deref()),
            ),
            site,
            revision,
            facts,
            sketch: sketch.map(|sketch| sketch.to_bytes()),
            verdict: assessment.verdict,
            because: assessment.because.clone(),
            campaign: placed.campaign.clone(),
            lang: language,
            trusted,
            assessment: serde_json::to_string(&assessment).unwrap_or_default(),
            queue,
            priority: priority(&facts, &placed.standing),
            changed: std::mem::take(&mut placed.changed),
            stamp: placed.stamp,
            comment,
        };
        (new, placed)
    }

    /// Judges a comment by its text, and by an article given with it, without keeping anything.
    pub fn score(&self, comment: &Comment, article: Option<&Article>) -> Assessment {
        let engine = self.engine.load();
        let article = article.map(reference);
        let lang = comment.lang.as_deref().and_then(Language::parse);
        let analysis =
            Analysis::new(&comment.text, &Context { article: article.as_ref(), parent: None, lang });
        let mut evidence = Vec::new();
        let text = engine.score_text(comment, &analysis, article.as_ref(), Some(&mut evidence));
        let place = Place { standing: Standing::default(), campaign: None, history: Some(&NoHistory) };
        engine.assess(comment, &analysis, article.as_ref(), &text, evidence, &place)
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
        let gone = self.store.delete_comment(site, id, "cms".to_owned()).await?;
        self.forget(&gone);
        if gone.is_empty() { Err(StoreError::NotFound("such comment")) } else { Ok(()) }
    }

    /// Makes new signatures where the canonical form of text has changed since they were made.
    async fn sign_again(&self) -> Result<(), StoreError> {
        let mut after = 0;
        loop {
            let page = self.store.unsigned(after, BATCH).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.seq;
            let mut signed = Vec::with_capacity(page.len());
            for old in page {
                let article = match &old.comment.article_id {
                    Some(id) => self.store.article(old.site.clone(), id.clone()).await?,
                    None => None,
                };
                let article = article.as_ref().map(reference);
                let lang = old.comment.lang.as_deref().and_then(Language::parse);
                let context = Context { article: article.as_ref(), parent: None, lang };
                let analysis = Analysis::new(&old.comment.text, &context);
                let sketch = Sketch::new(&Features::new(&analysis, article.as_ref()));
                signed.push((old.seq, sketch.map(|sketch| sketch.to_bytes())));
            }
            tracing::info!(comments = signed.len(), "signatures made anew for this version's form of text");
            self.store.sign(signed).await?;
        }
    }

    fn member_of(&self, remembered: Remembered) -> Member {
        let sketch = remembered.sketch.as_deref().filter(|_| remembered.canon_version == CANON_VERSION);
        let sketch = sketch.and_then(Sketch::from_bytes);
        let config = &self.engine.load().config;
        Member {
            origin: Origin {
                allowed: sketch.is_some_and(|sketch| self.allowed.covers(&remembered.site, &sketch, config)),
                trusted: remembered.trusted,
                history: remembered.history,
            },
            seq: Some(remembered.seq),
            sketch,
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
}

/// What a text is judged with.
struct Judged<'a> {
    article: Option<&'a Known>,
    parent: Option<&'a str>,
    external: &'a [External],
}

fn reference(article: &Article) -> Reference {
    Reference::new(&article.title, article.body.as_deref().unwrap_or_default())
}

/// Names this version of a comment: the CMS's own name for it, or the text's hash. A delivery with the same is the same delivery.
fn revision(comment: &Comment) -> String {
    match &comment.revision {
        Some(revision) => format!("r:{revision}"),
        None => format!("t:{:016x}", stable_hash(comment.text.as_bytes())),
    }
}

/// What a card can be found by.
pub(crate) fn tags(assessment: &Assessment, language: Option<&str>, section: Option<&str>) -> Vec<String> {
    let mut tags: Vec<String> = Vec::new();
    for evidence in &assessment.evidence {
        tags.push(format!("signal:{}", evidence.signal));
        tags.extend(evidence.rule.as_ref().map(|rule| format!("rule:{rule}")));
    }
    tags.extend(language.map(|language| format!("lang:{language}")));
    tags.extend(section.map(|section| format!("section:{section}")));
    tags.sort_unstable();
    tags.dedup();
    tags
}
