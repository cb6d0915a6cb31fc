//! Owns programs: a plan compiled to flat lists of instructions, immutable, the same on every worker.

mod bodies;
mod build;
mod code;
mod compile;
mod crowd;
mod estimate;
mod explain;
mod instruction;
mod iterations;
mod judge;
mod left_out;
mod limits;
mod mark;
mod message;
mod mind;
mod names;
mod notes;
mod outlook;
mod requests;
mod rules;
mod secured;
mod selection;
mod series;
mod size;

pub use build::{Build, push, remove};
pub use compile::{Compiled, Inputs, compile, mistakes};
pub use crowd::shares;
pub use explain::{Came, Explained, Part, time_text};
pub use instruction::{Class, Instruction, Program, Request, Retry, Row, Script, Task};
pub use judge::{Judgement, Seen, text as text_of};
pub use left_out::left_out;
pub use limits::{out_of_reach, too_few};
pub use mark::{Ending, Mark, Way};
pub use message::{Line, Message, Payload, Piece};
pub use mind::Mind;
pub use outlook::{
    Amount, ArrivalsShape, ClassShape, Explanation, Load, Need, PartShape, Question, SearchShape,
    StageShape, TaskShape, explain,
};
pub use rules::{Capture, Check, Expect, Matcher, Source};
pub use secured::{Live, Secured};
pub use selection::{Selection, tags_of};
