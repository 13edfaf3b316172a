//! The smart protocol over https: one GET that lists the refs, then a POST for each round. Redirects are followed for
//! the GET and on the same host only, so credentials never reach another one.

mod login;
mod session;
mod stream;

pub(crate) use login::may_carry_secrets;

use crate::Options;
use crate::conversation::{git_error, out_of_order};
use git2::transport::{Service, SmartSubtransport, SmartSubtransportStream};
use session::Session;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use stream::{Body, Exchange};

pub(crate) struct Http {
    options: Arc<Options>,
    session: Mutex<Option<Arc<Session>>>,
}

impl Http {
    pub(crate) fn new(options: Arc<Options>) -> Self {
        Self { options, session: Mutex::new(None) }
    }

    fn current(&self) -> MutexGuard<'_, Option<Arc<Session>>> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn list(&self, url: &str, service: &'static str) -> Result<Box<dyn SmartSubtransportStream>, git2::Error> {
        let mut session = Session::new(&self.options, url).map_err(|error| git_error(&error, None))?;
        let response = session.list(service).map_err(|error| git_error(&error, session.secret()))?;
        let session = Arc::new(session);
        *self.current() = Some(session.clone());
        Ok(Box::new(Body::new(session, response)))
    }

    fn exchange(&self, service: &'static str) -> Result<Box<dyn SmartSubtransportStream>, git2::Error> {
        let session = self.current().clone().ok_or_else(|| git_error(&out_of_order(), None))?;
        Ok(Box::new(Exchange::new(session, service)))
    }
}

impl SmartSubtransport for Http {
    fn action(&self, url: &str, action: Service) -> Result<Box<dyn SmartSubtransportStream>, git2::Error> {
        match action {
            Service::UploadPackLs => self.list(url, "git-upload-pack"),
            Service::ReceivePackLs => self.list(url, "git-receive-pack"),
            Service::UploadPack => self.exchange("git-upload-pack"),
            Service::ReceivePack => self.exchange("git-receive-pack"),
        }
    }

    fn close(&self) -> Result<(), git2::Error> {
        *self.current() = None;
        Ok(())
    }
}
