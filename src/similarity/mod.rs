//! Near-duplicates: which comments are copies of one another, grouped into campaigns.
//!
//! An [`Analysis`](crate::text::Analysis) becomes two sets of stable hashes ([`features`]): its words and word pairs, with the
//! article's subjects, names, numbers and links masked; and the trigrams of its function-word skeleton, which survive when
//! every content word is swapped. Each set is sketched ([`minhash`]) into one-byte minima, which are what is stored. The
//! banded index ([`index`]; [`join`] for an archive at once) finds earlier comments that agree in some band, verifies them on the stored minima alone
//! (Jaccard and containment), and never asks a database. Verified links make [`campaigns`], whose members [`align`] lays
//! over one another into a skeleton with slots.

pub mod align;
pub mod campaigns;
pub mod features;
pub mod index;
pub mod join;
pub mod minhash;

pub use campaigns::{CampaignId, Campaigns};
pub use features::Features;
pub use index::{Index, Match, Slot};
pub use join::bands;
pub use minhash::{Signature, Sketch};
