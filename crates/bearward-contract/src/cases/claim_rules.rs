//! Clients, values of claims and tenants, for targets that restrict them. All tokens are correctly
//! signed by the issuer.

use serde_json::{Value, json};

use crate::{
    case::{Case, Precondition},
    forge::Forge,
    options::Options,
};

/// A value that no target accepts.
const OTHER: &str = "bearward-contract-other";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = clients();
    cases.extend(required_claim());
    cases.extend(tenants());
    cases
}

fn clients() -> Vec<Case> {
    let with = |change: fn(&str) -> Value| {
        move |f: &Forge| f.token().claim("client_id", change(&f.client_id)).sign()
    };
    let rationale = "the issuer has other clients, and their tokens are accepted here";
    [
        Case::rejected(
            "claims.client.other",
            "a token of another client",
            with(|_| json!(OTHER)),
        ),
        Case::rejected(
            "claims.client.longer",
            "a client that starts with the accepted one",
            with(|client| json!(format!("{client}-other"))),
        ),
        Case::rejected("claims.client.missing", "no client_id", |f| {
            f.token().without("client_id").sign()
        })
        .requires_issuer(),
        Case::rejected(
            "claims.client.array",
            "the accepted client in an array",
            with(|client| json!([client])),
        )
        .requires_issuer(),
    ]
    .map(|case| {
        case.requires(Precondition::ClientId)
            .rationale(rationale, "RFC 9068 §2.2, RFC 8725 §3.9")
            .hint("compare `client_id` (or `azp`) with a list of accepted clients, and reject tokens without it")
    })
    .into()
}

fn required_claim() -> Vec<Case> {
    let with = |change: fn(&Value) -> Value| {
        move |f: &Forge| {
            let (name, value) = &f.required_claim;
            f.token().claim(name, change(value)).sign()
        }
    };
    let rationale =
        "tokens of other callers have the same issuer and audience; only this claim differs";
    [
        Case::rejected(
            "claims.required.other",
            "another value of the required claim",
            with(|_| json!(OTHER)),
        ),
        Case::rejected(
            "claims.required.longer",
            "text that starts with the required value",
            with(|value| {
                let text = value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned);
                json!(format!("{text}-other"))
            }),
        ),
        Case::rejected("claims.required.missing", "no required claim", |f| {
            f.token().without(&f.required_claim.0).sign()
        }),
    ]
    .map(|case| {
        case.requires(Precondition::RequiredClaim)
            .rationale(rationale, "RFC 7519 §4.3")
            .hint("compare the whole value, and reject tokens without the claim")
    })
    .into()
}

fn tenants() -> Vec<Case> {
    let token = |f: &Forge, in_iss: &str, in_claim: &str| {
        let iss = format!("{}/{in_iss}/v1", f.base);
        f.token()
            .claim("iss", iss)
            .claim(&f.tenant_claim, in_claim)
            .sign()
    };
    let rationale = "an attacker who controls another tenant gets tokens for any user name";
    [
        Case::rejected(
            "claims.tenant.other",
            "a token of another tenant",
            move |f| token(f, OTHER, OTHER),
        ),
        Case::rejected(
            "claims.tenant.mismatch",
            "the claim with the tenant differs from the issuer",
            move |f| token(f, Options::TENANT, OTHER),
        )
        .requires_issuer(),
        Case::rejected(
            "claims.tenant.path",
            "a tenant with a path that leads to the accepted one",
            move |f| {
                let path = format!("x/../{}", Options::TENANT);
                token(f, &path, &path)
            },
        )
        .requires_issuer(),
        Case::rejected("claims.tenant.missing", "no claim with the tenant", |f| {
            f.token().without(&f.tenant_claim).sign()
        })
        .requires_issuer(),
    ]
    .map(|case| {
        case.requires(Precondition::TenantClaim)
            .rationale(rationale, "OpenID Connect Core §3.1.3.7, RFC 8725 §3.8")
            .hint("bind the tenant in `iss` to the claim with the tenant, and accept only listed tenants")
    })
    .into()
}
