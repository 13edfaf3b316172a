//! Who judges what in one review: the object itself, or the pod that it implies.

use super::PolicySet;
use super::judge::Subject;
use crate::expansion;
use crate::review::parse::Review;

/// One policy's turn. No policy has two of them in one review.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turn {
    /// The policy's position.
    pub position: usize,
    /// Whether it judges the pod that the object implies.
    pub implied: bool,
}

/// What there is to be judged.
pub(super) struct Subjects<'a> {
    pub asked: Subject<'a>,
    pub implied: Option<Subject<'a>>,
}

impl<'a> Subjects<'a> {
    pub(super) fn of(&self, turn: Turn) -> Option<&Subject<'a>> {
        if turn.implied { self.implied.as_ref() } else { Some(&self.asked) }
    }
}

impl PolicySet {
    /// Everyone whose kinds match, in the order of codes. Who judges pods and not the workload itself judges the pod that
    /// the workload implies.
    pub(super) fn turns(&self, review: &Review) -> Vec<Turn> {
        let own = self.index.find(&review.facts.kind);
        let mut turns: Vec<Turn> = own.iter().map(|position| Turn { position: *position, implied: false }).collect();
        // `status` says what is, not what somebody wants; who has to judge it too are constraints, as their users have them.
        if review.facts.sub_resource == "status" {
            turns.retain(|turn| self.judges[turn.position].constraint.is_some());
        }
        if !self.settings.expand || !expansion::implies_pod(review) {
            return turns;
        }
        for position in self.index.find("Pod") {
            let judge = &self.judges[position];
            if judge.info.expand && judge.judges_implied_alone() {
                turns.retain(|turn| turn.position != position);
                turns.push(Turn { position, implied: true });
            } else if judge.info.expand && !own.contains(&position) {
                turns.push(Turn { position, implied: true });
            }
        }
        turns.sort_unstable_by_key(|turn| turn.position);
        turns
    }
}
