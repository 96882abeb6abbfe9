//! Rate limits as clients meet them, by a clock that the tests move: each just inside and just
//! outside.

mod address;
mod refusals;
mod stand;
mod switched_off;
mod users;
