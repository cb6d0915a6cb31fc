//! STUB
use crate::diagnostic::{Place, Placed};
#[derive(Debug, Clone)]
pub struct Node {
    pub place: Place,
    pub defined: Option<Place>,
    pub value: NodeValue,
}
#[derive(Debug, Clone, PartialEq)]
pub enum NodeValue {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub key: Placed<String>,
    pub value: Node,
}
impl PartialEq for Node {
    fn eq(&self, o: &Self) -> bool {
        self.value == o.value
    }
}
