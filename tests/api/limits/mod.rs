//! Rate limits, tested just below and just above each limit with a movable clock.

mod disabled;
mod fixture;
mod invalid_tokens;
mod per_address;
mod per_user;
