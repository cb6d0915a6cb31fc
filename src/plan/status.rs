//! STUB
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accept(Vec<(u16, u16)>);
impl Default for Accept {
    fn default() -> Self {
        Self(vec![(100, 399)])
    }
}
impl Accept {
    pub fn allows(&self, s: u16) -> bool {
        self.0.iter().any(|(a, b)| (*a..=*b).contains(&s))
    }
}
