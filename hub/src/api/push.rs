//! `POST /hooks/push`: a git host tells that something was pushed. Nothing of the body is believed or read: once its
//! signature is right, the hub looks at the source.

use crate::app::App;
use crate::failure::{Error, Failure};
use crate::push::{Gatekeeper, Refusal};
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::State;
use http::{HeaderMap, StatusCode, header};
use std::time::Duration;

/// The largest body, and the longest that it may take to arrive.
const MAX_BODY_BYTES: usize = 1 << 20;
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// Has the source looked at.
pub async fn push(State(app): State<App>, headers: HeaderMap, body: Body) -> Result<StatusCode, Failure> {
    if !app.push.is_open() {
        return Err(Error::Absent("push webhook: this hub has no --webhook-secret-file".into()).into());
    }
    if !app.push.admits_another() {
        return Err(
            Error::Later { after: 10, reason: "too many webhooks; the source is looked at anyway".into() }.into()
        );
    }
    if !Gatekeeper::shows_something(&headers) {
        return Err(refused(Refusal::Unsigned));
    }
    if length(&headers).is_some_and(|length| length > MAX_BODY_BYTES) {
        return Err(Error::TooLarge.into());
    }
    let body = arrived(body, BODY_TIMEOUT).await?;
    match app.push.check(&headers, &body)? {
        Ok(()) => {
            app.want_look().await?;
            Ok(StatusCode::ACCEPTED)
        }
        Err(refusal) => {
            tracing::debug!("a push webhook was refused");
            Err(refused(refusal))
        }
    }
}

/// The whole body. One that drips keeps no connection for longer than this, whatever its pauses.
async fn arrived(body: Body, within: Duration) -> Result<Bytes, Error> {
    let body = tokio::time::timeout(within, to_bytes(body, MAX_BODY_BYTES)).await;
    body.map_err(|_| Error::Invalid("the body did not arrive in time".into()))?.map_err(|_| Error::TooLarge)
}

fn length(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn refused(refusal: Refusal) -> Failure {
    let text = match refusal {
        Refusal::Unsigned => "a push webhook needs a signature: give the git host the secret of --webhook-secret-file",
        Refusal::Wrong => "the signature of the push webhook is wrong: does the git host have the same secret?",
    };
    Error::Unauthorized(text).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::stream;
    use std::convert::Infallible;

    #[tokio::test]
    async fn body_that_drips_is_given_up() {
        let drip = stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_millis(5)).await;
            Some((Ok::<_, Infallible>(Bytes::from_static(b"x")), ()))
        });
        let error = arrived(Body::from_stream(drip), Duration::from_millis(50)).await.unwrap_err();
        assert!(matches!(&error, Error::Invalid(text) if text.contains("in time")), "{error}");
    }
}
