//! Hints for values of `SUPABASE_URL` that are not the URL of a project.

use bearward::Issuer;
use url::Url;

use super::raw::Hint;

/// Returns the issuer of the project. The hint may contain the name of the project, but nothing
/// that may be secret.
pub(super) fn issuer(text: &str) -> Result<Issuer, Hint> {
    let text = text.trim();
    if ["sb_publishable_", "sb_secret_", "sbp_", "eyJ"]
        .iter()
        .any(|start| text.starts_with(start))
    {
        return Err(format!(
            "this is an API key; SUPABASE_URL is the project's URL, {EXAMPLE}"
        ));
    }
    if text.len() == REFERENCE_LENGTH
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    {
        return Err(format!(
            "this is the project's reference; write {}",
            project_url(text)
        ));
    }
    if text.to_ascii_uppercase().contains("YOUR-PROJECT") {
        return Err("replace YOUR-PROJECT with your project's reference, which is part of the dashboard's URL".to_owned());
    }
    let url = Url::parse(text).ok().filter(Url::has_host);
    let Some(url) = url else {
        return Err(hint_without_scheme(text));
    };
    if let Some(hint) = hint_for_other_service(&url) {
        return Err(hint);
    }
    Issuer::supabase(text).map_err(|_| {
        format!(
            "nothing may follow the host; write {}",
            url.origin().ascii_serialization()
        )
    })
}

/// The length of a project's reference.
const REFERENCE_LENGTH: usize = 20;

const EXAMPLE: &str =
    "https://YOUR-PROJECT.supabase.co, found in the dashboard under Project Settings, Data API";
const PLACEHOLDER: &str = "https://YOUR-PROJECT.supabase.co";

fn hint_without_scheme(text: &str) -> Hint {
    let with_scheme = format!("https://{text}");
    let is_host = text.contains('.') && !text.contains("://") && Url::parse(&with_scheme).is_ok();
    if is_host {
        let url = issuer(&with_scheme).map_or_else(
            |_| PLACEHOLDER.to_owned(),
            |issuer| issuer.iss().trim_end_matches("/auth/v1").to_owned(),
        );
        format!("the scheme is missing; write {url}")
    } else {
        format!("this is not a URL; write the project's URL, {EXAMPLE}")
    }
}

/// Recognizes the URLs of the database, the dashboard and other services of a project.
fn hint_for_other_service(url: &Url) -> Option<Hint> {
    let host = url.host_str().unwrap_or_default();
    if url.scheme().starts_with("postgres") {
        let reference = reference_in(host).or_else(|| url.username().strip_prefix("postgres."));
        return Some(format!(
            "this is the URL of the database, which belongs in DATABASE_URL; write {}",
            project_url_or_placeholder(reference)
        ));
    }
    if !matches!(url.scheme(), "http" | "https") {
        return Some(format!(
            "this is not an http or https URL; write the project's URL, {EXAMPLE}"
        ));
    }
    if host == "supabase.com" || host.ends_with(".supabase.com") {
        let mut segments = url
            .path_segments()
            .into_iter()
            .flatten()
            .skip_while(|segment| *segment != "project");
        return Some(format!(
            "this is the URL of the dashboard; write {}",
            project_url_or_placeholder(segments.nth(1).filter(|name| !name.is_empty()))
        ));
    }
    let reference = reference_in(host)?;
    (host != format!("{reference}.supabase.co")).then(|| {
        format!(
            "this is the URL of another service of the project; write {}",
            project_url(reference)
        )
    })
}

fn project_url(reference: &str) -> String {
    format!("https://{reference}.supabase.co")
}

fn project_url_or_placeholder(reference: Option<&str>) -> String {
    reference.map_or_else(|| PLACEHOLDER.to_owned(), project_url)
}

/// Returns the reference in `REF.supabase.co` and in the hosts of a project's other services, such
/// as `db.REF.supabase.co`.
fn reference_in(host: &str) -> Option<&str> {
    let labels = host.strip_suffix(".supabase.co")?;
    labels
        .split('.')
        .find(|label| label.len() == REFERENCE_LENGTH)
        .or_else(|| labels.rsplit('.').next())
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFERENCE: &str = "abcdefghijklmnopqrst";

    #[test]
    fn the_url_of_a_project_is_accepted() {
        for end in ["", "/", "/auth/v1", "/auth/v1/"] {
            assert_eq!(
                issuer(&format!("https://abc.supabase.co{end}"))
                    .as_ref()
                    .map(Issuer::iss),
                Ok("https://abc.supabase.co/auth/v1"),
                "{end}"
            );
        }
        assert_eq!(
            issuer("http://127.0.0.1:54321").as_ref().map(Issuer::iss),
            Ok("http://127.0.0.1:54321/auth/v1")
        );
        assert_eq!(
            issuer("https://auth.example.com/")
                .as_ref()
                .map(Issuer::iss),
            Ok("https://auth.example.com/auth/v1")
        );
    }

    #[test]
    fn a_similar_value_gets_the_url_of_the_project_as_hint() {
        let right = format!("write https://{REFERENCE}.supabase.co");
        for wrong in [
            REFERENCE.to_owned(),
            format!("{REFERENCE}.supabase.co"),
            format!("https://supabase.com/dashboard/project/{REFERENCE}"),
            format!("https://supabase.com/dashboard/project/{REFERENCE}/settings/api"),
            format!("https://app.supabase.com/project/{REFERENCE}"),
            format!("https://db.{REFERENCE}.supabase.co"),
            format!("https://{REFERENCE}.functions.supabase.co"),
            format!("https://{REFERENCE}.supabase.co/rest/v1/"),
            format!("https://{REFERENCE}.supabase.co?apikey=x"),
            format!("postgresql://postgres:pw@db.{REFERENCE}.supabase.co:5432/postgres"),
            format!(
                "postgres://postgres.{REFERENCE}:pw@aws-0-eu-west-1.pooler.supabase.com:6543/postgres"
            ),
        ] {
            let hint = issuer(&wrong).expect_err(&wrong);
            assert!(hint.ends_with(&right), "{wrong}: {hint}");
        }
    }

    #[test]
    fn a_placeholder_is_rejected() {
        for text in [
            "https://YOUR-PROJECT.supabase.co",
            "https://your-project.supabase.co/",
        ] {
            assert!(
                issuer(text).is_err_and(|hint| hint.contains("replace YOUR-PROJECT")),
                "{text}"
            );
        }
    }

    #[test]
    fn an_api_key_is_recognized_and_not_repeated() {
        for key in [
            "sb_publishable_abc123",
            "sb_secret_abc123",
            "eyJhbGciOiJIUzI1NiJ9.abc123",
        ] {
            let hint = issuer(key).expect_err(key);
            assert!(
                hint.starts_with("this is an API key") && !hint.contains("abc123"),
                "{hint}"
            );
        }
        assert!(issuer("my project").is_err());
        assert!(
            issuer("https://supabase.com/dashboard")
                .is_err_and(|hint| hint.ends_with("https://YOUR-PROJECT.supabase.co"))
        );
    }
}
