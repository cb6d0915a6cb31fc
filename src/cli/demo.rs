//! Owns `throng demo`.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::say;
use crate::demo;
use crate::exit::Exit;
use crate::units::{parse_duration, parse_percent};

/// Arguments of `throng demo`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Beside the todos it has logins, a shop, jobs, uploads, GraphQL, forms and echoes for the plans
of plans/cookbook; GET / lists all its paths."
)]
pub(super) struct Arguments {
    /// Port on 127.0.0.1; 0 picks a free one
    #[arg(long, default_value_t = 8000)]
    port: u16,
    /// Wait so long before each answer
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = parse_duration)]
    delay: Duration,
    /// Answer this share with status 500, but for /health
    #[arg(long, value_name = "SHARE", default_value = "0%", value_parser = parse_percent)]
    fail: f64,
}

impl Arguments {
    pub(super) fn run(&self) -> Exit {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let options = demo::Options { address, threads: 1, delay: self.delay, fail: self.fail };
        let demo = match demo::start(options) {
            Ok(demo) => demo,
            Err(error) => {
                say(&format!(
                    "error: the demo cannot listen on {address}: {error}\n  \
                     choose another port with `--port`\n"
                ));
                return Exit::Mistake;
            }
        };
        say(&format!("the Todo API is at http://{}; Ctrl-C ends it\n", demo.address()));
        // It serves until a signal ends the process, as any server does.
        demo.join();
        Exit::Held
    }
}
