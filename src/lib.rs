//! Claque finds templated, bot-like comments under news articles, and says why.
//!
//! # The tour
//! A comment's way, from the ground floor up; an import only ever points down:
//!
//! 1. [`domain`]: the plain records: comment, article, evidence, assessment, campaign. [`config`]: every threshold and setting. [`telemetry`]:
//!    timings and counters. [`wire`]: signatures, and connections out that reach nothing private. [`chart`]: numbers as SVG.
//! 2. [`text`]: raw text -> [`text::Analysis`], derived once: disguises undone with a way back to the raw bytes, words,
//!    sentences, quotations left out, language.
//! 3. [`rules`]: what people know of templated text, as data in `rules/*.toml`, compiled and matched. [`similarity`]: which
//!    comments are copies of one another: sketches, the index, campaigns, alignment.
//! 4. [`signals`]: plugins that read one comment in its context and emit findings; the registry is [`signals::SIGNALS`].
//! 5. [`engine`]: the only place where findings become numbers. Stage one: text points -> p, the share of genuine comments that
//!    score at least as high. Stage two: thread alarm, campaigns, and the decision rules that make a verdict.
//! 6. [`store`]: everything durable behind one seam, on SQLite: comments, the queue, decisions and undo, callbacks to send, the audit log.
//!    [`access`]: keys, passwords, sessions, permissions.
//! 7. [`intake`]: the use case of a live comment: analyse, ask plugins, score, place among the others, store, answer.
//! 8. [`cms`]: adapters of content systems in, callbacks out. [`offline`]: files and archives of comments in,
//!    assessments, reports, plans and measurements out; training. [`upkeep`]: what the service does by itself: alerts, forgetting, fetching articles.
//! 9. [`http`]: the service, its addresses and errors; the contract is made from the handlers. `http::pages`: the desk, what people see of it.
//! 10. [`cli`]: the `claque` program, one file a subcommand.
//!
//! A comment's way through the service: `http::comments` -> [`intake::Intake::take`] -> [`engine`] -> [`store`] -> queue; a decision's way back:
//! `http::review` -> [`store`] (decision, audit entry and callbacks in one commit) -> [`cms::callback`].
//!
//! # Example
//! ```
//! use claque::config::Config;
//! use claque::domain::Comment;
//! use claque::engine::{Engine, Model};
//! use claque::offline::judge::{Mode, judge};
//! use claque::offline::records::Articles;
//! use claque::rules::RuleSet;
//!
//! let engine = Engine {
//!     rules: RuleSet::load(None, chrono::Utc::now().date_naive()).expect("the shipped rules compile"),
//!     model: Model::shipped().expect("the shipped model loads"),
//!     config: Config::default(),
//! };
//! let comment = Comment {
//!     id: "1".into(),
//!     text: "The article raises important questions, and a nuanced understanding of this complex issue is crucial.".into(),
//!     ..Comment::default()
//! };
//! let judged = judge(&engine, &[comment], &Articles::default(), Mode::Isolated);
//! assert!(judged.assessments[0].score > 0.99);
//! ```

pub mod access;
pub mod chart;
pub mod cli;
pub mod cms;
pub mod config;
pub mod domain;
pub mod engine;
pub mod http;
pub mod intake;
pub mod offline;
pub mod rules;
pub mod signals;
pub mod similarity;
pub mod store;
pub mod telemetry;
pub mod text;
pub mod upkeep;
pub mod wire;
