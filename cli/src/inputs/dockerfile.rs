//! A Dockerfile as the list of its commands, `{Cmd, SubCmd, JSON, Flags, Value, Stage}`, with comments that directly
//! precede a command as commands `comment`.

mod lines;
mod value;

use super::{Parsed, Unreadable};
use lines::Instruction;
use serde_json::{Value, json};

/// What a Dockerfile may begin a line with.
const COMMANDS: [&str; 18] = [
    "add",
    "arg",
    "cmd",
    "copy",
    "entrypoint",
    "env",
    "expose",
    "from",
    "healthcheck",
    "label",
    "maintainer",
    "onbuild",
    "run",
    "shell",
    "stopsignal",
    "user",
    "volume",
    "workdir",
];

pub(super) fn parse(text: &str) -> Parsed {
    let instructions = lines::instructions(text);
    if instructions.is_empty() {
        return Err(Unreadable::at(1, 1, "the file has no instruction"));
    }
    let mut commands = vec![];
    let mut stages: usize = 0;
    for instruction in &instructions {
        let command = command(instruction)?;
        stages += usize::from(command.name == "from");
        let stage = stages.saturating_sub(1);
        commands.extend(instruction.comments.iter().map(|comment| comment_value(comment, stage)));
        commands.push(command.value(stage));
    }
    // A list of one list: the file is one configuration, not one per command.
    Ok(json!([commands]))
}

struct Command {
    name: String,
    sub: String,
    flags: Vec<String>,
    words: value::Words,
}

impl Command {
    fn value(&self, stage: usize) -> Value {
        let words = if self.words.words.is_empty() { Value::Null } else { self.words.words.clone().into() };
        json!({
            "Cmd": self.name, "SubCmd": self.sub, "JSON": self.words.json, "Flags": self.flags, "Value": words,
            "Stage": stage,
        })
    }
}

fn comment_value(comment: &str, stage: usize) -> Value {
    json!({"Cmd": "comment", "SubCmd": "", "JSON": false, "Flags": null, "Value": [comment], "Stage": stage})
}

fn command(instruction: &Instruction) -> Result<Command, Unreadable> {
    let refuse = |reason: String| Unreadable::at(instruction.line, 1, reason);
    let (name, rest) = first_word(&instruction.text);
    let known = |name: &str| COMMANDS.contains(&name.to_lowercase().as_str());
    if !known(name) {
        return Err(refuse(format!("unknown instruction `{name}`")));
    }
    let (flags, rest) = flags(rest);
    if rest.is_empty() {
        return Err(refuse(format!("`{name}` has no argument")));
    }
    if !name.eq_ignore_ascii_case("onbuild") {
        let words = value::words(&name.to_lowercase(), rest);
        return Ok(Command { name: name.to_lowercase(), sub: String::new(), flags, words });
    }
    let (sub, rest) = first_word(rest);
    if !known(sub) {
        return Err(refuse(format!("unknown instruction `{sub}`")));
    }
    let words = value::words(&sub.to_lowercase(), self::flags(rest).1);
    Ok(Command { name: name.to_lowercase(), sub: sub.to_owned(), flags, words })
}

fn first_word(text: &str) -> (&str, &str) {
    let text = text.trim();
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    (&text[..end], text[end..].trim_start())
}

/// The leading `--flag=value` words.
fn flags(mut rest: &str) -> (Vec<String>, &str) {
    let mut flags = vec![];
    loop {
        let (word, after) = first_word(rest);
        if !word.starts_with("--") {
            return (flags, rest);
        }
        rest = after;
        if word == "--" {
            return (flags, rest);
        }
        flags.push(word.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<Value> {
        let parsed = parse(text).unwrap();
        parsed[0].as_array().unwrap().iter().map(|command| command["Value"].clone()).collect()
    }

    #[test]
    fn commands_have_flags_stages_and_values() {
        let parsed = parse("# base\nFROM --platform=linux/amd64 a:1 AS b\nRUN x && \\\n # c\n  y\nFROM b\n").unwrap();
        assert_eq!(
            parsed,
            json!([[
                {"Cmd": "comment", "SubCmd": "", "JSON": false, "Flags": null, "Value": ["base"], "Stage": 0},
                {"Cmd": "from", "SubCmd": "", "JSON": false, "Flags": ["--platform=linux/amd64"],
                 "Value": ["a:1", "AS", "b"], "Stage": 0},
                {"Cmd": "run", "SubCmd": "", "JSON": false, "Flags": [], "Value": ["x &&   y"], "Stage": 0},
                {"Cmd": "from", "SubCmd": "", "JSON": false, "Flags": [], "Value": ["b"], "Stage": 1},
            ]])
        );
    }

    #[test]
    fn each_command_splits_its_value_in_its_own_way() {
        let text = "FROM a\nENV A=1 B=\"x y\"\nENV OLD some value\nCMD [\"a\", \"b c\"]\nCOPY --from=0 a b /c\n\
                    HEALTHCHECK --interval=5s CMD curl -f x\nLABEL k=v\nARG n=1\nUSER 1000:1000\n";
        assert_eq!(
            values(text)[1..],
            [
                json!(["A", "1", "=", "B", "\"x y\"", "="]),
                json!(["OLD", "some value", ""]),
                json!(["a", "b c"]),
                json!(["a", "b", "/c"]),
                json!(["CMD", "curl -f x"]),
                json!(["k", "v", "="]),
                json!(["n=1"]),
                json!(["1000:1000"]),
            ]
        );
    }

    #[test]
    fn onbuild_names_its_command_and_heredocs_are_one_command() {
        let parsed = parse("FROM a\nONBUILD RUN x\nRUN <<EOF\nFROM no\nEOF\nUSER 1\n").unwrap();
        let shown: Vec<String> =
            parsed[0].as_array().unwrap().iter().map(|c| format!("{}{}", c["Cmd"], c["SubCmd"])).collect();
        assert_eq!(shown, ["\"from\"\"\"", "\"onbuild\"\"RUN\"", "\"run\"\"\"", "\"user\"\"\""]);
    }

    #[test]
    fn unknown_instruction_is_placed() {
        assert_eq!(parse("FROM a\nFRUM b\n").unwrap_err().line, 2);
    }
}
