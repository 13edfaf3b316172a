//! A headless chromium behind its driver, with a profile of its own; both end when dropped.

use crate::wait::eventually;
use crate::world::install_tls;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;
use thirtyfour::prelude::*;
use thirtyfour::{BrowserLogEntry, ChromiumLikeCapabilities, LoggingPrefsLogLevel};

const OVERFLOW: &str = "
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return [];
    return [...document.querySelectorAll('body *')]
        .filter(e => e.getBoundingClientRect().right > width + 1)
        .map(e => e.tagName + '#' + e.id + '.' + e.getAttribute('class')
            + ' reaches ' + e.getBoundingClientRect().right + ' of ' + width);";

pub(crate) struct Browser {
    driver: WebDriver,
    process: Child,
    _profile: TempDir,
}

/// How the browser is set up.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Setup {
    Light,
    Dark,
    WithoutScript,
}

impl Browser {
    /// A browser; `None`, and noted as skipped, where none is installed.
    pub(crate) async fn start(test: &str, setup: Setup) -> Option<Self> {
        let chromium = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
        let Some(chromium) = chromium.into_iter().find(|path| std::path::Path::new(path).exists()) else {
            writ_e2e::skipped(test, "no chromium on this machine (packages chromium, chromium-driver)");
            return None;
        };
        install_tls();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new("chromedriver");
        command.arg(format!("--port={port}")).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let Ok(process) = command.spawn() else {
            writ_e2e::skipped(test, "no chromedriver on this machine (package chromium-driver)");
            return None;
        };
        let profile = tempfile::tempdir().unwrap();
        let capabilities = capabilities(chromium, profile.path().to_str().unwrap(), setup);
        let url = format!("http://127.0.0.1:{port}");
        let driver =
            eventually("chromedriver opens chromium", async || WebDriver::new(&url, capabilities.clone()).await.ok())
                .await;
        driver.set_window_rect(0, 0, 1280, 1000).await.unwrap();
        Some(Self { driver, process, _profile: profile })
    }

    pub(crate) async fn open(&self, url: &str) {
        self.driver.goto(url).await.unwrap();
    }

    pub(crate) async fn text(&self, selector: &str) -> String {
        self.driver.find(By::Css(selector)).await.unwrap().text().await.unwrap()
    }

    /// The colour of the page's ground, as the browser computed it.
    pub(crate) async fn ground(&self) -> String {
        let script = "return getComputedStyle(document.body).backgroundColor";
        self.driver.execute(script, vec![]).await.unwrap().convert().unwrap()
    }

    /// Elements that reach beyond the window's right edge and make the page scroll sideways.
    pub(crate) async fn overflow(&self) -> Vec<String> {
        self.driver.execute(OVERFLOW, vec![]).await.unwrap().convert().unwrap()
    }

    pub(crate) async fn narrow(&self) {
        self.driver.set_window_rect(0, 0, 500, 900).await.unwrap();
    }

    pub(crate) async fn picture(&self) -> Vec<u8> {
        self.driver.screenshot_as_png().await.unwrap()
    }

    /// What the console holds of warnings and errors since it was last asked.
    pub(crate) async fn complaints(&self) -> Vec<BrowserLogEntry> {
        let entries = self.driver.browser_log().await.unwrap();
        entries.into_iter().filter(|entry| matches!(entry.level.as_str(), "SEVERE" | "WARNING")).collect()
    }

    pub(crate) async fn quit(self) {
        let _ = self.driver.clone().quit().await;
    }
}

fn capabilities(chromium: &str, profile: &str, setup: Setup) -> thirtyfour::ChromeCapabilities {
    let mut capabilities = DesiredCapabilities::chrome();
    capabilities.set_binary(chromium).unwrap();
    capabilities.set_logging_prefs("browser", LoggingPrefsLogLevel::All).unwrap();
    let profile = format!("--user-data-dir={profile}");
    let scheme = if setup == Setup::Dark { "0" } else { "1" };
    let scheme = format!("--blink-settings=preferredColorScheme={scheme}");
    let flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-proxy-server"];
    for flag in flags.into_iter().chain([profile.as_str(), scheme.as_str()]) {
        capabilities.add_arg(flag).unwrap();
    }
    if setup == Setup::WithoutScript {
        let off = serde_json::json!({"profile.managed_default_content_settings.javascript": 2});
        capabilities.add_experimental_option("prefs", off).unwrap();
    }
    capabilities
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
