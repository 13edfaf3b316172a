//! What got better or worse, and since which commit: rates of both spans of a window, and the revision around which the
//! rate moved most.

use super::{Effect, Movement, Rate, Reach, excess};
use crate::store::sums::{DAY, HOUR, MINUTE};
use crate::store::{self, MINUTE_MS, Minute, NamespaceRow, PolicyRow, RevisionLine, Spread, Store, Trend, Window};

/// Revisions that are looked at; the newest.
const MAX_REVISIONS: i64 = 200;
/// Windows up to this many minutes are explained by minutes, by hours, and longer ones by days: each mover reads a row for
/// each bucket.
const BY_MINUTES: i64 = 4 * HOUR;
const BY_HOURS: i64 = 20 * DAY;

/// Something that fails, as the lists of pages show it.
#[derive(Debug, Clone, PartialEq)]
pub struct Mover {
    /// Whose rate it is.
    pub subject: Subject,
    /// The code of a policy, else nothing.
    pub code: String,
    /// The title of a policy, else nothing.
    pub title: String,
    /// In the earlier span.
    pub before: Rate,
    /// In the later span.
    pub after: Rate,
    /// Denied in the later span.
    pub denied: i64,
    /// Since which revision, when one explains it.
    pub since: Option<RevisionLine>,
}

/// Whose rate it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// Evaluations of this policy.
    Policy(String),
    /// Reviews in this namespace.
    Namespace(String),
    /// Reviews in this cluster.
    Cluster(String),
}

/// The most that moved, each way.
#[derive(Debug, Default, PartialEq)]
pub struct Moved {
    /// Those that got worse, and new ones that fail.
    pub worse: Vec<Mover>,
    /// Those that got better.
    pub better: Vec<Mover>,
    /// How many moved beyond those that are listed.
    pub more: usize,
}

impl Mover {
    /// Whether the difference says anything.
    pub fn movement(&self) -> Movement {
        Movement::of(self.before, self.after)
    }

    fn trend(&self) -> Trend<'_> {
        match &self.subject {
            Subject::Policy(name) => Trend::Policy(name),
            Subject::Namespace(name) => Trend::Namespace(name),
            Subject::Cluster(name) => Trend::Cluster(name),
        }
    }

    fn weight(&self) -> f64 {
        excess(self.before, self.after).abs()
    }

    /// A namespace.
    pub fn namespace(row: NamespaceRow) -> Self {
        Self::reviewed(Subject::Namespace, row)
    }

    /// A cluster.
    pub fn cluster(row: NamespaceRow) -> Self {
        Self::reviewed(Subject::Cluster, row)
    }

    /// A namespace or a cluster in which a policy fails.
    pub fn spread(row: Spread, subject: fn(String) -> Subject) -> Self {
        let before = Rate { judged: row.judged_before, failing: row.failing_before };
        let after = Rate { judged: row.judged, failing: row.failing };
        let (code, title) = (String::new(), String::new());
        Self { subject: subject(row.name), code, title, before, after, denied: row.denied, since: None }
    }

    fn reviewed(subject: fn(String) -> Subject, row: NamespaceRow) -> Self {
        let before = Rate { judged: row.reviews_before, failing: row.failing_before };
        let after = Rate { judged: row.reviews, failing: row.failing };
        let (code, title) = (String::new(), String::new());
        Self { subject: subject(row.name), code, title, before, after, denied: row.denied, since: None }
    }
}

impl From<PolicyRow> for Mover {
    fn from(row: PolicyRow) -> Self {
        let before = Rate { judged: row.judged_before, failing: row.failing_before };
        let after = Rate { judged: row.judged, failing: row.failing };
        let (code, title, denied) = (row.code, row.title, row.denied);
        Self { subject: Subject::Policy(row.name), code, title, before, after, denied, since: None }
    }
}

impl Subject {
    /// The name.
    pub fn name(&self) -> &str {
        match self {
            Self::Policy(name) | Self::Namespace(name) | Self::Cluster(name) => name,
        }
    }
}

impl Moved {
    /// Those that moved, by how much failed more or less than it would have at the rate before.
    pub fn of(movers: impl Iterator<Item = Mover>, listed: usize) -> Self {
        let mut moved: Vec<Mover> = movers.filter(|mover| mover.movement() != Movement::Same).collect();
        moved.sort_by(|a, b| b.weight().total_cmp(&a.weight()).then_with(|| a.subject.name().cmp(b.subject.name())));
        let all = moved.len();
        let (mut better, mut worse): (Vec<_>, Vec<_>) =
            moved.into_iter().partition(|mover| mover.movement() == Movement::Better);
        better.truncate(listed);
        worse.truncate(listed);
        Self { more: all - better.len() - worse.len(), worse, better }
    }

    /// Whether nothing moved.
    pub fn is_empty(&self) -> bool {
        self.worse.is_empty() && self.better.is_empty()
    }
}

/// Looks for the revision since which each of these moved, by their trends over the window and a little before.
pub async fn explain(store: &Store, movers: impl Iterator<Item = &mut Mover>, window: Window) -> store::Result<()> {
    let reach = Reach::by(match window.until - window.before {
        ..=BY_MINUTES => MINUTE,
        length if length <= BY_HOURS => HOUR,
        _ => DAY,
    });
    let (from, until) = (window.before * MINUTE_MS, window.until * MINUTE_MS);
    let revisions = store.revisions_served(from, until, MAX_REVISIONS).await?;
    if revisions.is_empty() {
        return Ok(());
    }
    let first = reach.around(from).before;
    let mut moved: Vec<&mut Mover> = movers.filter(|mover| mover.movement() != Movement::Same).collect();
    let trends: Vec<Trend<'_>> = moved.iter().map(|mover| mover.trend()).collect();
    let trends = store.trends(&trends, reach.span, first, window.until).await?;
    for (mover, buckets) in moved.iter_mut().zip(&trends) {
        mover.since = culprit(mover.movement(), &revisions, reach, buckets).cloned();
    }
    Ok(())
}

/// The revision around which the rate moved most in this direction, if around any it moved at all.
fn culprit<'r>(
    movement: Movement,
    revisions: &'r [RevisionLine],
    reach: Reach,
    buckets: &[Minute],
) -> Option<&'r RevisionLine> {
    let is_better = movement == Movement::Better;
    let effects = revisions.iter().map(|line| (line, Effect::of(line.at, reach, buckets)));
    let same_way = effects.filter(|(_, effect)| match effect.movement() {
        Movement::Same => false,
        movement => (movement == Movement::Better) == is_better,
    });
    let moved = |effect: &Effect| {
        let (before, after) = effect.rates();
        (after.share().unwrap_or(0.0) - before.share().unwrap_or(0.0)).abs()
    };
    same_way.max_by(|(_, a), (_, b)| moved(a).total_cmp(&moved(b))).map(|(line, _)| line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mover(name: &str, before: (i64, i64), after: (i64, i64)) -> Mover {
        let rate = |(failing, judged)| Rate { judged, failing };
        let subject = Subject::Namespace(name.into());
        let (code, title) = (String::new(), String::new());
        Mover { subject, code, title, before: rate(before), after: rate(after), denied: 0, since: None }
    }

    #[test]
    fn what_hit_most_comes_first_and_what_chance_explains_is_left_out() {
        let movers = [
            mover("small", (0, 100), (40, 100)),
            mover("large", (1_000, 10_000), (2_000, 10_000)),
            mover("two", (0, 2), (2, 2)),
            mover("mended", (900, 1_000), (0, 1_000)),
        ];
        let moved = Moved::of(movers.into_iter(), 1);
        let names = |movers: &[Mover]| movers.iter().map(|mover| mover.subject.name().to_owned()).collect::<Vec<_>>();
        assert_eq!(
            (names(&moved.worse), names(&moved.better), moved.more),
            (vec!["large".into()], vec!["mended".into()], 1)
        );
    }

    #[test]
    fn revision_around_which_it_moved_most_is_named() {
        let line =
            |at: i64| RevisionLine { revision: at.to_string(), author: String::new(), message: String::new(), at };
        let revisions = [line(60 * MINUTE_MS), line(120 * MINUTE_MS), line(180 * MINUTE_MS)];
        let buckets: Vec<Minute> = (0..300)
            .map(|minute| Minute {
                minute,
                judged: 10,
                failing: if (120..180).contains(&minute) { 5 } else { 1 },
                denied: 0,
            })
            .collect();
        let named = |movement| culprit(movement, &revisions, Reach::by(1), &buckets).map(|line| line.at / MINUTE_MS);
        assert_eq!((named(Movement::Worse), named(Movement::Better)), (Some(120), Some(180)));
    }
}
