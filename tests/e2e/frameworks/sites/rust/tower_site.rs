//! axum with a session of tower-sessions in the memory of this process, its id in a signed cookie.

use axum::Router;
use axum::extract::Query;
use axum::response::Redirect;
use axum::routing::get;
use countersign_sites::{announced, lifetime, secret};
use serde::Deserialize;
use time::Duration;
use tower_sessions::cookie::{Key, SameSite};
use tower_sessions::{Expiry, MemoryStore, Session, SessionManagerLayer};

#[derive(Deserialize)]
struct Login {
    user: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let sessions = SessionManagerLayer::new(MemoryStore::default())
        .with_same_site(SameSite::Lax)
        .with_signed(Key::from(&secret()));
    let sessions = match lifetime() {
        Some(seconds) => sessions.with_expiry(Expiry::OnInactivity(Duration::seconds(seconds))),
        None => sessions,
    };
    let routes = Router::new()
        .route("/", get(home))
        .route("/login", get(login))
        .route("/logout", get(logout))
        .layer(sessions);
    let listener = announced("tower-sessions 0.15.0");
    let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
    axum::serve(listener, routes).await.expect("a server");
}

async fn home(session: Session) -> String {
    let user = session.get("user").await.ok().flatten();
    user.unwrap_or("nobody".to_owned())
}

async fn login(session: Session, Query(Login { user }): Query<Login>) -> Redirect {
    session.cycle_id().await.expect("a session");
    session.insert("user", user).await.expect("a session");
    Redirect::to("/")
}

async fn logout(session: Session) -> Redirect {
    session.flush().await.expect("a session");
    Redirect::to("/")
}
