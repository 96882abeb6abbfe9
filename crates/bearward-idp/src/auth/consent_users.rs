//! The users that the consent pages offer.

use super::state::AuthState;

/// Users that are offered in addition to the registered ones.
const EXAMPLE_USERS: [(&str, &str); 2] = [
    ("Ada Example", "ada@example.com"),
    ("Grace Example", "grace@example.com"),
];

/// Number of registered users on a page.
const MAX_USERS: usize = 50;

/// Returns name and email address of the confirmed users and the example users.
pub(crate) fn list(state: &AuthState) -> Vec<(String, String)> {
    let mut users: Vec<(String, String)> = state
        .users()
        .filter(|user| user.is_confirmed())
        .map(|user| (user.name().to_owned(), user.email.clone()))
        .collect();
    users.sort();
    users.truncate(MAX_USERS);
    for (name, email) in EXAMPLE_USERS {
        if !users.iter().any(|(_, known)| known == email) {
            users.push((name.to_owned(), email.to_owned()));
        }
    }
    users
}

/// Returns the name of a user that [`list`] offers under this email address.
pub(crate) fn name_of(state: &AuthState, email: &str) -> Option<String> {
    let user = state
        .user_by_email(email)
        .filter(|user| user.is_confirmed());
    let example = EXAMPLE_USERS.iter().find(|(_, known)| *known == email);
    user.map(|user| user.name().to_owned())
        .or_else(|| example.map(|(name, _)| (*name).to_owned()))
}
