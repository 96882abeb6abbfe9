//! The provider's page: what it shows, and whose answer it takes.

use bearward_idp::Idp;
use url::Url;

use super::start;
use crate::http::{Answer, get, send};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// A page as a browser has it.
pub(super) struct Page {
    pub(super) path: String,
    pub(super) text: String,
    ticket: String,
    cookie: String,
}

impl Page {
    pub(super) async fn open(idp: &Idp, authorize: &str) -> Self {
        let answer = get(idp, authorize).await;
        assert_eq!(answer.status, 302, "{}", answer.body);
        let path = answer.header("location").unwrap().to_owned();
        let shown = get(idp, &path).await;
        let cookie = shown
            .header("set-cookie")
            .unwrap()
            .split(';')
            .next()
            .unwrap()
            .to_owned();
        let ticket = shown
            .body
            .split_once("name=\"ticket\" value=\"")
            .unwrap()
            .1
            .split('"')
            .next()
            .unwrap()
            .to_owned();
        Self {
            path,
            text: shown.body,
            ticket,
            cookie,
        }
    }

    pub(super) async fn send(&self, idp: &Idp, members: &[(&str, &str)]) -> Answer {
        let own = format!("http://{}", idp.address());
        self.send_from(idp, &own, Some(&self.cookie), &self.ticket, members)
            .await
    }

    async fn send_from(
        &self,
        idp: &Idp,
        origin: &str,
        cookie: Option<&str>,
        ticket: &str,
        members: &[(&str, &str)],
    ) -> Answer {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("ticket", ticket).extend_pairs(members);
        let mut headers = vec![FORM, ("origin", origin)];
        headers.extend(cookie.map(|cookie| ("cookie", cookie)));
        send(
            idp,
            &format!("POST {}", self.path),
            &headers,
            &form.finish(),
        )
        .await
    }
}

/// Where the app is sent after somebody was picked.
pub(super) async fn pick(idp: &Idp, authorize: &str, email: &str) -> Url {
    finish(idp, authorize, &[("email", email)]).await
}

pub(super) async fn deny(idp: &Idp, authorize: &str) -> Url {
    finish(idp, authorize, &[("action", "deny")]).await
}

async fn finish(idp: &Idp, authorize: &str, members: &[(&str, &str)]) -> Url {
    let sent = Page::open(idp, authorize).await.send(idp, members).await;
    assert_eq!(sent.status, 303, "{}", sent.body);
    let back = get(idp, sent.header("location").unwrap()).await;
    assert_eq!(back.status, 302, "{}", back.body);
    back.header("location").unwrap().parse().unwrap()
}

const AUTHORIZE: &str = "/auth/v1/authorize?provider=google&redirect_to=http://localhost:3000/";

#[tokio::test]
async fn the_page_says_what_it_is_and_loads_nothing() {
    let (idp, _) = start();
    let page = Page::open(&idp, AUTHORIZE).await;
    let answer = get(&idp, &page.path).await;
    let policy = answer.header("content-security-policy").unwrap();
    assert!(
        policy.starts_with("default-src 'none'; style-src 'sha256-"),
        "{policy}"
    );
    assert!(
        policy.contains("frame-ancestors 'none'") && policy.contains("form-action 'self' "),
        "{policy}"
    );
    assert!(
        !policy.contains("unsafe") && !policy.contains("script"),
        "{policy}"
    );
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(
        answer
            .header("set-cookie")
            .unwrap()
            .ends_with("; HttpOnly; SameSite=Strict")
    );
    assert!(
        page.text.contains("Development only") && page.text.contains("Sign in with Google"),
        "{}",
        page.text
    );
    for external in [
        "<script", "src=", "<link", "http://", "https://", "@import", "url(",
    ] {
        assert!(!page.text.contains(external), "{external} in {}", page.text);
    }
    for element in [
        "<label for=\"email\">",
        "<label for=\"name\">",
        "id=\"continue\"",
        "id=\"deny\"",
        "data-email=\"ada@example.com\"",
    ] {
        assert!(page.text.contains(element), "{element} in {}", page.text);
    }
}

#[tokio::test]
async fn an_answer_that_is_not_from_the_page_chooses_nobody() {
    let (idp, _) = start();
    let page = Page::open(&idp, AUTHORIZE).await;
    let other = Page::open(&idp, AUTHORIZE).await;
    let own = format!("http://{}", idp.address());
    let cookie = Some(page.cookie.as_str());
    for (origin, cookie, ticket) in [
        ("https://attacker.invalid", cookie, page.ticket.as_str()),
        ("http://localhost:3000", cookie, &page.ticket),
        ("null", cookie, &page.ticket),
        (&own, None, &page.ticket),
        (&own, Some(other.cookie.as_str()), &page.ticket),
        (&own, cookie, ""),
        (&own, cookie, &other.ticket),
        (&own, Some("bearward_consent="), ""),
    ] {
        let answer = page
            .send_from(
                &idp,
                origin,
                cookie,
                ticket,
                &[("email", "ada@example.com")],
            )
            .await;
        assert_eq!(answer.status, 403, "{origin} {cookie:?} {ticket}");
        assert_eq!(answer.header("location"), None);
    }
    assert_eq!(
        page.send(&idp, &[("email", "ada@example.com")])
            .await
            .status,
        303
    );
}

#[tokio::test]
async fn a_page_under_a_rebound_name_is_not_shown() {
    let (idp, _) = start();
    let page = Page::open(&idp, AUTHORIZE).await;
    for line in [format!("GET {}", page.path), format!("POST {}", page.path)] {
        let answer = send(&idp, &line, &[("host", "attacker.invalid"), FORM], "").await;
        assert_eq!(answer.refusal(), (403, "ORIGIN_REFUSED".to_owned()));
    }
}

#[tokio::test]
async fn what_people_type_is_shown_as_text() {
    let (idp, _) = start();
    let hostile = "\"><script>alert(1)</script>&'";
    let sent = Page::open(&idp, AUTHORIZE)
        .await
        .send(&idp, &[("email", "eve@example.com"), ("name", hostile)])
        .await;
    get(&idp, sent.header("location").unwrap()).await;
    let page = Page::open(&idp, AUTHORIZE).await;
    assert!(
        page.text
            .contains("&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;&#39;"),
        "{}",
        page.text
    );
    assert!(!page.text.contains("<script"), "{}", page.text);
}

#[tokio::test]
async fn what_is_no_address_is_answered_with_a_way_back() {
    let (idp, _) = start();
    let page = Page::open(&idp, AUTHORIZE).await;
    for email in ["", "ada", "<b>@example.com"] {
        let answer = page.send(&idp, &[("email", email)]).await;
        assert_eq!(answer.status, 422);
        assert!(answer.body.contains(&page.path), "{}", answer.body);
    }
}

#[tokio::test]
async fn a_sign_in_that_never_began_has_no_page() {
    let (idp, _) = start();
    for path in [
        "/.consent/x",
        "/.consent/00000000-0000-4000-8000-000000000000",
    ] {
        let answer = get(&idp, path).await;
        assert_eq!(answer.status, 404);
        assert!(answer.body.contains("Development only"), "{}", answer.body);
    }
}

#[tokio::test]
async fn a_callback_without_the_code_of_the_page_leads_to_no_session() {
    let (idp, _) = start();
    let page = Page::open(&idp, AUTHORIZE).await;
    page.send(&idp, &[("email", "ada@example.com")]).await;
    let state = page.path.trim_start_matches("/.consent/");
    let answer = get(
        &idp,
        &format!("/auth/v1/callback?state={state}&code=guessed"),
    )
    .await;
    let back = answer.header("location").unwrap();
    assert!(
        back.contains("error_code=bad_oauth_callback") && !back.contains("access_token"),
        "{back}"
    );
}
