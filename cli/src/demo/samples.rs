//! The bundled workloads that the demo's reviews are made of: per namespace some that follow the policies and some that
//! do not.

use anyhow::Context;
use serde_json::Value;

/// The Namespace objects, as the agents' `--namespaces` folder gets them.
pub(crate) const NAMESPACES: &str = include_str!("../../samples/namespaces.yaml");

/// A namespace and what is applied in it.
#[derive(Debug)]
pub(crate) struct Sample {
    pub(crate) namespace: &'static str,
    /// How many of 100 reviews are about this namespace.
    pub(crate) share: u32,
    /// How many of 100 objects break a policy, by cluster in the order of [`super::cluster::CLUSTERS`].
    pub(crate) bad_share: [u32; 3],
    /// Who applies them.
    pub(crate) user: &'static str,
    pub(crate) good: Vec<Value>,
    pub(crate) bad: Vec<Value>,
}

macro_rules! sample {
    ($namespace:literal, $share:literal, $bad_share:expr, $user:literal) => {
        Sample {
            namespace: $namespace,
            share: $share,
            bad_share: $bad_share,
            user: $user,
            good: documents(
                concat!($namespace, ".good.yaml"),
                include_str!(concat!("../../samples/", $namespace, ".good.yaml")),
            )?,
            bad: documents(
                concat!($namespace, ".bad.yaml"),
                include_str!(concat!("../../samples/", $namespace, ".bad.yaml")),
            )?,
        }
    };
}

/// All samples.
pub(crate) fn all() -> anyhow::Result<Vec<Sample>> {
    Ok(vec![
        sample!("shop", 40, [30, 15, 5], "system:serviceaccount:ci:deployer"),
        sample!("payments", 15, [12, 4, 1], "system:serviceaccount:ci:deployer"),
        sample!("data", 25, [45, 35, 25], "system:serviceaccount:data:operator"),
        sample!("platform", 10, [35, 35, 30], "system:serviceaccount:platform:argocd"),
        sample!("legacy", 10, [70, 80, 60], "mallory@example.com"),
    ])
}

fn documents(name: &str, text: &str) -> anyhow::Result<Vec<Value>> {
    serde_saphyr::from_multiple(text).with_context(|| format!("the bundled sample {name} is not YAML"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_and_every_object_has_kind_and_name() {
        let samples = all().unwrap();
        assert_eq!(samples.iter().map(|sample| sample.share).sum::<u32>(), 100);
        for object in samples.iter().flat_map(|sample| sample.good.iter().chain(&sample.bad)) {
            assert!(object["kind"].is_string() && object["metadata"]["name"].is_string(), "{object}");
        }
    }
}
