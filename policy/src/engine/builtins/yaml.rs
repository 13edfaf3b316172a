//! YAML as Kubernetes and OPA read it: `yes` is true. The engine reads YAML 1.2.

use super::answer::{Fault, text};
use super::{Answer, Own};
use regorus::Value;

pub(super) const BUILTINS: &[Own] = &[
    Own { name: "yaml.is_valid", arity: 1, call: |given| Ok(Value::from(unmarshal(given).is_ok())) },
    Own { name: "yaml.unmarshal", arity: 1, call: unmarshal },
];

/// The reader bounds aliases and depth.
fn unmarshal(arguments: &[Value]) -> Answer {
    let value: serde_json::Value = serde_saphyr::from_str(text(arguments, 0)?).map_err(|_| Fault::Undefined)?;
    Ok(Value::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_cannot_explode() {
        let mut laughs = "a: &a [x,x,x,x,x,x,x,x,x]\n".to_owned();
        for (one, two) in "abcdefghijkl".chars().zip("bcdefghijklm".chars()) {
            laughs += &format!("{two}: &{two} [{}]\n", vec![format!("*{one}"); 9].join(","));
        }
        assert_eq!(unmarshal(&[Value::from(laughs)]), Err(Fault::Undefined));
        assert_eq!(unmarshal(&[Value::from("a: yes")]).unwrap().to_string(), r#"{"a":true}"#);
    }
}
