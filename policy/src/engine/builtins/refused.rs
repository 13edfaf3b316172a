//! Builtins that OPA has and policies may not call here, each with its reason. They are refused at load, with the
//! place: a builtin that only fails when it is reached would be a silent hole.

/// Why the builtin is refused and what to do instead.
pub(super) fn reason(name: &str, v0: bool) -> Option<(&'static str, &'static str)> {
    let exact = REFUSED.iter().find(|(known, _)| *known == name);
    let family = FAMILIES.iter().find(|(prefix, _)| name.starts_with(prefix));
    let deprecated = DEPRECATED.iter().find(|(known, _)| *known == name && !v0);
    if let Some((_, instead)) = deprecated {
        return Some(("it is deprecated and not part of Rego v1", instead));
    }
    exact.or(family).map(|(_, reason)| *reason)
}

type Reason = (&'static str, &'static str);

const NETWORK: Reason =
    ("no policy may call the network", "Put what it needs into the repository, or into replicated data.");
const NOT_REPEATABLE: Reason = (
    "its answer differs each time, so admission, audit and preview would disagree",
    "Derive the value from the input, for example from the object's uid.",
);
const ABSENT: Reason = ("Writ does not have this builtin of OPA", "Write it out in Rego, or ask for it.");

const CERTIFICATES: Reason =
    ("Writ does not read certificates", "Check what issues them, or compare digests by `crypto.sha256`.");
const OPERATOR: Reason = ("it stands for an operator", "Write the operator: `a + b`, `a == b`, `a & b`.");
const KEYS: Reason =
    ("a policy may not hold secrets: it is read by all who read the repository", "Verify instead of signing.");

const REFUSED: &[(&str, Reason)] = &[
    ("http.send", NETWORK),
    ("net.lookup_ip_addr", NETWORK),
    ("external_data", NETWORK),
    ("rand.intn", NOT_REPEATABLE),
    ("uuid.rfc4122", NOT_REPEATABLE),
    ("json.match_schema", ABSENT),
    ("json.verify_schema", ABSENT),
    ("strings.render_template", ABSENT),
    ("strings.split_n", ABSENT),
    ("and", OPERATOR),
    ("div", OPERATOR),
    ("equal", OPERATOR),
    ("gt", OPERATOR),
    ("gte", OPERATOR),
    ("lt", OPERATOR),
    ("lte", OPERATOR),
    ("minus", OPERATOR),
    ("mul", OPERATOR),
    ("neq", OPERATOR),
    ("or", OPERATOR),
    ("plus", OPERATOR),
    ("rem", OPERATOR),
    ("uri.parse", ABSENT),
    ("uri.is_valid", ABSENT),
];

/// Names that begin so are refused together.
const FAMILIES: &[(&str, Reason)] = &[
    ("crypto.x509.", CERTIFICATES),
    ("crypto.parse_private_keys", KEYS),
    ("graphql.", ABSENT),
    ("io.jwt.encode_sign", KEYS),
    ("providers.", NETWORK),
    ("rego.", ("a policy may not compile policies or read annotations while it runs", "Use parameters.")),
    ("internal.", ("it is internal to OPA", "Use the documented builtins.")),
    ("azure.", ("it is not part of Rego", "Use the documented builtins of OPA.")),
    ("test.", ("it is not part of Rego", "Use the documented builtins of OPA.")),
];

/// Deprecated builtins of Rego v0 and what took their place.
const DEPRECATED: &[(&str, &str)] = &[
    ("all", "Use `every`."),
    ("any", "Use `true in xs`."),
    ("re_match", "Use `regex.match`."),
    ("set_diff", "Use `a - b`."),
    ("net.cidr_overlap", "Use `net.cidr_contains`."),
    ("cast_array", "Use a comprehension and `is_array`."),
    ("cast_boolean", "Use `is_boolean`."),
    ("cast_null", "Use `is_null`."),
    ("cast_object", "Use `is_object`."),
    ("cast_set", "Use a comprehension and `is_set`."),
    ("cast_string", "Use `is_string`."),
];
