//! The library calls of the pages, as text and as code.

use std::error::Error;

use bearward::{Issuer, KeySource, TypRule};

use super::page::without_white_space;

type Call = fn() -> Result<Issuer, Box<dyn Error>>;

macro_rules! calls {
    ($($call:expr;)*) => {
        [$((stringify!($call), (|| Ok($call)) as Call)),*]
    };
}

/// Returns the issuer that a library call of a page creates.
pub(super) fn issuer(call: &str) -> Issuer {
    let known = calls![
        Issuer::new("http://fs.acme.example/adfs/services/trust", "https://api.acme.example")?
            .keys(KeySource::Url("https://fs.acme.example/adfs/discovery/keys".parse()?))
            .map_claim("scopes", ["scp"])?
            .map_claim("roles", ["role", "group"])?;
        Issuer::apple("com.acme.shop")?.audience("com.acme.shop.web")?;
        Issuer::auth0("acme.eu.auth0.com", "https://api.acme.example")?
            .map_claim("roles", ["https://acme.example/roles"])?;
        Issuer::clerk("clerk.acme.example", ["https://app.acme.example"])?
            .require_claim("sts", "active")?;
        Issuer::cloudflare_access("acme", "32eafc7626e974616deaf0dc3ce63d7bcbed58a2731e84d06bc3cdf1b53c4228")?;
        Issuer::cognito("eu-central-1", "eu-central-1_Ab12Cd34E", ["1example23456789", "7machine8client9"])?;
        Issuer::cognito_id("eu-central-1", "eu-central-1_Ab12Cd34E", "1example23456789")?;
        Issuer::new("https://id.example.com", "orders")?
            .token_type(TypRule::AtJwt)
            .subject_from(["sub", "client_id"])?
            .map_claim("roles", ["role"])?;
        Issuer::entra("8b1a9953-c461-4296-a827-abf8c47804d7", "6e74172b-be56-4843-9ff4-e66a39bb12e3")?;
        Issuer::entra("common", "6e74172b-be56-4843-9ff4-e66a39bb12e3")?
            .tenants(["8b1a9953-c461-4296-a827-abf8c47804d7", "0d2e6a57-1c2b-4f0e-8f3a-5b6c7d8e9f00"])?;
        Issuer::new("https://contoso.b2clogin.com/8b1a9953-c461-4296-a827-abf8c47804d7/v2.0/", "6e74172b-be56-4843-9ff4-e66a39bb12e3")?
            .keys(KeySource::Urls(vec![
                "https://contoso.b2clogin.com/contoso.onmicrosoft.com/b2c_1_signin/discovery/v2.0/keys".parse()?,
                "https://contoso.b2clogin.com/contoso.onmicrosoft.com/b2c_1_signup/discovery/v2.0/keys".parse()?,
            ]))
            .require_claim("tfp", ["B2C_1_signin", "B2C_1_signup"])?
            .map_claim("scopes", ["scp"])?
            .map_claim("roles", ["extension_Roles"])?
            .map_claim("email", ["/emails/0"])?;
        Issuer::firebase("acme-shop")?;
        Issuer::new("https://id.acme.example", "e9fdb985-9173-4e01-9d73-ac2d60d1dc8e")?
            .keys(KeySource::Url("https://id.acme.example/.well-known/jwks.json".parse()?))
            .require_claim("applicationId", "e9fdb985-9173-4e01-9d73-ac2d60d1dc8e")?
            .map_claim("roles", ["roles"])?
            .map_claim("tenant", ["tid"])?
            .map_claim("session_id", ["sid"])?;
        Issuer::github_actions("https://deploy.acme.example", "octo-org")?
            .require_claim("ref", "refs/heads/main")?
            .require_claim("repository", "octo-org/shop")?;
        Issuer::gitlab("https://gitlab.com", "https://deploy.acme.example", "acme")?
            .require_claim("ref_protected", "true")?;
        Issuer::google_iap("/projects/123456789012/global/backendServices/4567890123456789012")?;
        Issuer::google("1234567890-abc123.apps.googleusercontent.com")?;
        Issuer::keycloak("https://id.example.com", "shop", "orders")?;
        Issuer::kubernetes("orders", "prod")?;
        Issuer::logto("acme.logto.app", "https://api.acme.example")?;
        Issuer::okta("acme.okta.com", "default", "api://default")?;
        Issuer::new("https://id.example.com", "https://api.acme.example")?
            .map_claim("scopes", ["scp"])?
            .map_claim("roles", ["/ext/roles"])?;
        Issuer::new("https://id.example.com/auth/v1/", "web")?
            .issuer_alias("https://id.example.com/auth/v1")
            .keys(KeySource::Url("https://id.example.com/auth/v1/oidc/certs".parse()?))
            .require_claim("typ", "Bearer")?
            .map_claim("roles", ["roles", "groups"])?;
        Issuer::new("https://acme.my.salesforce.com", "https://acme.my.salesforce.com")?
            .client_ids(["3MVG9AOp4kbriZOLfSVjG2Pxa3cJ_nOkwhxL1J1AuV22u8bm82FtDtWFVV__Vs6mvqoVbAnwsChp9YT4bf.Sc"])?
            .map_claim("scopes", ["scp"])?
            .map_claim("roles", ["roles"])?;
        Issuer::supabase("https://abc.supabase.co")?;
        Issuer::workos("client_01HXYZ7Q2V8M3N4P5R6S7T8U9V")?;
        Issuer::zitadel("acme-x1y2z3.zitadel.cloud", "281030457891234567")?;
    ];
    let normalize = |text: &str| {
        without_white_space(text)
            .replace(",)", ")")
            .replace(",]", "]")
    };
    let (_, create) = known
        .iter()
        .find(|(text, _)| normalize(text) == normalize(call))
        .unwrap_or_else(|| panic!("add this library call to the test: {call}"));
    create().unwrap()
}
