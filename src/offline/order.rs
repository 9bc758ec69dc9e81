//! The order in which comments are told: as they stand in their files, or by the time they were posted.
//!
//! A *place* is where a comment stands in what was read; its *rank* is when it is told. Books, links and company speak of ranks, spools and outputs of
//! places; where nothing is out of order the two are the same and nothing is kept.

use super::judge::Mode;

/// Places and ranks of comments.
#[derive(Debug, Default)]
pub(super) struct Order {
    /// Place of each rank, and rank of each place; empty where they are the same.
    places: Vec<u32>,
    ranks: Vec<u32>,
}

impl Order {
    /// The order that a mode asks for. Times are in seconds, by place. A comment without one came right after the one before it in its file.
    pub(super) fn new(mode: Mode, times: impl Iterator<Item = Option<i64>>) -> Self {
        if mode != Mode::AsOfArrival {
            return Self::default();
        }
        let mut last = i64::MIN;
        let times: Vec<i64> = times
            .map(|time| {
                last = time.unwrap_or(last);
                last
            })
            .collect();
        if times.is_sorted() {
            return Self::default();
        }
        let mut places: Vec<u32> = (0..times.len() as u32).collect();
        places.sort_by_key(|place| times.get(*place as usize).copied());
        let mut ranks = vec![0; places.len()];
        for (rank, place) in places.iter().enumerate() {
            if let Some(own) = ranks.get_mut(*place as usize) {
                *own = rank as u32;
            }
        }
        Self { places, ranks }
    }

    /// Where the comment of a rank stands.
    pub(super) fn place(&self, rank: usize) -> usize {
        self.places.get(rank).map_or(rank, |place| *place as usize)
    }

    /// When the comment of a place is told.
    pub(super) fn rank(&self, place: usize) -> usize {
        self.ranks.get(place).map_or(place, |rank| *rank as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_told_by_time_and_the_undated_after_their_neighbours() {
        let times = [Some(30), None, Some(10), Some(20), Some(10)];
        let order = Order::new(Mode::AsOfArrival, times.into_iter());
        let places: Vec<usize> = (0..5).map(|rank| order.place(rank)).collect();
        assert_eq!(places, [2, 4, 3, 0, 1]);
        assert!((0..5).all(|place| order.place(order.rank(place)) == place));
        let whole = Order::new(Mode::Whole, times.into_iter());
        assert!((0..5).all(|place| whole.place(place) == place && whole.rank(place) == place));
    }
}
