//! What holds for every page: the frame, strictness towards the browser, errors as pages, signing in.

use super::{Page, enforcing};
use crate::support::{TestHub, failure};
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use scraper::Html;

const PAGES: [&str; 13] = [
    "/",
    "/policies",
    "/policies/test1",
    "/namespaces?period=week",
    "/failures",
    "/violations",
    "/changes",
    "/clusters",
    "/clusters/prod",
    "/?period=month",
    "/revisions",
    "/find?q=nothing",
    "/nowhere",
];

#[tokio::test]
async fn no_page_needs_what_the_browser_is_told_to_refuse() {
    let hub = TestHub::new().await;
    let agent = enforcing(&hub, "prod").await;
    agent.send(&hub, &agent.report(1, vec![failure("a")])).await;
    for path in PAGES {
        let answer = hub.get(path).await;
        assert!(answer.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap().contains("script-src 'self'"));
        let page = Page(Html::parse_document(&answer.text()));
        for element in page.all("*") {
            let odd = element.value().attrs().find(|(name, _)| *name == "style" || name.starts_with("on"));
            assert_eq!(odd, None, "{path}: {}", element.value().name());
        }
        assert!(page.all("style, script:not([src])").is_empty(), "{path}");
        assert_eq!(page.all("h1").len(), 1, "{path} has one heading of the first rank");
        assert_eq!(page.all("html[lang], main#main, .skip[href='#main']").len(), 3, "{path}");
        let unnamed = page.all("svg:not([aria-label]):not([aria-hidden]):not(svg svg)");
        assert!(unnamed.is_empty(), "{path}: {}", unnamed.len());
    }
}

#[tokio::test]
async fn ids_are_unique_on_every_page() {
    let hub = TestHub::new().await;
    enforcing(&hub, "prod").await;
    for path in PAGES {
        let page = Page(Html::parse_document(&hub.get(path).await.text()));
        let mut ids: Vec<_> = page.all("[id]").iter().map(|element| element.value().id().unwrap().to_owned()).collect();
        let all = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), all, "{path}: {ids:?}");
    }
}

#[tokio::test]
async fn what_is_absent_is_told_as_a_page_to_people_and_as_json_to_programs() {
    let hub = TestHub::new().await;
    let answer = hub.get("/nowhere/%3Cb%3E").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    let page = Page(Html::parse_document(&answer.text()));
    assert_eq!(page.text("h1"), "There is nothing here");
    assert_eq!(page.text("#failure code"), answer.headers["x-request-id"].to_str().unwrap());
    assert!(page.all("#failure b").is_empty());
    let answer = hub.get("/api/v1/nowhere").await;
    assert_eq!((answer.status, answer.error().contains("there is no")), (StatusCode::NOT_FOUND, true));
}

#[tokio::test]
async fn static_files_are_kept_for_good_by_the_hash_in_their_address() {
    let hub = TestHub::new().await;
    let page = Page::of(&hub, "/").await;
    for (selector, attribute) in [("link[rel=stylesheet]", "href"), ("script", "src"), ("link[rel=icon]", "href")] {
        let answer = hub.get(&page.attribute(selector, attribute)).await;
        assert_eq!(answer.status, 200);
        assert!(answer.headers[header::CACHE_CONTROL].to_str().unwrap().contains("immutable"));
    }
}

#[tokio::test]
async fn who_has_to_sign_in_is_led_there_and_back() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "a-token-of-twenty-characters").unwrap();
    let hub = TestHub::with(&["--admin-token-file", file.to_str().unwrap()]).await;
    let answer = hub.get("/failures?policy=test1&code=A").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let login = answer.headers[header::LOCATION].to_str().unwrap().to_owned();
    let page = Page::of(&hub, &login).await;
    assert_eq!(page.attribute("input[name=next]", "value"), "/failures?policy=test1&code=A");
    assert!(page.all(".tabs").is_empty(), "nothing is shown before");

    let form = "token=a-token-of-twenty-characters&next=%2Ffailures%3Fpolicy%3Dtest1";
    let request = Request::post("/login").header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let answer = hub.send(request.body(Body::from(form)).unwrap()).await;
    assert_eq!(answer.headers[header::LOCATION], "/failures?policy=test1");
    let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
    let request = Request::get("/").header(header::COOKIE, cookie).body(Body::empty()).unwrap();
    assert_eq!(hub.send(request).await.status, 200);
}

#[tokio::test]
async fn error_of_ours_names_the_request_and_nothing_within() {
    let hub = TestHub::new().await;
    hub.hub.app.store.close().await;
    let answer = hub.get("/failures").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    let page = Page(Html::parse_document(&answer.text()));
    assert_eq!(page.text("h1"), "Internal error");
    assert_eq!(page.text("#failure code"), answer.headers["x-request-id"].to_str().unwrap());
    assert!(!answer.text().contains("database") && !answer.text().contains("pool"), "{}", answer.text());
}
