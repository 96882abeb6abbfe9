//! The key cache as a whole, with a scripted network and a clock that the tests move. Nothing here
//! sleeps.

#![expect(clippy::unnecessary_wraps, reason = "an answer is what a fetch gives")]

mod discovery;
mod http;
mod refresh;
mod requests;
mod script;
mod stored;
