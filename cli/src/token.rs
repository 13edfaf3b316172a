//! `writ token create`: the one-time token by which an agent enrolls.

use crate::arguments::TokenCreate;
use crate::client::Hub;
use crate::exit::{DONE, Outcome};
use crate::terminal;
use jiff::Timestamp;
use writ_policy::Labels;

/// The token alone on standard output, so that it can be piped into a file; the words around it on standard error.
pub(crate) async fn run(options: TokenCreate) -> Outcome {
    let hub = Hub::new(&options.hub)?;
    let labels: Labels = options.labels.into_iter().collect();
    let made = hub.create_token(&options.cluster, &labels, options.ttl).await?;
    let until = Timestamp::from_millisecond(made.expires_at).map(|at| at.strftime("%Y-%m-%d %H:%M UTC").to_string());
    terminal::complain(&format!(
        "A token for one agent of cluster {}, until {}. It is shown this once; keep it in a file and give that to \
         the agent as --token-file.",
        options.cluster,
        until.unwrap_or_else(|_| "it expires".into())
    ));
    terminal::say(&made.token)?;
    Ok(DONE)
}
