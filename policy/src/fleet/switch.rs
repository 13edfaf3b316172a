//! Words that turn policies on and off.

use serde::{Deserialize, Serialize};

/// One policy, or all policies of a set, turned on or off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Switch {
    /// A policy's code, or the name of a set.
    pub name: String,
    /// Whether it judges.
    pub on: bool,
}

impl Switch {
    /// The words of one rule. A policy that one set turns on and another one turns off is on.
    pub(super) fn of<'a>(enable: &'a [String], disable: &'a [String]) -> impl Iterator<Item = Switch> + 'a {
        let to = |on| move |name: &String| Switch { name: name.clone(), on };
        enable.iter().map(to(true)).chain(disable.iter().map(to(false)))
    }
}
