//! `POST /login` and `POST /logout`: the admin token in, a session cookie out. The form is a page (`GET /login`).

use crate::access;
use crate::app::App;
use crate::failure::Failure;
use axum::Form;
use axum::extract::State;
use axum::response::Redirect;
use axum_extra::extract::cookie::CookieJar;
use serde::Deserialize;

/// The fields of the form.
#[derive(Deserialize)]
pub struct SignIn {
    token: String,
    #[serde(default)]
    next: String,
}

/// Opens a session and goes on to the page that asked for it; a wrong token leads back to the form.
pub async fn sign_in(
    State(app): State<App>,
    jar: CookieJar,
    Form(form): Form<SignIn>,
) -> Result<(CookieJar, Redirect), Failure> {
    Ok(match access::sign_in(&app, &form.token).await? {
        Some(cookie) => (jar.add(cookie), Redirect::to(local_path(&form.next))),
        None => (jar, Redirect::to("/login?failed=1")),
    })
}

/// Ends the session.
pub async fn sign_out(State(app): State<App>, jar: CookieJar) -> Result<(CookieJar, Redirect), Failure> {
    let cleared = access::sign_out(&app, &jar).await?;
    Ok((jar.add(cleared), Redirect::to("/login")))
}

/// A path on this hub, never another host.
fn local_path(next: &str) -> &str {
    // Browsers leave out tabs and line ends and take a backslash for a slash.
    let is_plain = next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if is_plain && next.starts_with('/') && !next.starts_with("//") { next } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::local_path;

    #[test]
    fn after_sign_in_nobody_is_led_elsewhere() {
        for (next, expected) in [
            ("/failures?policy=a", "/failures?policy=a"),
            ("//evil.example", "/"),
            ("https://evil.example", "/"),
            ("/\\evil.example", "/"),
            ("/\t/evil.example", "/"),
            ("/\u{1}", "/"),
            ("", "/"),
        ] {
            assert_eq!(local_path(next), expected);
        }
    }
}
