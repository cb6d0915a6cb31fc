//! What a user sees: the program run as a user runs it, a module per behaviour.

mod bad_days;
mod check;
mod ci;
mod commands;
mod compare;
mod evidence;
mod exit_codes;
mod exit_row;
mod exit_table;
mod explain;
mod findings;
mod hostile;
mod hostile_answers;
mod https;
mod init;
mod measures;
mod options;
mod overrides;
mod record;
mod rehearsal;
mod requests;
mod results;
mod secured;
mod support;
mod tls;
mod unwritable;
