//! What the consent pages share: their layout, and the form that selects a user or denies the
//! request.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode};
use maud::{Markup, html};
use serde::Deserialize;
use url::Url;

use super::{avatar, consent_users, email, form_origin, html::page, state::AuthState};

/// A consent page.
pub(crate) struct ConsentPage<'a> {
    pub(crate) title: String,
    /// The path of the page, which receives its forms.
    pub(crate) path: String,
    /// What the app requests.
    pub(crate) request: Markup,
    /// The text before the name of a user, with a space at its end.
    pub(crate) user_label: &'static str,
    /// The label of the button that continues with another account.
    pub(crate) continue_label: &'static str,
    pub(crate) csrf_token: &'a str,
    /// The address of the app, which the browser returns to.
    pub(crate) redirect: &'a Url,
}

/// What was submitted on a consent page.
#[derive(Deserialize)]
pub(crate) struct ConsentForm {
    #[serde(default)]
    csrf_token: String,
    #[serde(default)]
    action: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    name: String,
}

/// The user that was selected on a consent page.
pub(crate) struct SelectedUser {
    pub(crate) email: String,
    /// The entered name, else that of the page; empty if there is none.
    pub(crate) name: String,
}

impl ConsentPage<'_> {
    /// Renders the page with the users that it offers, and sets the cookie of its form.
    pub(crate) fn render(&self, state: &AuthState) -> HttpResponse {
        let mut response = page(
            StatusCode::OK,
            &self.title,
            &self.body(&consent_users::list(state)),
            &form_action(self.redirect),
        );
        form_origin::set_cookie(&mut response, self.csrf_token, &self.path);
        response
    }

    fn body(&self, users: &[(String, String)]) -> Markup {
        let form = |name: &str, label: &str, fields: &Markup| {
            html! {
                form method="post" action=(self.path) id=(name) aria-label=(label) {
                    input type="hidden" name="csrf_token" value=(self.csrf_token);
                    (fields)
                }
            }
        };
        let known_users = html! {
            ul aria-labelledby="people-title" {
                @for (name, email) in users {
                    li {
                        button.person name="email" value=(email) data-email=(email) {
                            img src=(avatar::path(name)) alt="" width="40" height="40";
                            span {
                                (self.user_label) (name)
                                br;
                                small { (email) }
                            }
                        }
                    }
                }
            }
        };
        let other_user = html! {
            label for="email" { "Email" }
            input #email name="email" type="email" required maxlength="255" autocomplete="off";
            label for="name" { "Name" }
            input #name name="name" maxlength="100" autocomplete="off";
            button.main #continue { (self.continue_label) }
        };
        let deny = html! {
            button.deny #deny name="action" value="deny" { "Deny" }
        };
        html! {
            (self.request)
            h2 #people-title { "Choose a user" }
            (form("people", "Choose a user", &known_users))
            h2 { "Or use another account" }
            (form("other-user", "Use another account", &other_user))
            (form("refuse", "Deny", &deny))
        }
    }
}

impl ConsentForm {
    /// Whether the form was submitted from the page with this CSRF token.
    pub(crate) fn is_from_page(&self, request: &HttpRequest, csrf_token: &str) -> bool {
        form_origin::is_own_form(request, &self.csrf_token, csrf_token)
    }

    pub(crate) fn is_denied(&self) -> bool {
        self.action == "deny"
    }

    /// Returns the selected user, or `None` if the email address is invalid. The name of an
    /// unconfirmed user is ignored: that user may not own the address.
    pub(crate) fn user(&self, state: &AuthState) -> Option<SelectedUser> {
        let email = email::normalize(self.email.trim()).ok()?;
        let name = match self.name.trim() {
            "" => consent_users::name_of(state, &email).unwrap_or_default(),
            name => name.to_owned(),
        };
        Some(SelectedUser { email, name })
    }
}

/// The response to an invalid email address, with a link to the form.
pub(crate) fn invalid_email(form: &str) -> HttpResponse {
    let body = html! {
        p { "The email address is invalid." }
        p { a #back href=(form) { "Back" } }
    };
    page(
        StatusCode::UNPROCESSABLE_ENTITY,
        "Invalid email address",
        &body,
        "'none'",
    )
}

/// The CSP `form-action` sources. They also apply to the redirects after the form: to the callback on
/// this server, to the app, and to a loopback address that the app may redirect to.
fn form_action(redirect: &Url) -> String {
    let app = match redirect.origin() {
        origin @ url::Origin::Tuple(..) => origin.ascii_serialization(),
        url::Origin::Opaque(_) => format!("{}:", redirect.scheme()),
    };
    format!("'self' http://localhost:* http://127.0.0.1:* {app}")
}
