//! Which functions an expression may call: all of Kubernetes' but those that ask an authorizer. What is not listed is
//! refused when it is loaded.

/// Functions that are called on a value: `x.startsWith(y)`, with the numbers of arguments that they take.
const METHODS: &[(&str, &[usize])] = &[
    // Texts.
    ("charAt", &[1]),
    ("contains", &[1]),
    ("endsWith", &[1]),
    ("format", &[1]),
    ("indexOf", &[1, 2]),
    ("join", &[0, 1]),
    ("lastIndexOf", &[1, 2]),
    ("lowerAscii", &[0]),
    ("matches", &[1]),
    ("replace", &[2, 3]),
    ("reverse", &[0]),
    ("size", &[0]),
    ("split", &[1, 2]),
    ("startsWith", &[1]),
    ("substring", &[1, 2]),
    ("trim", &[0]),
    ("upperAscii", &[0]),
    ("find", &[1]),
    ("findAll", &[1, 2]),
    // Lists.
    ("distinct", &[0]),
    ("flatten", &[0, 1]),
    ("isSorted", &[0]),
    ("max", &[0]),
    ("min", &[0]),
    ("slice", &[2]),
    ("sort", &[0]),
    ("sum", &[0]),
    ("@sortByAssociatedKeys", &[1]),
    // Times.
    ("getDate", &[0, 1]),
    ("getDayOfMonth", &[0, 1]),
    ("getDayOfWeek", &[0, 1]),
    ("getDayOfYear", &[0, 1]),
    ("getFullYear", &[0, 1]),
    ("getHours", &[0, 1]),
    ("getMilliseconds", &[0, 1]),
    ("getMinutes", &[0, 1]),
    ("getMonth", &[0, 1]),
    ("getSeconds", &[0, 1]),
    // What may be absent.
    ("hasValue", &[0]),
    ("or", &[1]),
    ("orValue", &[1]),
    ("value", &[0]),
    // Quantities and versions.
    ("add", &[1]),
    ("asApproximateFloat", &[0]),
    ("asInteger", &[0]),
    ("compareTo", &[1]),
    ("isGreaterThan", &[1]),
    ("isInteger", &[0]),
    ("isLessThan", &[1]),
    ("major", &[0]),
    ("minor", &[0]),
    ("patch", &[0]),
    ("sign", &[0]),
    ("sub", &[1]),
    // URLs and addresses.
    ("containsCIDR", &[1]),
    ("containsIP", &[1]),
    ("family", &[0]),
    ("getEscapedPath", &[0]),
    ("getHost", &[0]),
    ("getHostname", &[0]),
    ("getPort", &[0]),
    ("getQuery", &[0]),
    ("getScheme", &[0]),
    ("ip", &[0]),
    ("isGlobalUnicast", &[0]),
    ("isLinkLocalMulticast", &[0]),
    ("isLinkLocalUnicast", &[0]),
    ("isLoopback", &[0]),
    ("isUnspecified", &[0]),
    ("masked", &[0]),
    ("prefixLength", &[0]),
    // Formats.
    ("validate", &[1]),
];

/// Functions of their own, and those of a namespace: `size(x)`, `sets.contains(a, b)`.
const FUNCTIONS: &[(&str, &[usize])] = &[
    ("bool", &[1]),
    ("bytes", &[1]),
    ("double", &[1]),
    ("duration", &[1]),
    ("dyn", &[1]),
    ("int", &[1]),
    ("matches", &[2]),
    ("size", &[1]),
    ("string", &[1]),
    ("timestamp", &[1]),
    ("type", &[1]),
    ("uint", &[1]),
    ("base64.decode", &[1]),
    ("base64.encode", &[1]),
    ("cidr", &[1]),
    ("format.byte", &[0]),
    ("format.date", &[0]),
    ("format.datetime", &[0]),
    ("format.dns1035Label", &[0]),
    ("format.dns1035LabelPrefix", &[0]),
    ("format.dns1123Label", &[0]),
    ("format.dns1123LabelPrefix", &[0]),
    ("format.dns1123Subdomain", &[0]),
    ("format.dns1123SubdomainPrefix", &[0]),
    ("format.labelValue", &[0]),
    ("format.named", &[1]),
    ("format.qualifiedName", &[0]),
    ("format.uri", &[0]),
    ("format.uuid", &[0]),
    ("ip", &[1]),
    ("ip.isCanonical", &[1]),
    ("isCIDR", &[1]),
    ("isIP", &[1]),
    ("isQuantity", &[1]),
    ("isSemver", &[1, 2]),
    ("isURL", &[1]),
    ("lists.range", &[1]),
    ("math.@max", &[1, 2]),
    ("math.@min", &[1, 2]),
    ("math.abs", &[1]),
    ("math.bitAnd", &[2]),
    ("math.bitNot", &[1]),
    ("math.bitOr", &[2]),
    ("math.bitShiftLeft", &[2]),
    ("math.bitShiftRight", &[2]),
    ("math.bitXor", &[2]),
    ("math.ceil", &[1]),
    ("math.floor", &[1]),
    ("math.isFinite", &[1]),
    ("math.isInf", &[1]),
    ("math.isNaN", &[1]),
    ("math.round", &[1]),
    ("math.sign", &[1]),
    ("math.sqrt", &[1]),
    ("math.trunc", &[1]),
    ("optional.none", &[0]),
    ("optional.of", &[1]),
    ("optional.ofNonZeroValue", &[1]),
    ("quantity", &[1]),
    ("semver", &[1, 2]),
    ("sets.contains", &[2]),
    ("sets.equivalent", &[2]),
    ("sets.intersects", &[2]),
    ("strings.quote", &[1]),
    ("url", &[1]),
];

/// Macros that Kubernetes has and that are not expanded here.
const NOT_EXPANDED: &[&str] =
    &["bind", "transformList", "transformMap", "transformMapEntry", "authorizer", "check", "serviceAccount"];

/// Why a call is refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// There is no such function.
    Unknown,
    /// Kubernetes has it, and it is not evaluated here.
    Unsupported,
    /// It takes other numbers of arguments.
    Arguments(&'static [usize]),
}

/// Whether this may be called with so many arguments.
pub(super) fn check(name: &str, is_method: bool, arguments: usize) -> Result<(), Refusal> {
    let table = if is_method { METHODS } else { FUNCTIONS };
    match table.iter().find(|(known, _)| *known == name) {
        Some((_, counts)) if counts.contains(&arguments) => Ok(()),
        // The two-variable forms of the macros are left as calls.
        Some((_, counts)) => Err(Refusal::Arguments(counts)),
        None if ["all", "exists", "exists_one", "existsOne", "map", "filter"].contains(&name) => {
            Err(Refusal::Unsupported)
        }
        None if NOT_EXPANDED.contains(&name.rsplit('.').next().unwrap_or(name)) => Err(Refusal::Unsupported),
        None => Err(Refusal::Unknown),
    }
}

/// Whether `sets.contains` and the like is a function of a namespace.
pub(super) fn is_qualified(name: &str) -> bool {
    FUNCTIONS.iter().any(|(known, _)| *known == name)
}

/// Whether functions are in a namespace of this name.
pub(super) fn is_namespace(name: &str) -> bool {
    FUNCTIONS.iter().any(|(known, _)| known.split_once('.').is_some_and(|(namespace, _)| namespace == name))
}
