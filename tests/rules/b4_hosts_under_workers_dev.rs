//! B4: a host under workers.dev is served only where the configuration lists it.

use serde_json::{Value, json};

use crate::support::*;

fn admits(hosts: Value, host: &str) -> bool {
    let config = config(first_day(), [session_rule()]);
    gate_of(with(config, json!({"hosts": hosts}))).admits(host)
}

#[test]
fn a_host_of_the_zone_is_served() {
    for host in [
        "example.com",
        "www.example.com",
        "workers.dev.example.com",
        "myworkers.dev",
        "::1",
    ] {
        assert!(admits(json!([]), host), "{host}");
    }
}

#[test]
fn a_host_under_workers_dev_is_not() {
    for host in [
        "site.me.workers.dev",
        "1234-site.me.workers.dev",
        "SITE.ME.Workers.Dev",
        "site.me.workers.dev.",
    ] {
        assert!(!admits(json!([]), host), "{host}");
        assert!(!admits(json!(["other.me.workers.dev"]), host), "{host}");
    }
}

#[test]
fn one_that_is_listed_is_served() {
    for listed in ["site.me.workers.dev", "Site.Me.Workers.Dev"] {
        for host in ["site.me.workers.dev", "SITE.ME.WORKERS.DEV"] {
            assert!(admits(json!(["example.com", listed]), host), "{host}");
        }
    }
}
