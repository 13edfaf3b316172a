//! `/rollouts`: how far what is served is, wave by wave, what happened and why, and the buttons that stop it or go on.

use super::layout::{Layout, Section};
use super::link;
use crate::access::{Admin, Viewer};
use crate::api::rollouts::{self, OrderKind, Wanted};
use crate::app::App;
use crate::assign::standing::{self, Standing, WaveStanding};
use crate::failure::{Error, Failure};
use crate::store::PinRow;
use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::response::{Html, Redirect};
use serde::Deserialize;
use writ_policy::ClusterName;

/// Earlier rollouts that are shown.
const EARLIER: i64 = 20;

/// The page.
#[derive(Template)]
#[template(path = "rollouts.html")]
struct RolloutsPage {
    layout: Layout,
    newest: Option<Standing>,
    earlier: Vec<Standing>,
    pins: Vec<PinRow>,
}

/// `GET /rollouts`.
pub(super) async fn show(_: Viewer, State(app): State<App>) -> Result<Html<String>, Failure> {
    let layout = Layout::new(&app, Section::Rollouts);
    let newest = standing::newest(&app).await?;
    let mut earlier = vec![];
    if let Some(newest) = &newest {
        for row in app.store.rollouts(Some(newest.id), EARLIER).await? {
            earlier.push(standing::of(&app, &row).await?);
        }
    }
    super::html(&RolloutsPage { layout, newest, earlier, pins: app.store.pins().await? })
}

/// The fields of the forms.
#[derive(Deserialize)]
pub(crate) struct Order {
    kind: OrderKind,
    #[serde(default)]
    cluster: String,
    #[serde(default)]
    reason: String,
}

/// `POST /rollouts/orders`: a button was pressed.
pub(crate) async fn order(_: Admin, State(app): State<App>, Form(order): Form<Order>) -> Result<Redirect, Failure> {
    let Order { kind, cluster, reason } = order;
    let cluster = match cluster.as_str() {
        "" => None,
        name => Some(ClusterName::new(name).map_err(|error| Error::Invalid(error.to_string()))?),
    };
    let wanted = Wanted { kind, cluster, revision: None, reason, by: "the dashboard".into() };
    rollouts::take(&app, wanted).await?;
    Ok(Redirect::to("/rollouts"))
}

impl Standing {
    /// What the phase is called, for people.
    fn label(&self) -> &'static str {
        match self.phase.as_str() {
            "rolling" => "Rolling",
            "halted" => "Halted",
            "done" => "Done",
            _ => "Superseded",
        }
    }

    /// The class of its badge: those of revisions and clusters that mean the same.
    fn class(&self) -> &'static str {
        match self.phase.as_str() {
            "rolling" => "is-pending",
            "halted" => "is-refused",
            "done" => "is-served",
            _ => "is-superseded",
        }
    }

    fn short(&self) -> &str {
        self.revision.get(..8).unwrap_or(&self.revision)
    }

    /// The buttons that make sense now: what is ordered, and what the button says.
    fn buttons(&self) -> &'static [(&'static str, &'static str)] {
        match self.phase.as_str() {
            "rolling" => &[("halt", "Halt"), ("skip", "Do not wait for this wave")],
            "halted" => &[("resume", "Resume, and accept why it halted")],
            _ => &[],
        }
    }

    /// The last thing that happened, with its reason.
    fn last(&self) -> String {
        self.events.first().map_or_else(String::new, |event| format!("{}: {}", event.kind, event.reason))
    }
}

impl WaveStanding {
    /// "10 min", or nothing.
    fn soak(&self) -> String {
        match self.soak_ms {
            0 => "none".into(),
            soak => format!("{:#}", jiff::SignedDuration::from_millis(soak)),
        }
    }
}
