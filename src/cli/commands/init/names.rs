//! What sites usually call things: the format of a cookie of a known name, the secret that signs a format.

use countersign_core::formats::description::DefaultValue;
use countersign_core::formats::{FittingShape, Opening, description};
use serde_json::{Map, Value};

use super::found::FoundCookie;

/// The names of cookies, or how they end, and the format that they usually are in.
const COOKIES: [(&str, &str); 16] = [
    ("sessionid", "django-session"),
    ("messages", "django-messages"),
    ("connect.sid", "express"),
    ("remember_token", "flask-login"),
    ("rack.session", "rack-session"),
    ("laravel_session", "laravel"),
    ("_identity", "yii2"),
    ("mojolicious", "mojolicious"),
    ("authjs.session-token", "authjs"),
    ("next-auth.session-token", "nextauth"),
    ("better-auth.session_token", "hono"),
    ("_oauth2_proxy", "oauth2-proxy"),
    ("h3", "iron"),
    ("nuxt-session", "iron"),
    ("__session", "fastify-cookie"),
    ("session", "flask-session"),
];

/// Formats that are the layers of others, or of applications' own making: named where no other fits, the last last.
const GENERAL: [&str; 7] = [
    "django-signed-cookie",
    "fastify-cookie",
    "hono",
    "cookie-rs",
    "django-signer",
    "itsdangerous",
    "cookie-signature",
];

/// The shapes of a cookie, the likeliest first.
pub fn by_likelihood(cookie: &FoundCookie) -> Vec<FittingShape> {
    let mut shapes = cookie.shapes.clone();
    shapes.sort_by_key(|shape| unlikelihood(&cookie.name, shape.format, &shape.options));
    shapes
}

/// The openings of a cookie, that which a rule should name first.
pub fn openings_by_likelihood(cookie: &FoundCookie, mut openings: Vec<Opening>) -> Vec<Opening> {
    openings.sort_by_key(|opening| {
        let unlikelihood = unlikelihood(&cookie.name, opening.format, &opening.options);
        (!opening.is_own_spelling, unlikelihood)
    });
    openings
}

/// The less, the likelier.
fn unlikelihood(
    cookie: &str,
    format: &str,
    options: &Map<String, Value>,
) -> (bool, Option<usize>, usize, bool) {
    let usual = COOKIES.iter().find(|(name, _)| cookie.ends_with(name));
    (
        usual.is_none_or(|(_, usual)| *usual != format),
        GENERAL.iter().position(|general| *general == format),
        options.len(),
        options.get("timestamp") == Some(&Value::Bool(false)),
    )
}

/// The name of the secret that signs a format, as its framework calls it.
pub fn secret_name(format: &str, cookie: &str) -> &'static str {
    match format {
        "django-session" | "django-messages" | "django-signed-cookie" | "django-signer" => {
            "DJANGO_SECRET_KEY"
        }
        "flask-session" | "flask-login" => "FLASK_SECRET_KEY",
        "express" | "rack-session" | "pyramid" | "litestar" => "SESSION_SECRET",
        "rails-signed" | "rails-encrypted" | "plug-session" | "plug-cookie" => "SECRET_KEY_BASE",
        "laravel" => "APP_KEY",
        "authjs" => "AUTH_SECRET",
        "nextauth" => "NEXTAUTH_SECRET",
        "jwt" => "JWT_SECRET",
        "yii2" => "COOKIE_VALIDATION_KEY",
        "hono" if cookie.contains("better-auth") => "BETTER_AUTH_SECRET",
        "itsdangerous" | "starlette-session" => "SECRET_KEY",
        _ => "COOKIE_SECRET",
    }
}

/// The options of a format that cannot be left out and that no cookie shows.
pub fn needed_options(format: &str) -> Vec<&'static str> {
    let options = description(format).map_or(&[][..], |description| description.options);
    let needed = options
        .iter()
        .filter(|option| option.default == DefaultValue::Required);
    needed.map(|option| option.name).collect()
}
