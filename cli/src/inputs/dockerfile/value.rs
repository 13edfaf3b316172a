//! How the rest of an instruction becomes the list of its values, which differs from command to command.

/// The values, and whether they were written as JSON.
pub(super) struct Words {
    pub(super) json: bool,
    pub(super) words: Vec<String>,
}

/// `command` in lower case, `rest` not empty.
pub(super) fn words(command: &str, rest: &str) -> Words {
    let plain = |words: Vec<String>| Words { json: false, words };
    match command {
        "env" | "label" => plain(pairs(rest)),
        "run" | "cmd" | "entrypoint" | "shell" => json(rest).unwrap_or_else(|| plain(vec![rest.trim().to_owned()])),
        "add" | "copy" | "volume" => json(rest).unwrap_or_else(|| plain(by_blank(rest))),
        "arg" => plain(quoted_words(rest)),
        "from" | "expose" => plain(by_blank(rest)),
        "healthcheck" => healthcheck(rest),
        _ => plain(vec![rest.trim().to_owned()]),
    }
}

fn json(rest: &str) -> Option<Words> {
    let words: Vec<String> = serde_json::from_str(rest.trim()).ok()?;
    Some(Words { json: true, words })
}

fn by_blank(rest: &str) -> Vec<String> {
    rest.split_whitespace().map(str::to_owned).collect()
}

/// `NONE`, or `CMD` and a command of its own.
fn healthcheck(rest: &str) -> Words {
    let (kind, command) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let mut found = match command.trim() {
        "" => Words { json: false, words: vec![] },
        command => words("cmd", command),
    };
    found.words.insert(0, kind.to_uppercase());
    found
}

/// `key=value` words as key, value and sign; the old form `key value` has an empty sign.
fn pairs(rest: &str) -> Vec<String> {
    let words = quoted_words(rest);
    if words.first().is_some_and(|first| first.contains('=')) {
        let pair = |word: &String| {
            let (key, value) = word.split_once('=').unwrap_or((word, ""));
            [key.to_owned(), value.to_owned(), "=".to_owned()]
        };
        return words.iter().flat_map(pair).collect();
    }
    let (key, value) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    vec![key.to_owned(), value.trim().to_owned(), String::new()]
}

/// At blanks that are neither quoted nor escaped. Quotes stay, as they do in the image's build.
fn quoted_words(rest: &str) -> Vec<String> {
    let mut words = vec![];
    let (mut word, mut quote, mut escaped) = (String::new(), None, false);
    for c in rest.trim().chars() {
        if c.is_whitespace() && quote.is_none() && !escaped {
            if !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            continue;
        }
        match (c, quote, escaped) {
            ('"' | '\'', None, false) => quote = Some(c),
            (c, Some(open), false) if c == open => quote = None,
            _ => {}
        }
        escaped = c == '\\' && !escaped && quote != Some('\'');
        word.push(c);
    }
    words.extend((!word.is_empty()).then_some(word));
    words
}
