//! The consent page of the simulated providers.

use url::Url;

use crate::fixture::{TestIdp, TestResponse};

pub(super) const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// A consent page with the cookie of a browser.
pub(super) struct ConsentPage {
    pub(super) path: String,
    pub(super) text: String,
    pub(super) csrf_token: String,
    pub(super) cookie: String,
}

impl ConsentPage {
    pub(super) async fn open(idp: &TestIdp, authorize: &str) -> Self {
        let response = idp.get(authorize).await;
        assert_eq!(response.status, 302, "{}", response.body);
        Self::show(idp, response.header("location").unwrap()).await
    }

    /// Opens the page at this path.
    pub(super) async fn show(idp: &TestIdp, path: &str) -> Self {
        let path = path.to_owned();
        let shown = idp.get(&path).await;
        let cookie = shown
            .header("set-cookie")
            .unwrap()
            .split(';')
            .next()
            .unwrap()
            .to_owned();
        let csrf_token = shown
            .body
            .split_once("name=\"csrf_token\" value=\"")
            .unwrap()
            .1
            .split('"')
            .next()
            .unwrap()
            .to_owned();
        Self {
            path,
            text: shown.body,
            csrf_token,
            cookie,
        }
    }

    pub(super) async fn send(&self, idp: &TestIdp, members: &[(&str, &str)]) -> TestResponse {
        let own_origin = format!("http://{}", idp.address());
        self.send_from(
            idp,
            &own_origin,
            Some(&self.cookie),
            &self.csrf_token,
            members,
        )
        .await
    }

    pub(super) async fn send_from(
        &self,
        idp: &TestIdp,
        origin: &str,
        cookie: Option<&str>,
        csrf_token: &str,
        members: &[(&str, &str)],
    ) -> TestResponse {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("csrf_token", csrf_token)
            .extend_pairs(members);
        let mut headers = vec![FORM, ("origin", origin)];
        headers.extend(cookie.map(|cookie| ("cookie", cookie)));
        idp.send(&format!("POST {}", self.path), &headers, &form.finish())
            .await
    }
}

/// Signs in as this user and returns the redirect to the app.
pub(super) async fn select_user(idp: &TestIdp, authorize: &str, email: &str) -> Url {
    finish(idp, authorize, &[("email", email)]).await
}

pub(super) async fn deny(idp: &TestIdp, authorize: &str) -> Url {
    finish(idp, authorize, &[("action", "deny")]).await
}

async fn finish(idp: &TestIdp, authorize: &str, members: &[(&str, &str)]) -> Url {
    finish_page(idp, &ConsentPage::open(idp, authorize).await, members).await
}

/// Submits a page and returns the redirect to the app.
pub(super) async fn finish_page(
    idp: &TestIdp,
    page: &ConsentPage,
    members: &[(&str, &str)],
) -> Url {
    let sent = page.send(idp, members).await;
    assert_eq!(sent.status, 303, "{}", sent.body);
    let back = idp.get(sent.header("location").unwrap()).await;
    assert_eq!(back.status, 302, "{}", back.body);
    back.header("location").unwrap().parse().unwrap()
}

const AUTHORIZE: &str = "/auth/v1/authorize?provider=google&redirect_to=http://localhost:3000/";

#[tokio::test]
async fn page_is_marked_and_self_contained() {
    let (idp, _) = TestIdp::with_clock();
    let page = ConsentPage::open(&idp, AUTHORIZE).await;
    let response = idp.get(&page.path).await;
    let policy = response.header("content-security-policy").unwrap();
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
    assert_eq!(response.header("cache-control"), Some("no-store"));
    assert!(
        response
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
        "<script",
        "src=\"//",
        "rel=\"stylesheet\"",
        "http://",
        "https://",
        "@import",
        "url(",
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
async fn forms_from_other_pages_are_rejected() {
    let (idp, _) = TestIdp::with_clock();
    let page = ConsentPage::open(&idp, AUTHORIZE).await;
    let other = ConsentPage::open(&idp, AUTHORIZE).await;
    let own_origin = format!("http://{}", idp.address());
    let cookie = Some(page.cookie.as_str());
    for (origin, cookie, csrf_token) in [
        ("https://attacker.invalid", cookie, page.csrf_token.as_str()),
        ("http://localhost:3000", cookie, &page.csrf_token),
        ("null", cookie, &page.csrf_token),
        (&own_origin, None, &page.csrf_token),
        (&own_origin, Some(other.cookie.as_str()), &page.csrf_token),
        (&own_origin, cookie, ""),
        (&own_origin, cookie, &other.csrf_token),
        (&own_origin, Some("bearward_consent="), ""),
    ] {
        let response = page
            .send_from(
                &idp,
                origin,
                cookie,
                csrf_token,
                &[("email", "ada@example.com")],
            )
            .await;
        assert_eq!(response.status, 403, "{origin} {cookie:?} {csrf_token}");
        assert_eq!(response.header("location"), None);
    }
    assert_eq!(
        page.send(&idp, &[("email", "ada@example.com")])
            .await
            .status,
        303
    );
}

#[tokio::test]
async fn foreign_host_names_are_rejected() {
    let (idp, _) = TestIdp::with_clock();
    let page = ConsentPage::open(&idp, AUTHORIZE).await;
    for line in [format!("GET {}", page.path), format!("POST {}", page.path)] {
        let response = idp
            .send(&line, &[("host", "attacker.invalid"), FORM], "")
            .await;
        assert_eq!(response.error(), (403, "ORIGIN_REFUSED".to_owned()));
    }
}

#[tokio::test]
async fn user_input_is_escaped() {
    let (idp, _) = TestIdp::with_clock();
    let hostile = "\"><script>alert(1)</script>&'";
    let sent = ConsentPage::open(&idp, AUTHORIZE)
        .await
        .send(&idp, &[("email", "eve@example.com"), ("name", hostile)])
        .await;
    idp.get(sent.header("location").unwrap()).await;
    let page = ConsentPage::open(&idp, AUTHORIZE).await;
    assert!(
        page.text
            .contains("&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;'"),
        "{}",
        page.text
    );
    assert!(!page.text.contains("<script"), "{}", page.text);
}

#[tokio::test]
async fn invalid_email_is_422_with_a_link_back() {
    let (idp, _) = TestIdp::with_clock();
    let page = ConsentPage::open(&idp, AUTHORIZE).await;
    for email in ["", "ada", "<b>@example.com"] {
        let response = page.send(&idp, &[("email", email)]).await;
        assert_eq!(response.status, 422);
        assert!(response.body.contains(&page.path), "{}", response.body);
    }
}

#[tokio::test]
async fn unknown_flow_is_404() {
    let (idp, _) = TestIdp::with_clock();
    for path in [
        "/.consent/x",
        "/.consent/00000000-0000-4000-8000-000000000000",
    ] {
        let response = idp.get(path).await;
        assert_eq!(response.status, 404);
        assert!(
            response.body.contains("Development only"),
            "{}",
            response.body
        );
    }
}

#[tokio::test]
async fn callback_accepts_the_response_as_a_form() {
    let (idp, _) = TestIdp::with_clock();
    let page = ConsentPage::open(&idp, AUTHORIZE).await;
    let sent = page.send(&idp, &[("email", "ada@example.com")]).await;
    let (_, response) = sent.header("location").unwrap().split_once('?').unwrap();
    let line = "POST /auth/v1/callback";
    let back = idp.send(line, &[FORM], response).await;
    assert_eq!((back.status, back.body.as_str()), (302, ""));
    let address = back.header("location").unwrap();
    assert!(
        address.starts_with("http://localhost:3000/#access_token="),
        "{address}"
    );

    for (headers, body, code) in [
        (&[FORM][..], response, "bad_oauth_state"),
        (&[], response, "bad_oauth_callback"),
        (&[FORM], "", "bad_oauth_callback"),
    ] {
        let back = idp.send(line, headers, body).await;
        assert_eq!(
            (back.status, back.json()["error_code"].as_str()),
            (303, Some(code))
        );
        assert!(back.header("location").unwrap().contains(code));
    }
}

#[tokio::test]
async fn callback_with_a_guessed_code_is_rejected() {
    let (idp, _) = TestIdp::with_clock();
    let page = ConsentPage::open(&idp, AUTHORIZE).await;
    page.send(&idp, &[("email", "ada@example.com")]).await;
    let state = page.path.trim_start_matches("/.consent/");
    let response = idp
        .get(&format!("/auth/v1/callback?state={state}&code=guessed"))
        .await;
    let back = response.header("location").unwrap();
    assert!(
        back.contains("error_code=bad_oauth_callback") && !back.contains("access_token"),
        "{back}"
    );
}

#[tokio::test]
async fn an_example_user_signs_in_with_the_name_and_the_picture_of_the_page() {
    let (idp, _) = TestIdp::with_clock();
    let page = ConsentPage::open(&idp, AUTHORIZE).await;
    assert!(page.text.contains("src=\"/.picture/a\""), "{}", page.text);
    let back = page.send(&idp, &[("email", "ada@example.com")]).await;
    idp.get(back.header("location").unwrap()).await;
    let users = idp.get("/admin/users").await.json();
    let metadata = &users["users"][0]["user_metadata"];
    assert_eq!(metadata["full_name"], "Ada Example");
    let picture = format!("{}/.picture/a", idp.base());
    assert_eq!(
        (&metadata["picture"], &metadata["avatar_url"]),
        (&picture.as_str().into(), &picture.as_str().into())
    );
}
