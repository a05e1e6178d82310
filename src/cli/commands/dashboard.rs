//! `countersign dashboard`: a page on this machine that shows the live Worker's keys and their uses, and updates itself.

use std::io::{BufRead, IsTerminal, stdin};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use clap::Args;

use crate::commands::board::source::Source;
use crate::project::options::WorkerOptions;
use crate::terminal::answer::{Answer, Failure};
use crate::terminal::progress::print_beside;

mod access;
mod page;
mod server;
mod view;

use server::Server;

/// Show the live Worker's keys and their uses on a page that updates itself
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub struct DashboardArguments {
    /// The port of 127.0.0.1 to serve on [default: a free one]
    #[arg(
        long,
        value_name = "PORT",
        default_value_t = 0,
        hide_default_value = true
    )]
    port: u16,

    /// Print the address, and open no browser
    #[arg(long)]
    no_open: bool,

    #[command(flatten)]
    worker: WorkerOptions,
}

const AFTER_HELP: &str = "\
Examples:
  countersign dashboard                        the site that wrangler.toml routes
  countersign dashboard --port 8123 --no-open  over SSH: ssh -L 8123:127.0.0.1:8123 HOST

The page shows the ring, a timeline of the keys, the uses of each key, refusals and the
next safe step. It changes nothing. COUNTERSIGN_TOKEN stays with this command; the browser
never gets it. The address works once: press Enter for a new one, as after a reload.
Ctrl-C ends it.

Exit codes:
  2  the command line is wrong, a file cannot be read, or the port is taken";

impl DashboardArguments {
    /// Serves until it is ended.
    pub fn run(self) -> Result<Answer, Failure> {
        let source = Source::new(self.worker)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::unreachable(format!("no server can be started: {error}")))?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind(address).await;
            let listener = listener.map_err(|error| cannot_bind(self.port, &error))?;
            let port = listener
                .local_addr()
                .map_or(self.port, |bound| bound.port());
            let server = Arc::new(Server::new(source, port));
            let opener = server.clone();
            std::thread::spawn(move || invite(&opener, !self.no_open));
            server.serve(listener).await
        })
    }
}

fn cannot_bind(port: u16, error: &std::io::Error) -> Failure {
    let why = match error.kind() {
        std::io::ErrorKind::AddrInUse => "it is taken".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string().to_lowercase(),
    };
    Failure::usage(format!(
        "port {port} of 127.0.0.1 cannot be served on: {why}"
    ))
    .hint("leave --port out for a free one, or name another")
}

/// Gives an address, and at each Enter another one.
fn invite(server: &Server, should_open: bool) {
    let give = || {
        let address = match server.address() {
            Ok(address) => address,
            Err(failure) => {
                failure.print();
                return;
            }
        };
        Answer::success(format!("{address}\n")).print();
        if should_open && open::that_detached(&address).is_err() {
            print_beside("no browser could be opened: paste the address into one\n");
        }
    };
    give();
    if !stdin().is_terminal() {
        return;
    }
    print_beside("the address works once; Enter gives another, Ctrl-C ends the dashboard\n");
    for line in stdin().lock().lines() {
        if line.is_err() {
            return;
        }
        give();
    }
}
