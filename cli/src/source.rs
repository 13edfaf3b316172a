//! `writ source`: has the hub look at the repository, or follow a head that it holds.

use crate::arguments::Source;
use crate::client::Hub;
use crate::exit::{DONE, Outcome};
use crate::terminal;
use serde_json::json;

pub(crate) async fn run(what: Source) -> Outcome {
    match what {
        Source::Look(options) => {
            Hub::new(&options.hub)?.tell("/api/v1/source/look", &json!({})).await?;
            terminal::say("The hub looks.")?;
        }
        Source::Allow(options) => {
            let wanted = json!({"revision": options.commit});
            Hub::new(&options.hub)?.tell("/api/v1/source/allow", &wanted).await?;
            let commit = &options.commit;
            terminal::say(&format!("{} and what comes after it is followed. See: writ status", commit.short()))?;
        }
    }
    Ok(DONE)
}
