//! `writ token`: tokens by which agents enroll, and who of them is accepted or revoked.

use crate::arguments::{OfCluster, Token, TokenCreate};
use crate::check::count;
use crate::client::answers::Asking;
use crate::client::{Hub, NewToken};
use crate::exit::{DONE, Outcome};
use crate::terminal;
use jiff::Timestamp;
use writ_policy::Labels;

pub(crate) async fn run(what: Token) -> Outcome {
    match what {
        Token::Create(options) => create(options).await,
        Token::Pending(options) => pending(&Hub::new(&options)?).await,
        Token::Accept(of) => decide(of, "accept").await,
        Token::Revoke(of) => decide(of, "revoke").await,
    }
}

async fn pending(hub: &Hub) -> Outcome {
    let asking: Vec<Asking> = hub.history("/api/v1/enrollments", &[]).await?;
    if asking.is_empty() {
        terminal::say("No agent waits to be accepted.")?;
    }
    for Asking { cluster, version, asked_at } in asking {
        let ago = crate::status::ago(asked_at, Timestamp::now());
        terminal::say(&format!("{cluster}: an agent of version {version} asked {ago} (writ token accept {cluster})"))?;
    }
    Ok(DONE)
}

async fn decide(OfCluster { cluster, hub, by }: OfCluster, verb: &str) -> Outcome {
    let wanted = serde_json::json!({ "cluster": cluster, "by": by });
    let agents = Hub::new(&hub)?.decide_enrollment(verb, &wanted).await?;
    let agents = count(usize::try_from(agents).unwrap_or(usize::MAX), "agent", "agents");
    match verb {
        "accept" => terminal::say(&format!("Accepted {agents} of {cluster}: enrolled within seconds."))?,
        _ => terminal::say(&format!("Revoked {agents} of {cluster}: it keeps what it enforces and hears no more."))?,
    }
    Ok(DONE)
}

/// The token alone on standard output, so that it can be piped into a file; the words around it on standard error.
async fn create(options: TokenCreate) -> Outcome {
    let hub = Hub::new(&options.hub)?;
    let labels: Labels = options.labels.iter().cloned().collect();
    let TokenCreate { cluster, ttl, uses, needs_acceptance, .. } = &options;
    let (ttl_seconds, uses, needs_acceptance) = (ttl.as_secs().max(1), *uses, *needs_acceptance);
    let made = hub.create_token(&NewToken { cluster, labels: &labels, ttl_seconds, uses, needs_acceptance }).await?;
    let until = Timestamp::from_millisecond(made.expires_at).map(|at| at.strftime("%Y-%m-%d %H:%M UTC").to_string());
    terminal::complain(&format!(
        "A token for cluster {}, until {}. It is shown this once; keep it in a file and give that to \
         the agent as --token-file.",
        options.cluster,
        until.unwrap_or_else(|_| "it expires".into())
    ));
    terminal::say(&made.token)?;
    Ok(DONE)
}
