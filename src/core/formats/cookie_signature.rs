//! Node's `cookie-signature` and what is built on it: `express` (cookie-parser, express-session),
//! `cookie-signature` (bare) and `fastify-cookie`.
//!
//! Layout; the base64 is standard, without padding:
//!
//! ```text
//! VALUE "." base64(HMAC-SHA256(SECRET, VALUE))
//! s%3Atobi.DGJ7pPdY…                        express: encodeURIComponent of "s:" and that
//! ```
//!
//! Split at the last dot: VALUE may hold dots, and may be empty. The signature is compared as text. A
//! reader decodes only what has a whole percent sequence, so `s:tobi.DGJ7…` is accepted too; and
//! @fastify/cookie from 11.1 on encodes only what could not stand in a header as it is. React Router's sessions,
//! Remix's and Elysia write what @fastify/cookie did before, encoded always: `encoded = true`. Without
//! `s:` a cookie is unsigned to Express, and refused here; so is one in double quotes, which Express reads
//! and never writes. The name is not bound: a signed value moves between cookies.
//!
//! Source: `cookie-signature/index.js`, `cookie-parser/index.js`, `express-session/index.js`,
//! `@fastify/cookie/signer.js`; checked against cookie-signature 1.2.2, cookie-parser 1.4.7 under Express
//! 5.3.0, express-session 1.19.0 and @fastify/cookie 11.1.5 by the vectors; `react-router/lib/server-runtime/crypto.ts`
//! of React Router 8.5.1 (laxer: it compares bytes, by `atob`) by the vectors too, and `elysia/src/{cookies,utils}.ts` of Elysia 1.4.30 end to end.

use alloc::borrow::Cow;

use super::description::{DefaultValue, Description, FormatOption, ShapeValue};
use super::{
    Content, Derivation, Format, FormatProperties, KeyFault, Keyed, Payload, Refusal, Uncarriable,
};
use crate::crypto::key::Key;
use crate::crypto::{Digest, Mac, Random, equal};
use crate::prelude::*;
use crate::settings::Table;
use crate::wire::encoding::{
    base64_len, base64_unpadded, from_uri_component, holds, is_header_text, uri_component,
};

pub const FORMATS: &[Description] = &[
    Description {
        name: "express",
        used_by: "express-session 1.19, cookie-parser 1.4",
        options: &[],
        read: |_| Some(Box::new(EXPRESS)),
    },
    Description {
        name: "cookie-signature",
        used_by: "cookie-signature 1.2, bare",
        options: &[],
        read: |_| Some(Box::new(BARE)),
    },
    Description {
        name: "fastify-cookie",
        used_by: "@fastify/cookie 11.1; React Router 8.5, Remix and Elysia 1.4 with `encoded`",
        options: &[
            FormatOption::digest("sha256", ""),
            FormatOption::new(
                "encoded",
                DefaultValue::Flag(false),
                "`true` for React Router, Remix, Elysia and before 11.1, which percent-encode always",
            )
            .also_used_as(&[ShapeValue::Flag(true)]),
        ],
        read: fastify,
    },
];

fn fastify(table: &mut Table<'_>) -> Option<Box<dyn Format>> {
    let digest = table.choice("digest", Digest::NAMES);
    let encoding = if table.flag("encoded").unwrap_or_default() {
        Encoding::Always
    } else {
        Encoding::WhereNeeded
    };
    Some(Box::new(Signer {
        digest: digest.unwrap_or(Digest::Sha256),
        encoding,
        ..FASTIFY
    }))
}

const EXPRESS: Signer = Signer {
    prefix: "s:",
    encoding: Encoding::Always,
    digest: Digest::Sha256,
};

const BARE: Signer = Signer {
    prefix: "",
    encoding: Encoding::Never,
    digest: Digest::Sha256,
};

const FASTIFY: Signer = Signer {
    prefix: "",
    encoding: Encoding::WhereNeeded,
    digest: Digest::Sha256,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Signer {
    /// What stands before the signed text.
    prefix: &'static str,
    encoding: Encoding,
    digest: Digest,
}

/// When the whole goes through `encodeURIComponent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Always,
    /// Only a text that could not stand in a header, or that has a percent sign.
    WhereNeeded,
    Never,
}

impl Format for Signer {
    fn properties(&self) -> FormatProperties {
        FormatProperties::of(Payload::Text)
    }

    fn derivation(&self, _cookie: &str) -> Derivation {
        Derivation::Bare {
            digest: self.digest,
            signs: "VALUE",
        }
    }

    fn keyed(&self, _cookie: &str, key: &Key) -> Result<Box<dyn Keyed>, KeyFault> {
        Ok(Box::new(KeyedSigner {
            signer: *self,
            mac: Mac::new(self.digest, key.bytes()),
        }))
    }
}

struct KeyedSigner {
    signer: Signer,
    mac: Mac,
}

impl Keyed for KeyedSigner {
    fn open<'v>(&self, value: &'v str) -> Result<Content<'v>, Refusal> {
        let text = match self.signer.encoding {
            Encoding::Never => Cow::Borrowed(value),
            _ => from_uri_component(value),
        };
        let signed = text
            .strip_prefix(self.signer.prefix)
            .ok_or(Refusal::Shape)?;
        let (payload, signature) = signed.rsplit_once('.').ok_or(Refusal::Shape)?;
        let is_base64 = |b: u8| b.is_ascii_alphanumeric() || b == b'+' || b == b'/';
        if signature.len() != base64_len(self.signer.digest.size())
            || !signature.bytes().all(is_base64)
        {
            return Err(Refusal::Shape);
        }
        let expected = base64_unpadded(&self.mac.sign(&[payload.as_bytes()]));
        if equal(expected.as_bytes(), signature.as_bytes()) {
            Ok(Content::of(payload.as_bytes().to_vec()))
        } else {
            Err(Refusal::Signature)
        }
    }

    fn seal(&self, content: &Content<'_>, _: Random) -> Result<String, Uncarriable> {
        let payload = content.text()?;
        let signature = base64_unpadded(&self.mac.sign(&[payload.as_bytes()]));
        let text = format!("{}{payload}.{signature}", self.signer.prefix);
        let stands = is_header_text(&text);
        match self.signer.encoding {
            Encoding::Always => Ok(uri_component(&text)),
            Encoding::WhereNeeded if !stands || holds(&text, b'%') => Ok(uri_component(&text)),
            _ if stands => Ok(text),
            _ => Err(Uncarriable),
        }
    }
}
