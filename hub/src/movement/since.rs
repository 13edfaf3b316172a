//! Since when changes are asked for: a revision or a day, the spans that are compared, and what moved between them.

use super::{Moved, Mover, Subject, explain};
use crate::store::sums::{DAY, HOUR, MINUTE};
use crate::store::{self, MINUTE_MS, RevisionLine, Store, Window};

/// Minutes are kept for some days; what is older is compared by hours.
const BY_MINUTES_MS: i64 = 2 * 24 * 60 * MINUTE_MS;
/// The longest and the shortest time before that is compared with.
const LONGEST_BEFORE: i64 = 30 * DAY;
const SHORTEST_BEFORE: i64 = HOUR;
/// Subjects that are compared; more names than that is no fleet's.
const MAX_SUBJECTS: i64 = 20_000;

/// A moment, with what is before and after.
#[derive(Debug, Clone, PartialEq)]
pub struct Since {
    /// When.
    pub at: i64,
    /// The revision that was served then, when one was asked for.
    pub revision: Option<RevisionLine>,
    /// Whether it is further away than is compared.
    pub is_cut: bool,
    /// The spans.
    pub window: Window,
}

impl Since {
    /// What is longer ago is not compared, in milliseconds: 90 days.
    pub const FURTHEST_MS: i64 = 90 * DAY * MINUTE_MS;

    /// Reads a commit (or the start of one), a day, or Unix milliseconds; nothing is the revision that is served.
    /// `None` when there is no such thing.
    pub async fn find(store: &Store, word: &str, now: i64) -> store::Result<Option<Self>> {
        let word = word.trim();
        if word.is_empty() {
            let served = store.served_line().await?;
            return Ok(served.map(|line| Self::new(line.at, Some(line), now)));
        }
        if let Some(at) = moment(word).filter(|at| *at <= now) {
            return Ok(Some(Self::new(at, None, now)));
        }
        let is_commit = (4..=64).contains(&word.len()) && word.chars().all(|c| c.is_ascii_hexdigit());
        if !is_commit {
            return Ok(None);
        }
        let word = word.to_lowercase();
        let row = match store.revision_row(&word).await? {
            Some(row) => Some(row),
            None => store.revision_by_start(&word).await?,
        };
        Ok(row.and_then(|row| {
            let at = row.published_at?;
            let line = RevisionLine { revision: row.revision, author: row.author, message: row.message, at };
            Some(Self::new(at, Some(line), now))
        }))
    }

    fn new(at: i64, revision: Option<RevisionLine>, now: i64) -> Self {
        let is_cut = now - at > Self::FURTHEST_MS;
        let window = window(at.max(now - Self::FURTHEST_MS), now);
        Self { at, revision, is_cut, window }
    }

    /// "the 3 hours".
    pub fn before_label(&self) -> String {
        let minutes = self.window.since - self.window.before;
        match minutes {
            ..=60 => format!("the {minutes} minutes"),
            61..2_880 => format!("the {} hours", (minutes + HOUR / 2) / HOUR),
            _ => format!("the {} days", (minutes + DAY / 2) / DAY),
        }
    }

    /// Policies that moved.
    pub async fn policies(&self, store: &Store, listed: usize) -> store::Result<Moved> {
        let rows = store.policy_rows("", self.window, MAX_SUBJECTS).await?;
        self.moved(store, rows.into_iter().map(Mover::from), listed).await
    }

    /// Namespaces that moved.
    pub async fn namespaces(&self, store: &Store, listed: usize) -> store::Result<Moved> {
        let rows = store.namespace_rows(self.window, MAX_SUBJECTS, 0).await?;
        self.moved(store, rows.into_iter().map(Mover::namespace), listed).await
    }

    /// Clusters that moved.
    pub async fn clusters(&self, store: &Store, listed: usize) -> store::Result<Moved> {
        let rows = store.cluster_rows(self.window, MAX_SUBJECTS, 0).await?;
        self.moved(store, rows.into_iter().map(Mover::cluster), listed).await
    }

    /// Namespaces in which a policy moved.
    pub async fn namespaces_of(&self, store: &Store, policy: &str, listed: usize) -> store::Result<Moved> {
        let rows = store.policy_namespaces(policy, self.window, MAX_SUBJECTS).await?;
        Ok(Moved::of(rows.into_iter().map(|row| Mover::spread(row, Subject::Namespace)), listed))
    }

    /// Clusters in which a policy moved.
    pub async fn clusters_of(&self, store: &Store, policy: &str, listed: usize) -> store::Result<Moved> {
        let rows = store.policy_clusters(policy, self.window, MAX_SUBJECTS).await?;
        Ok(Moved::of(rows.into_iter().map(|row| Mover::spread(row, Subject::Cluster)), listed))
    }

    async fn moved(&self, store: &Store, movers: impl Iterator<Item = Mover>, listed: usize) -> store::Result<Moved> {
        let mut moved = Moved::of(movers, listed);
        let all = moved.worse.iter_mut().chain(&mut moved.better);
        explain(store, all, self.window).await?;
        Ok(moved)
    }
}

/// `2026-11-21`, midnight in UTC, or Unix milliseconds.
fn moment(word: &str) -> Option<i64> {
    if let Ok(date) = word.parse::<jiff::civil::Date>() {
        return Some(date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_millisecond());
    }
    // Thirteen digits are a time of this century; a commit id of digits alone has more.
    word.parse::<i64>().ok().filter(|at| word.len() == 13 && *at > 0)
}

/// From this moment until now, and as long before, but neither too short nor too long to be compared.
fn window(at: i64, now: i64) -> Window {
    let finest = if now - at < BY_MINUTES_MS { MINUTE } else { HOUR };
    let minute = at.div_euclid(MINUTE_MS);
    let since = (minute + finest - 1).div_euclid(finest) * finest;
    let until = ((now.div_euclid(MINUTE_MS)).div_euclid(finest) + 1) * finest;
    let until = until.max(since + finest);
    Window { before: since - (until - since).clamp(SHORTEST_BEFORE, LONGEST_BEFORE), since, until }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_243_328_000;

    #[test]
    fn days_and_times_are_read() {
        assert_eq!(moment("2026-11-21"), Some(1_795_219_200_000));
        assert_eq!(moment("1795219200000"), Some(1_795_219_200_000));
        for odd in ["", "yesterday", "2026-13-40", "12345", "deadbeef", "-1795219200000"] {
            assert_eq!(moment(odd), None, "{odd}");
        }
    }

    #[test]
    fn as_long_before_as_since_but_at_least_an_hour() {
        let minutes = |at| {
            let window = window(at, NOW);
            (window.since - window.before, window.until - window.since)
        };
        assert_eq!(minutes(NOW - 5 * MINUTE_MS), (60, 6));
        assert_eq!(minutes(NOW - 24 * 60 * MINUTE_MS), (1_441, 1_441));
        assert_eq!(minutes(NOW - 60 * 24 * 60 * MINUTE_MS), (30 * DAY, 60 * DAY));
        assert_eq!(window(NOW, NOW).since % HOUR, NOW / MINUTE_MS % HOUR);
    }
}
