//! Owns the demo's threads: listening, serving connections, ending.

use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::sync::watch;

use super::routes::{Api, respond};

/// What to serve, and how badly.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// Where to listen; port 0 picks a free one.
    pub address: SocketAddr,
    /// Threads that serve; one answers tens of thousands of requests a second.
    pub threads: usize,
    /// Waited before each answer.
    pub delay: Duration,
    /// The share of answers, from 0 to 1, that are status 500; `/health` is spared.
    pub fail: f64,
}

/// A running demo. Dropping it ends its threads, whatever its clients do.
#[derive(Debug)]
pub struct Demo {
    address: SocketAddr,
    stop: watch::Sender<()>,
    threads: Vec<JoinHandle<()>>,
}

/// Starts the demo. It listens when this returns.
///
/// # Errors
/// The address cannot be listened on, or a thread cannot be made.
pub fn start(options: Options) -> io::Result<Demo> {
    let listener = TcpListener::bind(options.address)?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let api = Arc::new(Api::new(options.delay, options.fail));
    let (stop, stopped) = watch::channel(());
    let mut demo = Demo { address, stop, threads: Vec::new() };
    for index in 0..options.threads.max(1) {
        let (listener, api, stopped) = (listener.try_clone()?, api.clone(), stopped.clone());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::Builder::new()
            .name(format!("demo-{index}"))
            .spawn(move || runtime.block_on(serve(listener, api, stopped)))?;
        demo.threads.push(thread);
    }
    Ok(demo)
}

impl Demo {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until the process ends.
    pub fn join(mut self) {
        for thread in self.threads.drain(..) {
            // A thread that panicked serves no more; the others go on.
            let _ = thread.join();
        }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        self.stop.send_replace(());
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// Accepts until it is told to stop. Connections end with the runtime, which ends with this.
async fn serve(listener: TcpListener, api: Arc<Api>, mut stopped: watch::Receiver<()>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.changed() => return,
        };
        let Ok((stream, _)) = accepted else {
            // Out of descriptors, most likely: connections that end give some back.
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        // Without it answers would wait for more to send.
        let _ = stream.set_nodelay(true);
        let api = api.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let api = api.clone();
                async move { Ok::<_, Infallible>(respond(&api, request).await) }
            });
            // A client that breaks off is its own affair.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
