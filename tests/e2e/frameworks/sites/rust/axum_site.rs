//! axum with a cookie in a jar of axum-extra: `signed` or `private`, as the first argument says.

use std::env;

use axum::Router;
use axum::extract::{FromRef, Query};
use axum::response::Redirect;
use axum::routing::get;
use axum_extra::extract::cookie::{Cookie, Key, PrivateCookieJar, SameSite, SignedCookieJar};
use countersign_sites::{announced, lifetime, secret};
use serde::Deserialize;

#[derive(Clone)]
struct Site(Key);

impl FromRef<Site> for Key {
    fn from_ref(site: &Site) -> Key {
        site.0.clone()
    }
}

#[derive(Deserialize)]
struct Login {
    user: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let site = Site(Key::from(&secret()));
    let routes = match env::args().nth(1).as_deref() {
        Some("private") => private(),
        _ => signed(),
    };
    let listener = announced("axum-extra 0.12.6");
    let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
    axum::serve(listener, routes.with_state(site))
        .await
        .expect("a server");
}

fn signed() -> Router<Site> {
    Router::new()
        .route(
            "/",
            get(async |jar: SignedCookieJar| user_of(jar.get("user"))),
        )
        .route(
            "/login",
            get(async |jar: SignedCookieJar, Query(login): Query<Login>| {
                (jar.add(cookie(login)), home())
            }),
        )
        .route(
            "/logout",
            get(async |jar: SignedCookieJar| (jar.remove(gone()), home())),
        )
}

fn private() -> Router<Site> {
    Router::new()
        .route(
            "/",
            get(async |jar: PrivateCookieJar| user_of(jar.get("user"))),
        )
        .route(
            "/login",
            get(async |jar: PrivateCookieJar, Query(login): Query<Login>| {
                (jar.add(cookie(login)), home())
            }),
        )
        .route(
            "/logout",
            get(async |jar: PrivateCookieJar| (jar.remove(gone()), home())),
        )
}

fn cookie(Login { user }: Login) -> Cookie<'static> {
    let mut cookie = Cookie::new("user", user);
    cookie.set_path("/");
    cookie.set_secure(true);
    cookie.set_http_only(true);
    cookie.set_same_site(SameSite::Lax);
    if let Some(seconds) = lifetime() {
        cookie.set_max_age(time::Duration::seconds(seconds));
    }
    cookie
}

fn gone() -> Cookie<'static> {
    Cookie::build(("user", "")).path("/").build()
}

fn home() -> Redirect {
    Redirect::to("/")
}

fn user_of(cookie: Option<Cookie<'static>>) -> String {
    cookie.map_or("nobody".to_owned(), |cookie| cookie.value().to_owned())
}
