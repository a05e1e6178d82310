//! actix-web with a session of actix-session in an encrypted cookie, its key derived from the secret.

use actix_session::config::PersistentSession;
use actix_session::storage::CookieSessionStore;
use actix_session::{Session, SessionMiddleware};
use actix_web::cookie::{Key, time::Duration};
use actix_web::http::header::LOCATION;
use actix_web::{App, HttpResponse, HttpServer, get, web};
use countersign_sites::{announced, lifetime, secret};
use serde::Deserialize;

#[derive(Deserialize)]
struct Login {
    user: String,
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let site = || {
        let key = Key::derive_from(&secret());
        let mut session = SessionMiddleware::builder(CookieSessionStore::default(), key);
        if let Some(seconds) = lifetime() {
            let lasting = PersistentSession::default().session_ttl(Duration::seconds(seconds));
            session = session.session_lifecycle(lasting);
        }
        App::new()
            .wrap(session.build())
            .service(home)
            .service(login)
            .service(logout)
    };
    let listener = announced("actix-session 0.11.0");
    HttpServer::new(site)
        .workers(1)
        .listen(listener)?
        .run()
        .await
}

#[get("/")]
async fn home(session: Session) -> String {
    let user = session.get::<String>("user").ok().flatten();
    user.unwrap_or("nobody".to_owned())
}

#[get("/login")]
async fn login(session: Session, query: web::Query<Login>) -> HttpResponse {
    session.insert("user", &query.user).expect("a session");
    to_home()
}

#[get("/logout")]
async fn logout(session: Session) -> HttpResponse {
    session.purge();
    to_home()
}

fn to_home() -> HttpResponse {
    HttpResponse::Found()
        .insert_header((LOCATION, "/"))
        .finish()
}
