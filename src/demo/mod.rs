//! STUB
use std::{io, net::SocketAddr, time::Duration};
pub struct Options {
    pub address: SocketAddr,
    pub threads: usize,
    pub delay: Duration,
    pub fail: f64,
}
pub struct Demo(SocketAddr);
pub fn start(o: Options) -> io::Result<Demo> {
    Ok(Demo(o.address))
}
impl Demo {
    pub fn address(&self) -> SocketAddr {
        self.0
    }
    pub fn join(self) {}
}
