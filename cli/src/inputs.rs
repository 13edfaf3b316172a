//! Configuration files as values: what policies see as `input`. The shapes are Conftest's, so that its policies read
//! the same fields. Reads no file itself.

mod dockerfile;
mod dotenv;
mod edn;
mod hcl;
mod hcl1;
mod ignore;
mod ini;
mod jsonc;
mod nginx;
mod properties;
mod toml;
mod xml;
pub(crate) mod yaml;

use serde_json::Value;
use std::path::Path;

/// A way to read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
#[value(rename_all = "lower")]
pub(crate) enum Parser {
    /// One document or several
    Yaml,
    Json,
    /// JSON with comments and trailing commas
    Jsonc,
    Toml,
    /// Terraform 0.11 and older
    Hcl1,
    Hcl2,
    Ini,
    /// .env
    Dotenv,
    Dockerfile,
    Xml,
    Properties,
    /// .gitignore, .dockerignore
    Ignore,
    /// JSON only
    CycloneDx,
    Edn,
    Nginx,
}

/// What Conftest reads and this does not: a file that is named gets this answer, never a silent pass.
const REFUSED: [(&str, &str); 8] = [
    ("cue", "CUE"),
    ("jsonnet", "Jsonnet"),
    ("groovy", "Groovy"),
    ("hocon", "HOCON"),
    ("spdx", "SPDX tag-value"),
    ("textproto", "Protocol Buffers text"),
    ("textpb", "Protocol Buffers text"),
    ("vcl", "VCL"),
];

/// Why there is no parser for a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NoParser {
    /// Conftest has one.
    Refused(&'static str),
    /// Nothing is known by this name.
    Unknown,
}

/// Why a file could not be read. Line and column from 1; 0 when not known.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unreadable {
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) reason: String,
}

type Parsed = Result<Value, Unreadable>;

impl Unreadable {
    fn at(line: usize, column: usize, reason: impl Into<String>) -> Self {
        let place = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Self { line: place(line), column: place(column), reason: reason.into() }
    }

    /// At a byte of the text.
    fn at_byte(text: &str, byte: usize, reason: impl Into<String>) -> Self {
        let before = &text.as_bytes()[..byte.min(text.len())];
        let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let column = String::from_utf8_lossy(&before[line_start..]).chars().count() + 1;
        Self::at(before.iter().filter(|byte| **byte == b'\n').count() + 1, column, reason)
    }
}

impl Parser {
    /// The parser for a file of this name; YAML for standard input.
    pub(crate) fn for_path(path: &str) -> Result<Self, NoParser> {
        if path == "-" {
            return Ok(Parser::Yaml);
        }
        let name = Path::new(path).file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        match (name.as_str(), extension) {
            ("dockerfile", _) | (_, "dockerfile") => Ok(Parser::Dockerfile),
            (".env", _) | (_, "env") => Ok(Parser::Dotenv),
            ("nginx.conf", _) => Ok(Parser::Nginx),
            ("jenkinsfile", _) => Err(NoParser::Refused("Groovy")),
            _ if name.starts_with("dockerfile.") => Ok(Parser::Dockerfile),
            _ if name.starts_with(".env.") => Ok(Parser::Dotenv),
            _ if name.starts_with("jenkinsfile.") => Err(NoParser::Refused("Groovy")),
            _ => Self::for_extension(extension),
        }
    }

    fn for_extension(extension: &str) -> Result<Self, NoParser> {
        Ok(match extension {
            "yaml" | "yml" => Parser::Yaml,
            "json" => Parser::Json,
            "jsonc" => Parser::Jsonc,
            "toml" => Parser::Toml,
            "hcl" | "tf" | "tfvars" | "hcl2" => Parser::Hcl2,
            "hcl1" => Parser::Hcl1,
            "ini" => Parser::Ini,
            "dotenv" => Parser::Dotenv,
            "xml" => Parser::Xml,
            "properties" => Parser::Properties,
            "gitignore" | "dockerignore" | "ignore" => Parser::Ignore,
            "cyclonedx" => Parser::CycloneDx,
            "edn" => Parser::Edn,
            "nginx" => Parser::Nginx,
            other => {
                let refused = REFUSED.iter().find(|(extension, _)| *extension == other);
                return Err(refused.map_or(NoParser::Unknown, |(_, name)| NoParser::Refused(name)));
            }
        })
    }

    /// The parser of this name, as Conftest names them.
    pub(crate) fn named(name: &str) -> Result<Self, NoParser> {
        match name {
            "dockerfile" => Ok(Parser::Dockerfile),
            name => Self::for_extension(name),
        }
    }

    /// The value of a text; a list when it holds several configurations.
    pub(crate) fn parse(self, text: &str) -> Parsed {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        match self {
            Parser::Yaml => yaml::parse(text),
            Parser::Json => json(text),
            Parser::Jsonc => json(&jsonc::plain(text)),
            Parser::Toml => toml::parse(text),
            Parser::Hcl1 => hcl1::parse(text),
            Parser::Hcl2 => hcl::parse(text),
            Parser::Ini => ini::parse(text),
            Parser::Dotenv => dotenv::parse(text),
            Parser::Dockerfile => dockerfile::parse(text),
            Parser::Xml => xml::parse(text),
            Parser::Properties => properties::parse(text),
            Parser::Ignore => Ok(ignore::parse(text)),
            Parser::CycloneDx => cyclonedx(text),
            Parser::Edn => edn::parse(text),
            Parser::Nginx => nginx::parse(text),
        }
    }
}

fn json(text: &str) -> Parsed {
    serde_json::from_str(text).map_err(|error| {
        let full = error.to_string();
        let reason = full.split(" at line ").next().unwrap_or(&full);
        Unreadable::at(error.line(), error.column(), reason)
    })
}

fn cyclonedx(text: &str) -> Parsed {
    if text.trim_start().starts_with('<') {
        let reason = "CycloneDX as XML is not supported; convert the document to its JSON form";
        return Err(Unreadable::at(1, 1, reason));
    }
    json(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parser_is_known_by_the_name_of_the_file() {
        for (path, parser) in [
            ("a/Dockerfile", Parser::Dockerfile),
            ("Dockerfile.debug", Parser::Dockerfile),
            ("dev.Dockerfile", Parser::Dockerfile),
            (".env.prod", Parser::Dotenv),
            ("prod.env", Parser::Dotenv),
            ("main.tf", Parser::Hcl2),
            ("a/.gitignore", Parser::Ignore),
            ("conf/nginx.conf", Parser::Nginx),
            ("-", Parser::Yaml),
        ] {
            assert_eq!(Parser::for_path(path), Ok(parser), "{path}");
        }
        assert_eq!(Parser::for_path("a.cue"), Err(NoParser::Refused("CUE")));
        assert_eq!(Parser::for_path("Jenkinsfile"), Err(NoParser::Refused("Groovy")));
        assert_eq!(Parser::for_path("README"), Err(NoParser::Unknown));
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_place() {
        let place = |parser: Parser, text: &str| parser.parse(text).map_err(|error| (error.line, error.column));
        assert_eq!(place(Parser::Json, "{\n  \"a\": ]\n}"), Err((2, 8)));
        assert_eq!(place(Parser::Toml, "a = 1\nb = ="), Err((2, 5)));
        assert_eq!(place(Parser::Hcl2, "a = 1\nb = ="), Err((2, 5)));
        assert!(place(Parser::Xml, "<a>\n</b>").is_err_and(|(line, _)| line == 2));
        assert!(place(Parser::CycloneDx, "<bom/>").is_err());
    }
}
