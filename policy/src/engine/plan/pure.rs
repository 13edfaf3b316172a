//! Which rules hang on their arguments alone: they look at neither `input` nor `data`, nor at rules that do, and call no
//! builtin whose answer is another one at another time.

use super::{Base, Body, Builtin, Pattern, Rule, Step, Term};

/// Marks them.
pub(super) fn mark(rules: &mut [Rule]) {
    for rule in rules.iter_mut() {
        rule.pure = true;
    }
    // Until nothing changes any more; rules do not recurse, so this takes no more rounds than there are rules.
    loop {
        let pure: Vec<bool> = rules.iter().map(|rule| rule.pure).collect();
        let mut changed = false;
        for rule in rules.iter_mut().filter(|rule| rule.pure) {
            let mut bodies = rule.definitions.iter().flat_map(|definition| &definition.bodies);
            rule.pure = bodies.all(|body| Look(&pure).body(body));
            changed |= !rule.pure;
        }
        if !changed {
            return;
        }
    }
}

/// Holds what is pure, as far as it is known.
struct Look<'a>(&'a [bool]);

impl Look<'_> {
    fn body(&self, body: &Body) -> bool {
        self.steps(&body.steps) && body.key.iter().all(|key| self.term(key)) && self.term(&body.value)
    }

    fn steps(&self, steps: &[Step]) -> bool {
        steps.iter().all(|step| match step {
            Step::Test(term) | Step::Bind(_, term) => self.term(term),
            Step::Match(pattern, term) => self.pattern(pattern) && self.term(term),
            Step::Not(steps) => self.steps(steps),
            Step::Every(every) => self.term(&every.over) && self.steps(&every.steps),
            Step::Scan(scan) => self.term(&scan.over) && self.pattern(&scan.key) && self.pattern(&scan.value),
        })
    }

    fn pattern(&self, pattern: &Pattern) -> bool {
        match pattern {
            Pattern::Any | Pattern::Bind(_) => true,
            Pattern::Equals(term) => self.term(term),
            Pattern::Array(patterns) => patterns.iter().all(|pattern| self.pattern(pattern)),
            Pattern::Object(fields) => fields.iter().all(|(key, pattern)| self.term(key) && self.pattern(pattern)),
        }
    }

    fn term(&self, term: &Term) -> bool {
        let both = |sides: &(Term, Term)| self.term(&sides.0) && self.term(&sides.1);
        match term {
            Term::Constant(_) | Term::Slot(_) => true,
            Term::Reference(reference) => match reference.base {
                Base::Input(_) | Base::Data => false,
                Base::Rule(rule) => self.0[rule],
                Base::Slot(_) => true,
            },
            Term::Array(terms) | Term::Set(terms) => terms.iter().all(|term| self.term(term)),
            Term::Object(fields) => fields.iter().all(both),
            Term::Comprehension(inner) => {
                self.steps(&inner.steps) && inner.key.iter().all(|key| self.term(key)) && self.term(&inner.value)
            }
            Term::Call(rule, arguments) => self.0[*rule] && arguments.iter().all(|argument| self.term(argument)),
            Term::Builtin(builtin, arguments) => {
                is_pure(builtin) && arguments.iter().all(|argument| self.term(argument))
            }
            Term::Compare(_, sides) => both(sides),
            Term::Arithmetic(_, sides) => both(sides),
            Term::Sets(_, sides) => both(sides),
            Term::Member(member) => {
                member.key.iter().all(|key| self.term(key)) && self.term(&member.value) && self.term(&member.collection)
            }
        }
    }
}

/// Writ's own may look at the clock or count what they make; the engine's that a plan may call do neither.
fn is_pure(builtin: &Builtin) -> bool {
    match builtin {
        Builtin::Own(own) => own.is_pure(),
        Builtin::Native(_) => true,
    }
}
