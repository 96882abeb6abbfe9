//! The address of a Supabase project, and what people write instead of it.

use url::Url;

/// The part of the project's address before `/auth/v1`, without a slash at the end. The error says
/// what to write; it repeats a project's name, and never anything that may be secret.
pub(super) fn project(text: &str) -> Result<String, String> {
    let text = text.trim();
    if ["sb_publishable_", "sb_secret_", "sbp_", "eyJ"]
        .iter()
        .any(|start| text.starts_with(start))
    {
        return Err(format!(
            "this is an API key; SUPABASE_URL is the project's URL, {WHERE}"
        ));
    }
    if text.len() == 20
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    {
        return Err(format!(
            "this is the project's reference; write {}",
            address(text)
        ));
    }
    if text.to_ascii_uppercase().contains("YOUR-PROJECT") {
        return Err("put the reference of your project in the place of YOUR-PROJECT, found in the dashboard's address".to_owned());
    }
    let url = Url::parse(text).ok().filter(Url::has_host);
    let Some(url) = url else {
        let host_alone = Url::parse(&format!("https://{text}"))
            .ok()
            .filter(|_| text.contains('.') && !text.contains("://"));
        return Err(match host_alone {
            Some(url) => {
                format!(
                    "the scheme is missing; write {}",
                    project(url.as_str()).unwrap_or_else(|_| ELSEWHERE.to_owned())
                )
            }
            None => format!("this is not a URL; write the project's URL, {WHERE}"),
        });
    };
    let host = url.host_str().unwrap_or_default();
    if url.scheme().starts_with("postgres") {
        let reference = project_of_host(host).or_else(|| url.username().strip_prefix("postgres."));
        return Err(format!(
            "this is the database's address, which belongs in DATABASE_URL; write {}",
            suggested(reference)
        ));
    }
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!(
            "this is not a web address; write the project's URL, {WHERE}"
        ));
    }
    if host == "supabase.com" || host.ends_with(".supabase.com") {
        let mut segments = url
            .path_segments()
            .into_iter()
            .flatten()
            .skip_while(|segment| *segment != "project");
        return Err(format!(
            "this is the dashboard's address; write {}",
            suggested(segments.nth(1).filter(|name| !name.is_empty()))
        ));
    }
    if let Some(reference) = project_of_host(host)
        && host != format!("{reference}.supabase.co")
    {
        return Err(format!(
            "this is the address of another service of the project; write {}",
            address(reference)
        ));
    }
    let base = url.origin().ascii_serialization();
    let is_bare = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    let is_project = matches!(url.path().trim_end_matches('/'), "" | "/auth/v1");
    if is_bare && is_project {
        Ok(base)
    } else {
        Err(format!("the address ends after the host; write {base}"))
    }
}

const WHERE: &str =
    "https://YOUR-PROJECT.supabase.co, found in the dashboard under Project Settings, Data API";
const ELSEWHERE: &str = "https://YOUR-PROJECT.supabase.co";

fn address(reference: &str) -> String {
    format!("https://{reference}.supabase.co")
}

fn suggested(reference: Option<&str>) -> String {
    reference.map_or_else(|| ELSEWHERE.to_owned(), address)
}

/// The reference in `REF.supabase.co` and in the hosts of a project's other services, such as
/// `db.REF.supabase.co`.
fn project_of_host(host: &str) -> Option<&str> {
    let before = host.strip_suffix(".supabase.co")?;
    before
        .split('.')
        .find(|label| label.len() == 20)
        .or_else(|| before.rsplit('.').next())
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFERENCE: &str = "abcdefghijklmnopqrst";

    #[test]
    fn the_projects_address_is_accepted_with_and_without_its_end() {
        for end in ["", "/", "/auth/v1", "/auth/v1/"] {
            assert_eq!(
                project(&format!("https://abc.supabase.co{end}")).as_deref(),
                Ok("https://abc.supabase.co"),
                "{end}"
            );
        }
        assert_eq!(
            project("http://127.0.0.1:54321").as_deref(),
            Ok("http://127.0.0.1:54321")
        );
        assert_eq!(
            project("https://auth.example.com/").as_deref(),
            Ok("https://auth.example.com")
        );
    }

    #[test]
    fn what_people_write_instead_is_answered_with_what_to_write() {
        let fine = format!("write https://{REFERENCE}.supabase.co");
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
            let advice = project(&wrong).expect_err(&wrong);
            assert!(advice.ends_with(&fine), "{wrong}: {advice}");
        }
    }

    #[test]
    fn a_line_that_was_copied_as_it_stands_is_no_address() {
        for text in [
            "https://YOUR-PROJECT.supabase.co",
            "https://your-project.supabase.co/",
        ] {
            assert!(
                project(text).is_err_and(|advice| advice.contains("in the place of YOUR-PROJECT")),
                "{text}"
            );
        }
    }

    #[test]
    fn a_key_is_named_as_a_key_and_not_repeated() {
        for key in [
            "sb_publishable_abc123",
            "sb_secret_abc123",
            "eyJhbGciOiJIUzI1NiJ9.abc123",
        ] {
            let advice = project(key).expect_err(key);
            assert!(
                advice.starts_with("this is an API key") && !advice.contains("abc123"),
                "{advice}"
            );
        }
        assert!(project("my project").is_err());
        assert!(
            project("https://supabase.com/dashboard")
                .is_err_and(|advice| advice.ends_with("https://YOUR-PROJECT.supabase.co"))
        );
    }
}
