//! Expressions and their values: Kubernetes' functions, what the crate would say otherwise, and bounds.

use super::{Asked, Expression, Policy, Said, Scope, Shared, Source, Validation};
use crate::engine::Value;
use std::time::Duration;

const NAMES: [&str; 2] = ["object", "oldObject"];

fn read(text: &str) -> Result<Expression, String> {
    let scope = Scope { names: &NAMES, variables: &[] };
    Expression::read(text, scope)
        .map_err(|found| found.iter().map(|one| one.message.clone()).collect::<Vec<_>>().join("; "))
}

/// `true`, `false`, or the error.
fn say(text: &str) -> String {
    let expression = match read(text) {
        Ok(expression) => expression,
        Err(refusal) => return format!("refused: {refusal}"),
    };
    let validation = Validation { expression, message: Some("false".into()), message_expression: None };
    let source = Source { conditions: vec![], variables: vec![], validations: vec![validation], ignores_errors: false };
    let object = r#"{"metadata":{"name":"web","labels":{"b":"2","a":"1"}},"n":3,"f":1.5,"nothing":null,
        "list":[1,2,3],"containers":[{"name":"a","image":"x/y:1"},{"name":"b"}]}"#;
    let names =
        [("object", Shared::new(&Value::from_json_str(object).unwrap())), ("oldObject", Shared::new(&Value::Null))];
    match Policy::new(source).judge(&Asked { names: &names, variables: &[] }, Duration::from_millis(500)) {
        Said::Judged { errors, .. } if !errors.is_empty() => errors[0].rsplit("error: ").next().unwrap().to_owned(),
        Said::Judged { failures, .. } => failures.is_empty().to_string(),
        Said::OutOfTime => "out of time".into(),
        Said::TooLarge => "too large".into(),
    }
}

#[test]
fn expressions_have_the_values_that_kubernetes_gives_them() {
    for text in [
        // What has no fields has not this one either.
        "!has(object.nothing.x) && !has(object.n.x)",
        "has(object.metadata) && !has(object.metadata.namespace)",
        // Lists and maps are equal by what they hold, whoever made them.
        "object.list == [1, 2, 3] && [1, 2, 3] == object.list && object.list != [1, 2]",
        r#"object.metadata.labels == {"a": "1", "b": "2"} && {"b": "2", "a": "1"} == object.metadata.labels"#,
        r#"{"name": "b"} in object.containers && object.containers[1] in [{"name": "b"}]"#,
        "[[1, 2, 3]].exists(l, l == object.list) && object.list in [[1, 2, 3]]",
        "object.list != null && null != object.list && object.metadata != object.list && [1] != null && {} != []",
        "object.n == 3.0 && object.n in [3.0] && 1 == 1u && object.f == 1.5",
        // Keys are gone through in their order.
        r#"object.metadata.labels.map(k, k).join(",") == "a,b" && {"z": 1, "y": 2}.map(k, k) == ["y", "z"]"#,
        "object.list + [4] == [1, 2, 3, 4] && [0] + object.list == [0, 1, 2, 3]",
        "size(object.list) == 3 && object.list.size() == 3 && size(object.metadata.labels) == 2",
        // An error beside what decides is none.
        "[1, 0].exists(x, 1 / x == 1) && ![0, 1].all(x, 1 / x == 2)",
        "true || object.missing.x && false",
        "object.containers.filter(c, has(c.image)).map(c, c.image) == ['x/y:1']",
        "object.containers.exists_one(c, c.name == 'a')",
        "object.?metadata.?labels.?a.orValue('') == '1' && !object.?x.hasValue()",
        "object.metadata.?labels.optMap(l, l.a).orValue('none') == '1'",
        "'a.b.c'.split('.') == ['a', 'b', 'c'] && 'abc'.replace('b', '') == 'ac' && 'abca'.indexOf('a', 1) == 3",
        "'héllo'.indexOf('l') == 2 && 'abcabc'.lastIndexOf('b') == 4 && 'x'.lastIndexOf('y') == -1",
        "'ab12'.matches('^[a-z]+[0-9]+$') && 'ab12'.find('[0-9]+') == '12' && 'a1b2'.findAll('[0-9]') == ['1', '2']",
        "[1, 2, 2].isSorted() && [3, 1].min() == 1 && [3, 1].max() == 3 && [1, 2].sum() == 3 && [].sum() == 0",
        "['a', 'b', 'a'].indexOf('a') == 0 && ['a', 'b', 'a'].lastIndexOf('a') == 2",
        "sets.contains([1, 2, 3], [2]) && sets.equivalent([1, 2, 2], [2, 1]) && !sets.intersects([1], [2])",
        "quantity('1.5Gi').isGreaterThan(quantity('1Gi')) && quantity('1k') == quantity('1000') && isQuantity('1Gi')",
        "!isQuantity('1 Gi') && quantity('50k').add(20).sub(quantity('20')).asInteger() == 50000",
        "quantity('-1').sign() == -1 && quantity('500m').asApproximateFloat() == 0.5 && !quantity('0.5').isInteger()",
        "url('https://u@example.com:80/a/b?k=v&k=w').getHost() == 'example.com:80' && isURL('/x') && !isURL('x')",
        "url('https://[::1]:80/a b?k=v&k=w').getHostname() == '::1' && url('https://x/a b').getEscapedPath() == '/a%20b'",
        "url('https://x/?k=v&k=w').getQuery() == {'k': ['v', 'w']} && url('https://x:8/').getPort() == '8'",
        "ip('10.0.0.1').family() == 4 && !isIP('10.0.0.01') && ip.isCanonical('::1') && !ip.isCanonical('::01')",
        "!isIP('::ffff:1.2.3.4') && ip('127.0.0.1').isLoopback() && ip('10.0.0.1').isGlobalUnicast()",
        "cidr('10.0.0.0/8').containsIP('10.1.2.3') && cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16')",
        "!cidr('10.0.0.0/8').containsCIDR('0.0.0.0/0') && cidr('10.1.2.3/8').masked() == cidr('10.0.0.0/8')",
        "string(cidr('10.0.0.0/8')) == '10.0.0.0/8' && cidr('::/0').prefixLength() == 0 && cidr('::/0').containsIP('::1')",
        "semver('1.2.3').isLessThan(semver('1.10.0')) && !isSemver('v1.2') && semver('v1.02', true).minor() == 2",
        "!format.dns1123Label().validate('web-1').hasValue() && format.dns1123Label().validate('Web').hasValue()",
        "format.named('uuid').value().validate('x').value().size() == 1 && !format.named('nope').hasValue()",
        "duration('90m') > duration('1h') && timestamp('2026-01-01T00:00:00Z').getFullYear() == 2026",
        "'%s has %d'.format(['web', 3]) == 'web has 3' && 'ABC'.lowerAscii() == 'abc' && ' a '.trim() == 'a'",
        "type(object.n) == int && type('') == string && int('3') == 3 && string(3) == '3' && dyn(1) == 1",
    ] {
        assert_eq!(say(text), "true", "{text}");
    }
}

#[test]
fn what_is_wrong_with_a_value_is_an_error_without_the_value() {
    for (text, error) in [
        ("object.missing == 1", "no such key: missing"),
        ("object.n + 'secret' == ''", "no such overload: add"),
        ("object.nothing.x == 1", "no such overload: _._(null_type, string)"),
        ("object.list[7] == 1", "_[_]: index 7 is out of range"),
        ("1 / 0 == 1", "division by zero"),
        ("object.n", "the expression: it is neither true nor false"),
        ("'a'.matches('(?<')", "matches: the pattern is no regular expression of RE2"),
        ("quantity('x').isInteger()", "quantity: it is no quantity such as 100m, 1.5Gi or 2e3"),
        ("'a' < 1", "no such overload: _<_(string, int)"),
    ] {
        assert_eq!(say(text), error, "{text}");
    }
}

#[test]
fn what_is_not_evaluated_is_refused_by_name() {
    for (text, refusal) in [
        ("authorizer.path('/').check('get').allowed()", "`authorizer` is not evaluated"),
        ("params.x == 1", "`params` is not known here"),
        ("variables.x == 1", "`variables.x` is not known here"),
        ("object.list.all(i, v, v > 0)", "`all` is not evaluated here in this form"),
        ("object.list.transformList(i, v, v) == []", "`transformList` is not evaluated here in this form"),
        ("cel.bind(x, 1, x == 1)", "`cel` is not known"),
        ("object.name.frobnicate()", "there is no function `frobnicate`"),
        ("size(1, 2) == 1", "`size` takes 1 arguments"),
        ("Pod{name: 'x'} == object", "objects of type `Pod` cannot be made here"),
        ("object.x ==", "the expression is not CEL"),
        ("@within()", "the expression is not CEL"),
    ] {
        let said = say(text);
        assert!(said.starts_with("refused: ") && said.contains(refusal), "{text}: {said}");
    }
}

#[test]
fn loops_and_what_they_make_are_bounded() {
    let many = "lists.range(1000)";
    let nested = format!("{many}.all(a, {many}.all(b, {many}.all(c, {many}.all(d, a + b + c + d >= 0))))");
    assert_eq!(say(&nested), "out of time");
    let absorbed = format!("true || ({nested})");
    assert_eq!(say(&absorbed), "true");
    let large = format!("{many}.map(a, '{}').map(a, a + a).map(a, a + a).size() == 1000", "x".repeat(20_000));
    assert_eq!(say(&large), "too large");
    let replaced = format!("'{0}'.replace('x', '{0}').size() > 0", "x".repeat(20_000));
    assert_eq!(say(&replaced), "too large");
    assert_eq!(say("lists.range(100000).distinct().size() == 1"), "out of time");
}
