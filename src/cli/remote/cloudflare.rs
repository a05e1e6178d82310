//! Cloudflare's API.

use std::env;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::project::config::Environment;
use crate::project::document::node::Node;
use crate::remote::http;
use crate::terminal::answer::Failure;
use crate::terminal::harmless;

/// The API, and the token from CLOUDFLARE_API_TOKEN.
pub struct Cloudflare {
    base: String,
    token: String,
}

/// What every answer of the API is wrapped in.
#[derive(Deserialize)]
struct Envelope<T> {
    success: bool,
    result: Option<T>,
    #[serde(default)]
    errors: Vec<ApiError>,
}

#[derive(Deserialize)]
struct ApiError {
    message: String,
}

impl Cloudflare {
    /// None where there is no token.
    pub fn from_environment() -> Option<Self> {
        let base = env::var("CLOUDFLARE_API_BASE_URL");
        Some(Self {
            base: base.unwrap_or_else(|_| "https://api.cloudflare.com/client/v4".to_owned()),
            token: env::var("CLOUDFLARE_API_TOKEN").ok()?,
        })
    }

    /// What stands at a path.
    ///
    /// # Errors
    /// Cloudflare does not answer, refuses, or answers something else.
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        let reply = http::ask(&self.url(path), &self.token, None, None)?;
        let failure = |reason: &str| {
            Failure::unreachable(format!("Cloudflare answered {} to {path}: {reason}", reply.status))
                .hint("the token in CLOUDFLARE_API_TOKEN has to read Workers Scripts, Workers Routes and Zones")
        };
        // what went wrong is read apart: then there is no result
        let refused: Option<Envelope<serde_json::Value>> = harmless::json(&reply.text);
        match refused {
            Some(refused) if !refused.success => {
                let error = refused.errors.first();
                return Err(failure(error.map_or(NO_REASON, |error| &error.message)));
            }
            Some(_) => {}
            None => return Err(failure(NO_REASON)),
        }
        let read: Option<Envelope<T>> = harmless::json(&reply.text);
        let result = read.and_then(|read| read.result);
        result.ok_or_else(|| failure("not what this program knows of the API"))
    }

    /// Asks Analytics Engine in SQL: the status and the text of its answer.
    ///
    /// # Errors
    /// Cloudflare does not answer.
    pub fn query(&self, account: &str, sql: &str) -> Result<http::HttpResponse, Failure> {
        let path = format!("accounts/{account}/analytics_engine/sql");
        http::ask(&self.url(&path), &self.token, None, Some(sql))
    }

    fn url(&self, path: &str) -> String {
        format!("{}/{path}", self.base)
    }
}

const NO_REASON: &str = "no reason given";

/// The account that the configuration or CLOUDFLARE_ACCOUNT_ID names.
pub fn named_account(environment: &Environment<'_>) -> Option<String> {
    let written = environment.inherited("account_id").and_then(Node::as_str);
    let written = written.map(str::to_owned);
    written.or_else(|| env::var("CLOUDFLARE_ACCOUNT_ID").ok())
}
