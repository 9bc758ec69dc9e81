//! What every store must do, whatever is behind it. A second backend adds one line to [`stores`].

use std::path::Path;

use claque::domain::{Article, Because, Comment, Id, Status, Verdict};
use claque::store::records::{
    Action, Actor, Arrival, Callback, Delivery, NewComment, NewDecision, Question, QueueFilter, Reassessed,
    Site, Sites, Target, TextFacts,
};
use claque::store::{Store, StoreError};

/// One empty store of every kind.
fn stores(dir: &Path) -> Vec<Store> {
    vec![Store::open(&dir.join("sqlite.db")).unwrap()]
}

async fn with_stores(test: impl AsyncFn(Store)) {
    let dir = tempfile::tempdir().unwrap();
    for store in stores(dir.path()) {
        store.add_site(Site { id: "gazette".into(), title: "The Gazette".into() }).await.unwrap();
        test(store).await;
    }
}

fn comment(id: &str, campaign: Option<&str>) -> NewComment {
    let because = if campaign.is_some() { Because::Campaign } else { Because::Text };
    let assessment = serde_json::json!({
        "id": id, "verdict": "review", "because": [because], "evidence": [{"signal": "style", "rule": "x/y", "message": "m"}],
    });
    NewComment {
        comment: Comment { id: id.into(), text: format!("text of {id}"), ..Comment::default() },
        site: "gazette".into(),
        revision: "t:1".into(),
        facts: TextFacts {
            points: 1.0,
            p: 0.001,
            words: 9,
            disguised: 0,
            strongest_rule: 0.0,
            abstained: false,
        },
        sketch: Some(vec![7; 164]),
        verdict: Verdict::Review,
        because: vec![because],
        campaign: campaign.map(str::to_owned),
        lang: Some("en".into()),
        trusted: false,
        assessment: assessment.to_string(),
        queue: true,
        priority: 3.0,
        tags: vec!["signal:style".into()],
        changed: Vec::new(),
        stamp: 1,
    }
}

fn question(id: &str) -> Question {
    Question { site: "gazette".into(), id: id.into(), revision: "t:1".into(), parent: None, author: None }
}

fn decision(target: Target, action: Action, version: Option<i64>) -> NewDecision {
    NewDecision {
        sites: Sites::All,
        site: Some("gazette".into()),
        target,
        version,
        action,
        reason: None,
        note: None,
        except: Vec::new(),
        by: Actor { name: "user:mo".into(), leads: false },
        undo_for: 60_000,
    }
}

async fn cards(store: &Store) -> Vec<claque::store::records::QueueItem> {
    store.queue(Sites::All, QueueFilter::default(), None, 100).await.unwrap()
}

#[actix_web::test]
async fn a_comment_is_taken_once_and_its_first_answer_stays() {
    with_stores(async |store| {
        let first = store.take(comment("1", None)).await.unwrap();
        assert!(first.fresh && first.queued);
        let again = store.take(NewComment { assessment: "{}".into(), ..comment("1", None) }).await.unwrap();
        assert!(!again.fresh);
        assert_eq!(again.assessment.get(), first.assessment.get());
        assert!(matches!(store.arrival(question("1")).await.unwrap(), Arrival::Known(_)));
        assert!(matches!(store.arrival(question("2")).await.unwrap(), Arrival::New { .. }));
        let other = store.take(NewComment { revision: "t:2".into(), ..comment("1", None) }).await.unwrap();
        assert_eq!((other.fresh, other.replaced), (true, Some(first.seq)));
        assert_eq!(cards(&store).await.len(), 1, "the old revision's card is closed");
        let back = store.take(comment("1", None)).await.unwrap();
        assert!(back.fresh, "a text that comes back is another revision");
        let unknown = NewComment { site: "nowhere".into(), ..comment("1", None) };
        assert!(matches!(store.take(unknown).await, Err(StoreError::Refused(_))));
    })
    .await;
}

#[actix_web::test]
async fn what_is_deleted_stays_deleted() {
    with_stores(async |store| {
        let taken = store.take(comment("1", None)).await.unwrap();
        assert_eq!(
            store.delete_comment("gazette".into(), "1".into(), "cms".into()).await.unwrap(),
            [taken.seq]
        );
        assert!(matches!(store.arrival(question("1")).await.unwrap(), Arrival::Deleted));
        assert!(matches!(store.take(comment("1", None)).await, Err(StoreError::Deleted)));
        assert!(cards(&store).await.is_empty());
        assert!(store.delete_comment("gazette".into(), "9".into(), "cms".into()).await.unwrap().is_empty());
        assert!(
            matches!(store.take(comment("9", None)).await, Err(StoreError::Deleted)),
            "deleted before it came"
        );
    })
    .await;
}

#[actix_web::test]
async fn a_promise_is_kept_until_the_comment_is_taken() {
    with_stores(async |store| {
        let promised = comment("1", None).comment;
        store.promise("gazette".into(), "t:1".into(), &promised).await.unwrap();
        assert_eq!(store.promised(0).await.unwrap(), [("gazette".to_owned(), promised.clone())]);
        store.take(comment("1", None)).await.unwrap();
        assert!(store.promised(0).await.unwrap().is_empty());
        store.promise("gazette".into(), "t:1".into(), &promised).await.unwrap();
        assert!(store.promised(0).await.unwrap().is_empty(), "it was taken meanwhile");
    })
    .await;
}

#[actix_web::test]
async fn a_decision_and_its_undo_move_card_status_and_outbox_together() {
    with_stores(async |store| {
        let callback = Callback {
            id: String::new(),
            site: "gazette".into(),
            url: "https://cms.example/".into(),
            kind: "standard".into(),
            secret: "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD".into(),
            allow_private: false,
        };
        store.add_callback(callback).await.unwrap();
        store.take(comment("1", None)).await.unwrap();
        let card = cards(&store).await.remove(0);
        let target = Target::Items(vec![(card.id.clone(), Some(card.version + 1))]);
        let stale = store.decide(decision(target, Action::Reject, None)).await;
        assert!(matches!(stale, Err(StoreError::Conflict { version, .. }) if version == card.version));
        assert_eq!(store.counts(None).await.unwrap().outbox, 0);
        let target = Target::Items(vec![(card.id.clone(), Some(card.version))]);
        let decided = store.decide(decision(target, Action::Reject, None)).await.unwrap();
        let stored = store.comment("gazette".into(), "1".into()).await.unwrap().unwrap();
        assert_eq!((stored.status, stored.queued), (Status::Rejected, false));
        assert_eq!(stored.decided_by.as_deref(), Some("user:mo"));
        let due = store.due_callbacks(10).await.unwrap();
        assert_eq!(due.len(), 1);
        assert!(due[0].body.contains("\"rules\":[\"x/y\"]"), "{}", due[0].body);
        let other = Actor { name: "user:eve".into(), leads: false };
        assert!(matches!(
            store.undo(Sites::All, decided.id.clone(), other).await,
            Err(StoreError::Forbidden(_))
        ));
        let elsewhere = Actor { name: "user:mo".into(), leads: false };
        assert!(matches!(
            store.undo(Sites::one("times"), decided.id.clone(), elsewhere.clone()).await,
            Err(StoreError::NotFound(_))
        ));
        assert_eq!(store.undo(Sites::All, decided.id.clone(), elsewhere.clone()).await.unwrap().comments, 1);
        assert!(matches!(store.undo(Sites::All, decided.id, elsewhere).await, Err(StoreError::Refused(_))));
        let stored = store.comment("gazette".into(), "1".into()).await.unwrap().unwrap();
        assert_eq!((stored.status, stored.decided_by, stored.queued), (Status::Published, None, true));
        store.finish_delivery(due[0].id.clone(), Delivery::Done, 5).await.unwrap();
        assert_eq!(
            store.due_callbacks(10).await.unwrap().len(),
            1,
            "the undo's message follows the decision's"
        );
        let log = store.messages(Sites::All, Some("done".into()), 10).await.unwrap();
        assert_eq!((log.len(), log[0].tries.len(), log[0].tries[0].millis), (1, 1, 5));
    })
    .await;
}

#[actix_web::test]
async fn a_campaign_has_one_card_and_a_merge_leaves_none_behind() {
    with_stores(async |store| {
        let mut seqs = Vec::new();
        for (id, campaign) in [("1", "a"), ("2", "a"), ("3", "b")] {
            seqs.push(store.take(comment(id, Some(campaign))).await.unwrap().seq);
        }
        assert_eq!(cards(&store).await.len(), 2);
        let moved = Reassessed {
            seq: seqs[2],
            cause: "campaign",
            verdict: Verdict::Review,
            because: vec![Because::Campaign],
            campaign: Some("a".into()),
            thread: None,
            priority: 4.0,
            queue: true,
            stamp: 2,
        };
        store.reassess(vec![moved]).await.unwrap();
        let cards = cards(&store).await;
        assert_eq!(cards.len(), 1);
        let campaign = cards[0].campaign.as_ref().unwrap();
        assert_eq!((campaign.size, campaign.comments.len()), (3, 3));
        let target = Target::Campaign("a".into());
        let except = NewDecision { except: vec!["2".into()], ..decision(target, Action::Approve, None) };
        assert_eq!(store.decide(except).await.unwrap().comments, 2);
        let stored = store.comment("gazette".into(), "2".into()).await.unwrap().unwrap();
        assert!(stored.queued && stored.decided_by.is_none(), "the spared one has a card of its own");
    })
    .await;
}

#[actix_web::test]
async fn an_older_word_never_takes_the_place_of_a_newer_one() {
    with_stores(async |store| {
        let seq = store.take(comment("1", Some("a"))).await.unwrap().seq;
        let word = |campaign: &str, stamp| Reassessed {
            seq,
            cause: "campaign",
            verdict: Verdict::Review,
            because: vec![Because::Campaign],
            campaign: Some(campaign.to_owned()),
            thread: None,
            priority: 4.0,
            queue: true,
            stamp,
        };
        store.reassess(vec![word("newer", 9)]).await.unwrap();
        store.reassess(vec![word("older", 8)]).await.unwrap();
        assert_eq!(store.remembered(0, 10).await.unwrap()[0].campaign.as_deref(), Some("newer"));
    })
    .await;
}

#[actix_web::test]
async fn what_the_cms_did_counts_and_an_alias_means_the_same_comment() {
    with_stores(async |store| {
        store.take(comment("1", None)).await.unwrap();
        store.add_alias("gazette".into(), "cms-9".into(), "1".into()).await.unwrap();
        store.set_status("gazette".into(), "cms-9".into(), Status::Rejected, "cms".into()).await.unwrap();
        let stored = store.comment("gazette".into(), "cms-9".into()).await.unwrap().unwrap();
        assert_eq!((stored.comment.id.as_str(), stored.status), ("1", Status::Rejected));
        let past = store.decisions(Sites::All, None, 10).await.unwrap();
        assert_eq!((past[0].trust.as_str(), past[0].action.as_str()), ("cms", "reject"));
    })
    .await;
}

#[actix_web::test]
async fn an_article_says_nothing_away() {
    with_stores(async |store| {
        let article = |title: &str, body: Option<&str>| Article {
            id: Id::from("a"),
            title: title.into(),
            body: body.map(str::to_owned),
            ..Article::default()
        };
        store.put_article("gazette".into(), article("Tram", Some("It comes."))).await.unwrap();
        store.put_article("gazette".into(), article("", None)).await.unwrap();
        let kept = store.article("gazette".into(), "a".into()).await.unwrap().unwrap();
        assert_eq!((kept.title.as_str(), kept.body.as_deref()), ("Tram", Some("It comes.")));
    })
    .await;
}

#[actix_web::test]
async fn an_erased_author_leaves_counts_and_nothing_else() {
    with_stores(async |store| {
        for id in ["1", "2"] {
            let mut new = comment(id, Some("a"));
            new.comment.author =
                Some(serde_json::from_value(serde_json::json!({"id": "ann", "name": "Ann Secret"})).unwrap());
            store.take(new).await.unwrap();
        }
        let target = Target::Campaign("a".into());
        store.decide(decision(target, Action::Reject, None)).await.unwrap();
        let export = store.export_author(None, "ann".into()).await.unwrap();
        assert_eq!(export["comments"].as_array().unwrap().len(), 2);
        assert!(export.to_string().contains("text of 1"));
        let before = store.counts(None).await.unwrap();
        assert_eq!(store.erase_author(None, "ann".into(), "operator".into()).await.unwrap().len(), 2);
        let after = store.counts(None).await.unwrap();
        assert_eq!((before.comments, before.decisions), (after.comments, after.decisions));
        assert_eq!(store.campaign("gazette".into(), "a".into()).await.unwrap().size, 2);
        assert!(store.comment("gazette".into(), "1".into()).await.unwrap().is_none());
        let again = store.export_author(None, "ann".into()).await.unwrap();
        assert_eq!(again["comments"], serde_json::json!([]));
        let audit = store.audit(0, 1000).await.unwrap();
        let words = serde_json::to_string(&audit).unwrap();
        assert!(!words.contains("\\\"1\\\""), "the audit log names the comment still: {words}");
        assert!(store.verify_audit().await.unwrap().is_ok());
        assert!(matches!(store.take(comment("1", None)).await, Err(StoreError::Deleted)));
    })
    .await;
}

#[actix_web::test]
async fn what_is_old_is_forgotten_and_what_waits_for_people_is_not() {
    with_stores(async |store| {
        let quiet = NewComment { verdict: Verdict::Allow, because: Vec::new(), ..comment("1", None) };
        store.take(quiet).await.unwrap();
        store.take(comment("2", None)).await.unwrap();
        let later = chrono::Utc::now().timestamp_millis() + 1000;
        assert_eq!(store.forget(Some(later), None).await.unwrap().texts, 1);
        let text =
            async |id: &str| store.comment("gazette".into(), id.into()).await.unwrap().unwrap().comment.text;
        assert_eq!((text("1").await.as_str(), text("2").await.as_str()), ("", "text of 2"));
        assert_eq!(store.forget(Some(later), None).await.unwrap().texts, 0);
        assert_eq!(store.forget(None, Some(later)).await.unwrap().comments, 1);
        assert_eq!(store.counts(None).await.unwrap().comments, 1);
    })
    .await;
}

#[actix_web::test]
async fn the_audit_chain_shows_a_change() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("claque.db");
    let store = Store::open(&path).unwrap();
    for id in ["a", "b", "c"] {
        store.add_site(Site { id: id.into(), title: id.into() }).await.unwrap();
    }
    assert_eq!(store.verify_audit().await.unwrap(), Ok(3));
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.execute("UPDATE audit SET detail = '{}' WHERE seq = 2", []).unwrap();
    assert_eq!(store.verify_audit().await.unwrap(), Err(2));
}
