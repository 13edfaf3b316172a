//! The table of actions, and what holds for every combination of words.

use super::*;
use proptest::prelude::*;

const PLATFORM: Words = Words {
    deny_level: DenyLevel::Low,
    namespace_level: None,
    may_tighten: true,
    action: None,
    exempted: false,
    break_glass: false,
    lifeline: false,
};

#[test]
fn table_of_actions() {
    use Action::{Deny, Dryrun, Warn};
    use DenyLevel::{High as DenyAll, Low as DenyHigh, Med as DenyMed, Off};
    use Objection::{Constraint, Error, Failure};
    use Severity::{High, Low, Med};
    let level = |deny_level| Words { deny_level, ..PLATFORM };
    let team = |deny_level, own| Words { namespace_level: Some(own), ..level(deny_level) };
    let held = |deny_level, own| Words { may_tighten: false, ..team(deny_level, own) };
    let own = |deny_level, action| Words { action: Some(action), ..level(deny_level) };
    let exempted = |words| Words { exempted: true, ..words };
    let by = Because::DenyLevel;
    let by_team = Because::NamespaceLevel;
    for (objection, words, action, because) in [
        // The deny level against the severity.
        (Failure(Low), level(Off), Warn, by(Off)),
        (Failure(Med), level(Off), Warn, by(Off)),
        (Failure(High), level(Off), Warn, by(Off)),
        (Failure(Low), level(DenyHigh), Warn, by(DenyHigh)),
        (Failure(Med), level(DenyHigh), Warn, by(DenyHigh)),
        (Failure(High), level(DenyHigh), Deny, by(DenyHigh)),
        (Failure(Low), level(DenyMed), Warn, by(DenyMed)),
        (Failure(Med), level(DenyMed), Deny, by(DenyMed)),
        (Failure(High), level(DenyMed), Deny, by(DenyMed)),
        (Failure(Low), level(DenyAll), Deny, by(DenyAll)),
        (Failure(Med), level(DenyAll), Deny, by(DenyAll)),
        (Failure(High), level(DenyAll), Deny, by(DenyAll)),
        // A team is heard when it is stricter, where the platform lets it.
        (Failure(Low), team(Off, DenyAll), Deny, by_team(DenyAll)),
        (Failure(Med), team(DenyHigh, DenyMed), Deny, by_team(DenyMed)),
        (Failure(High), team(DenyHigh, Off), Deny, by(DenyHigh)),
        (Failure(Med), team(DenyMed, DenyHigh), Deny, by(DenyMed)),
        (Failure(Low), team(DenyHigh, DenyHigh), Warn, by(DenyHigh)),
        (Failure(Low), held(DenyHigh, DenyAll), Warn, by(DenyHigh)),
        // The platform's own action for a policy wins over every level.
        (Failure(High), own(DenyAll, Dryrun), Dryrun, Because::Action),
        (Failure(High), own(DenyAll, Warn), Warn, Because::Action),
        (Failure(Low), own(Off, Deny), Deny, Because::Action),
        (Failure(Low), Words { namespace_level: Some(DenyAll), ..own(Off, Warn) }, Warn, Because::Action),
        // A constraint's own action stands.
        (Constraint(Deny), level(Off), Deny, Because::Constraint),
        (Constraint(Warn), team(DenyAll, DenyAll), Warn, Because::Constraint),
        (Constraint(Dryrun), own(DenyAll, Deny), Dryrun, Because::Constraint),
        // An error does no more than the platform lets the policy do.
        (Error(OnError::Deny), level(DenyHigh), Deny, Because::OnError),
        (Error(OnError::Warn), level(DenyAll), Warn, Because::OnError),
        (Error(OnError::Allow), own(DenyAll, Deny), Dryrun, Because::OnError),
        (Error(OnError::Deny), level(Off), Warn, Because::Bounded),
        (Error(OnError::Deny), team(Off, DenyHigh), Deny, Because::OnError),
        (Error(OnError::Deny), own(Off, Deny), Deny, Because::OnError),
        (Error(OnError::Deny), own(DenyAll, Dryrun), Dryrun, Because::Bounded),
        // An exemption covers everything.
        (Failure(High), exempted(level(DenyAll)), Dryrun, Because::Exemption),
        (Failure(High), exempted(own(DenyAll, Deny)), Dryrun, Because::Exemption),
        (Constraint(Deny), exempted(level(DenyAll)), Dryrun, Because::Exemption),
        (Error(OnError::Deny), exempted(level(DenyAll)), Dryrun, Because::Exemption),
    ] {
        assert_eq!(rule(objection, &words), Ruling { action, because }, "{objection:?} {words:?}");
    }
}

#[test]
fn break_glass_and_lifelines_turn_refusals_into_warnings_and_nothing_else() {
    use Action::{Deny, Dryrun, Warn};
    use DenyLevel::{High as DenyAll, Low as DenyHigh, Off};
    use Objection::{Constraint, Error, Failure};
    use Severity::{High, Low};
    let level = |deny_level| Words { deny_level, ..PLATFORM };
    let own = |deny_level, action| Words { action: Some(action), ..level(deny_level) };
    let exempted = |words| Words { exempted: true, ..words };
    let open = |words| Words { break_glass: true, ..words };
    let lifeline = |words| Words { lifeline: true, ..words };
    let by = Because::DenyLevel;
    for (objection, words, action, because) in [
        (Failure(High), open(level(DenyAll)), Warn, Because::BreakGlass),
        (Failure(Low), open(own(Off, Deny)), Warn, Because::BreakGlass),
        (Constraint(Deny), open(level(Off)), Warn, Because::BreakGlass),
        (Error(OnError::Deny), open(level(DenyAll)), Warn, Because::BreakGlass),
        (Failure(Low), open(level(DenyHigh)), Warn, by(DenyHigh)),
        (Failure(High), open(own(DenyAll, Dryrun)), Dryrun, Because::Action),
        (Failure(High), open(exempted(level(DenyAll))), Dryrun, Because::Exemption),
        (Failure(High), lifeline(open(level(DenyAll))), Warn, Because::Lifeline),
        (Constraint(Deny), lifeline(level(Off)), Warn, Because::Lifeline),
    ] {
        assert_eq!(rule(objection, &words), Ruling { action, because }, "{objection:?} {words:?}");
    }
}

fn levels() -> impl Strategy<Value = DenyLevel> {
    prop::sample::select(vec![DenyLevel::Off, DenyLevel::Low, DenyLevel::Med, DenyLevel::High])
}

fn actions() -> impl Strategy<Value = Action> {
    prop::sample::select(vec![Action::Dryrun, Action::Warn, Action::Deny])
}

fn objections() -> impl Strategy<Value = Objection> {
    let severities = prop::sample::select(vec![Severity::Low, Severity::Med, Severity::High]);
    let errors = prop::sample::select(vec![OnError::Deny, OnError::Warn, OnError::Allow]);
    prop_oneof![
        severities.prop_map(Objection::Failure),
        errors.prop_map(Objection::Error),
        actions().prop_map(Objection::Constraint)
    ]
}

fn words() -> impl Strategy<Value = Words> {
    let platform = (levels(), prop::option::of(levels()), any::<bool>(), prop::option::of(actions()));
    (platform, any::<(bool, bool, bool)>()).prop_map(
        |((deny_level, namespace_level, may_tighten, action), (exempted, break_glass, lifeline))| Words {
            deny_level,
            namespace_level,
            may_tighten,
            action,
            exempted,
            break_glass,
            lifeline,
        },
    )
}

proptest! {
    #[test]
    fn team_never_relaxes(objection in objections(), words in words()) {
        let without = rule(objection, &Words { namespace_level: None, ..words });
        prop_assert!(rule(objection, &words).action >= without.action);
    }

    #[test]
    fn team_that_may_not_tighten_changes_nothing(objection in objections(), words in words()) {
        let words = Words { may_tighten: false, ..words };
        prop_assert_eq!(rule(objection, &words), rule(objection, &Words { namespace_level: None, ..words }));
    }

    #[test]
    fn exemption_never_makes_stricter(objection in objections(), words in words()) {
        let (with, without) = (Words { exempted: true, ..words }, Words { exempted: false, ..words });
        prop_assert!(rule(objection, &with).action <= rule(objection, &without).action);
    }

    #[test]
    fn break_glass_refuses_nothing_and_changes_only_refusals(objection in objections(), words in words()) {
        let closed = rule(objection, &Words { break_glass: false, ..words });
        let open = rule(objection, &Words { break_glass: true, ..words });
        match closed.action {
            Action::Deny => prop_assert_eq!(open, Ruling { action: Action::Warn, because: Because::BreakGlass }),
            _ => prop_assert_eq!(open, closed),
        }
    }
}
