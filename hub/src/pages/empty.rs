//! What a newcomer does when there is nothing to show yet: the commands that enroll the first cluster.

use axum::http::{HeaderMap, header};

/// The address of this hub as the reader reached it.
pub(super) struct Enrolling {
    address: String,
}

impl Enrolling {
    /// The address from the `Host` header when it is a plain one; commands are copied into shells.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let plain = |host: &&str| {
            !host.is_empty()
                && host.len() < 200
                && host.chars().all(|c| c.is_ascii_alphanumeric() || ".:[]-".contains(c))
        };
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).filter(plain);
        let host = host.unwrap_or("127.0.0.1:8420");
        let is_local = ["localhost", "127.0.0.1", "[::1]"].iter().any(|local| host.starts_with(local));
        Self { address: format!("{}://{host}", if is_local { "http" } else { "https" }) }
    }

    /// Asks for a one-time token.
    pub(super) fn token_command(&self) -> String {
        format!(
            "curl -s {}/api/v1/enrollment-tokens \\\n  -H 'Content-Type: application/json' \\\n  -d '{{\"cluster\": \"dev-1\", \"labels\": {{\"env\": \"dev\"}}, \"ttl_seconds\": 3600}}'",
            self.address
        )
    }

    /// Starts an agent with it.
    pub(super) fn agent_command(&self) -> String {
        format!("writ-agent --standalone --data ./agent-dev-1 \\\n  --hub {} --token-file ./token", self.address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_host_never_gets_into_a_command() {
        let with = |host: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().unwrap());
            Enrolling::of(&headers).address
        };
        assert_eq!(with("hub.example:8420"), "https://hub.example:8420");
        assert_eq!(with("x;curl evil|sh"), "http://127.0.0.1:8420");
        assert_eq!(with("localhost:9000"), "http://localhost:9000");
    }
}
