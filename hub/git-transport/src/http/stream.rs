//! What libgit2 reads and writes: the body of an answer, and a request that is sent once it is complete.

use super::session::Session;
use crate::conversation::io_error;
use anyhow::Context;
use bytes::{Buf, Bytes};
use reqwest::Response;
use std::io::{self, Read, Write};
use std::sync::Arc;

/// What we send is buffered until libgit2 reads the answer; a push of more than this is refused.
const MAX_REQUEST_BYTES: usize = 64 << 20;

/// The body of an answer.
pub(super) struct Body {
    session: Arc<Session>,
    response: Response,
    chunk: Bytes,
}

impl Body {
    pub(super) fn new(session: Arc<Session>, response: Response) -> Self {
        Self { session, response, chunk: Bytes::new() }
    }

    fn fill(&mut self) -> anyhow::Result<()> {
        while self.chunk.is_empty() {
            let response = &mut self.response;
            let next = async { response.chunk().await.map_err(|error| error.without_url().into()) };
            let Some(chunk) = self.session.conversation.wait(next).context("reading from the remote")? else {
                return Ok(());
            };
            self.session.conversation.receive(chunk.len())?;
            self.chunk = chunk;
        }
        Ok(())
    }
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.fill().map_err(|error| io_error(&error, self.session.secret()))?;
        let length = buffer.len().min(self.chunk.len());
        self.chunk.copy_to_slice(&mut buffer[..length]);
        Ok(length)
    }
}

impl Write for Body {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::Error::other("a list of refs takes no input"))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// One POST: what libgit2 writes is sent when it first reads.
pub(super) struct Exchange {
    session: Arc<Session>,
    service: &'static str,
    request: Vec<u8>,
    body: Option<Body>,
}

impl Exchange {
    pub(super) fn new(session: Arc<Session>, service: &'static str) -> Self {
        Self { session, service, request: Vec::new(), body: None }
    }
}

impl Read for Exchange {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.body.is_none() {
            let request = std::mem::take(&mut self.request);
            let response = self.session.post(self.service, request);
            let response = response.map_err(|error| io_error(&error, self.session.secret()))?;
            self.body = Some(Body::new(self.session.clone(), response));
        }
        self.body.as_mut().map_or(Ok(0), |body| body.read(buffer))
    }
}

impl Write for Exchange {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.body.is_some() || self.request.len() + bytes.len() > MAX_REQUEST_BYTES {
            return Err(io::Error::other("the request is too large, or was sent already"));
        }
        self.request.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
