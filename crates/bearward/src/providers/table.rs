//! The table of all providers.

use super::{Provider, ProviderParameter, Recipient, keycloak::keycloak};
use crate::issuer::Issuer;

const fn parameter(
    name: &'static str,
    description: &'static str,
    example: &'static str,
) -> ProviderParameter {
    ProviderParameter {
        name,
        description,
        example,
        default: None,
    }
}

const fn optional(
    name: &'static str,
    description: &'static str,
    default: &'static str,
) -> ProviderParameter {
    ProviderParameter {
        name,
        description,
        example: default,
        default: Some(default),
    }
}

const REGION: ProviderParameter =
    parameter("region", "the AWS region of the user pool", "eu-central-1");
const POOL: ProviderParameter = parameter("pool", "the user pool id", "eu-central-1_Ab12Cd34E");

pub(super) const PROVIDERS: &[Provider] = &[
    Provider {
        name: "apple",
        parameters: &[],
        recipient: Recipient::Audience,
        build: |values| Issuer::apple(values.audience()),
    },
    Provider {
        name: "auth0",
        parameters: &[parameter(
            "domain",
            "the domain of the tenant",
            "acme.eu.auth0.com",
        )],
        recipient: Recipient::Audience,
        build: |values| Issuer::auth0(values.text("domain"), values.audience()),
    },
    Provider {
        name: "clerk",
        parameters: &[parameter(
            "domain",
            "the host of the Frontend API",
            "clerk.acme.example",
        )],
        recipient: Recipient::Client,
        build: |values| Issuer::clerk(values.text("domain"), values.client_ids()),
    },
    Provider {
        name: "cloudflare-access",
        parameters: &[parameter(
            "team",
            "the team name before .cloudflareaccess.com",
            "acme",
        )],
        recipient: Recipient::Audience,
        build: |values| Issuer::cloudflare_access(values.text("team"), values.audience()),
    },
    Provider {
        name: "cognito",
        parameters: &[REGION, POOL],
        recipient: Recipient::Client,
        build: |values| {
            Issuer::cognito(
                values.text("region"),
                values.text("pool"),
                values.client_ids(),
            )
        },
    },
    Provider {
        name: "cognito-id",
        parameters: &[REGION, POOL],
        recipient: Recipient::Audience,
        build: |values| {
            Issuer::cognito_id(
                values.text("region"),
                values.text("pool"),
                values.audience(),
            )
        },
    },
    Provider {
        name: "entra",
        parameters: &[parameter(
            "tenant",
            "the directory (tenant) id, or \"common\" for every tenant",
            "8b1a9953-c461-4296-a827-abf8c47804d7",
        )],
        recipient: Recipient::Audience,
        build: |values| Issuer::entra(values.text("tenant"), values.audience()),
    },
    Provider {
        name: "firebase",
        parameters: &[parameter("project", "the project id", "acme-shop")],
        recipient: Recipient::Parameters,
        build: |values| Issuer::firebase(values.text("project")),
    },
    Provider {
        name: "github-actions",
        parameters: &[parameter(
            "owner",
            "the user or organization that owns the repositories",
            "octo-org",
        )],
        recipient: Recipient::Audience,
        build: |values| Issuer::github_actions(values.audience(), values.text("owner")),
    },
    Provider {
        name: "gitlab",
        parameters: &[
            optional("url", "the URL of the GitLab server", "https://gitlab.com"),
            parameter("group", "the path of the group or user", "acme"),
        ],
        recipient: Recipient::Audience,
        build: |values| Issuer::gitlab(values.text("url"), values.audience(), values.text("group")),
    },
    Provider {
        name: "google",
        parameters: &[],
        recipient: Recipient::Audience,
        build: |values| Issuer::google(values.audience()),
    },
    Provider {
        name: "google-iap",
        parameters: &[],
        recipient: Recipient::Audience,
        build: |values| Issuer::google_iap(values.audience()),
    },
    Provider {
        name: "keycloak",
        parameters: &[
            parameter(
                "url",
                "the base URL of the server",
                "https://id.example.com",
            ),
            parameter("realm", "the name of the realm", "shop"),
        ],
        recipient: Recipient::Audience,
        build: |values| keycloak(values.text("url"), values.text("realm"), values.audiences()),
    },
    Provider {
        name: "kubernetes",
        parameters: &[parameter(
            "namespace",
            "the namespace of the calling pods",
            "prod",
        )],
        recipient: Recipient::Audience,
        build: |values| Issuer::kubernetes(values.audience(), values.text("namespace")),
    },
    Provider {
        name: "logto",
        parameters: &[parameter(
            "domain",
            "the host of the tenant",
            "acme.logto.app",
        )],
        recipient: Recipient::Audience,
        build: |values| Issuer::logto(values.text("domain"), values.audience()),
    },
    Provider {
        name: "okta",
        parameters: &[
            parameter("domain", "the domain of the org", "acme.okta.com"),
            optional("server", "the id of the authorization server", "default"),
        ],
        recipient: Recipient::Audience,
        build: |values| {
            Issuer::okta(
                values.text("domain"),
                values.text("server"),
                values.audience(),
            )
        },
    },
    Provider {
        name: "supabase",
        parameters: &[parameter(
            "url",
            "the URL of the project",
            "https://abc.supabase.co",
        )],
        recipient: Recipient::Parameters,
        build: |values| Issuer::supabase(values.text("url")),
    },
    Provider {
        name: "workos",
        parameters: &[parameter(
            "client",
            "the client id of the environment",
            "client_01HXYZ",
        )],
        recipient: Recipient::Parameters,
        build: |values| Issuer::workos(values.text("client")),
    },
    Provider {
        name: "zitadel",
        parameters: &[
            parameter(
                "domain",
                "the host of the instance",
                "acme-x1y2z3.zitadel.cloud",
            ),
            parameter("project", "the project id", "281030457891234567"),
        ],
        recipient: Recipient::Parameters,
        build: |values| Issuer::zitadel(values.text("domain"), values.text("project")),
    },
];
