//! For each validation rule: the closest accepted and the closest rejected value.

use rstest::rstest;

use super::{error, file, issuer_text};

const KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

/// Asserts that `inside` is accepted and `outside` is rejected.
fn check(inside: &str, outside: &str) {
    file(inside).expect(inside);
    error(file(outside));
}

#[rstest]
#[case::workers_at_most_1024("server", "workers = 1024", "workers = 1025")]
#[case::workers_not_negative("server", "workers = 0", "workers = -1")]
#[case::bind_is_an_address("server", "bind = '[::]:80'", "bind = 'example.com:80'")]
#[case::bind_port_is_optional("server", "bind = '0.0.0.0'", "bind = '0.0.0.0:'")]
#[case::listeners_differ(
    "server",
    "admin_bind = '127.0.0.1:8001'",
    "admin_bind = '127.0.0.1:8000'"
)]
#[case::public_url_is_http(
    "server",
    "public_url = 'http://a.example'",
    "public_url = 'ftp://a.example'"
)]
#[case::public_url_without_query(
    "server",
    "public_url = 'https://a.example/api'",
    "public_url = 'https://a.example/api?x'"
)]
#[case::public_url_without_fragment(
    "server",
    "public_url = 'https://a.example/'",
    "public_url = 'https://a.example/#x'"
)]
#[case::public_url_without_user(
    "server",
    "public_url = 'https://a.example'",
    "public_url = 'https://u@a.example'"
)]
#[case::origin_without_path(
    "server",
    "cors_origins = ['https://a.example']",
    "cors_origins = ['https://a.example/x']"
)]
#[case::origin_without_slash(
    "server",
    "cors_origins = ['https://a.example:1']",
    "cors_origins = ['https://a.example:1/']"
)]
#[case::origin_is_not_a_wildcard("server", "cors_origins = []", "cors_origins = ['*']")]
#[case::cors_header_is_a_name(
    "server",
    "cors_headers = ['X-Tenant']",
    "cors_headers = ['x tenant']"
)]
#[case::cors_header_is_not_a_wildcard("server", "cors_headers = []", "cors_headers = ['*']")]
#[case::body_limit_at_most_64_mib("server", "body_limit = '64MiB'", "body_limit = 67108865")]
#[case::proxy_is_an_ip_address(
    "server",
    "trusted_proxies = ['10.0.0.1']",
    "trusted_proxies = ['lb.example']"
)]
#[case::proxy_prefix_is_valid(
    "server",
    "trusted_proxies = ['fd00::/8']",
    "trusted_proxies = ['fd00::/129']"
)]
#[case::proxy_network_has_no_host_bits(
    "server",
    "trusted_proxies = ['10.1.0.0/16']",
    "trusted_proxies = ['10.1.0.1/16']"
)]
#[case::proxies_are_not_all_addresses(
    "server",
    "trusted_proxies = ['0.0.0.0/1']",
    "trusted_proxies = ['0.0.0.0/0']"
)]
#[case::proxy_headers("server", "proxy_headers = 'forwarded'", "proxy_headers = 'Forwarded'")]
#[case::proxies_are_a_list("server", "trusted_proxies = []", "trusted_proxies = '10.0.0.1'")]
#[case::certificate_header_needs_a_proxy(
    "server",
    "client_certificate_header = 'Client-Cert'\ntrusted_proxies = ['10.0.0.1']",
    "client_certificate_header = 'Client-Cert'"
)]
#[case::certificate_header_is_a_name(
    "server",
    "client_certificate_header = 'X-Client-Cert'\ntrusted_proxies = ['10.0.0.1']",
    "client_certificate_header = 'X Client Cert'\ntrusted_proxies = ['10.0.0.1']"
)]
#[case::certificate_header_has_no_other_meaning(
    "server",
    "client_certificate_header = 'Authority'\ntrusted_proxies = ['10.0.0.1']",
    "client_certificate_header = 'Authorization'\ntrusted_proxies = ['10.0.0.1']"
)]
#[case::key_for_the_certificate(
    "server.tls",
    "cert_file = 'c.pem'\nkey_file = 'k.pem'",
    "cert_file = 'c.pem'"
)]
#[case::certificate_for_the_key("server.tls", "key_file = ''", "key_file = 'k.pem'")]
#[case::client_authentication_needs_authorities(
    "server.tls",
    "cert_file = 'c.pem'\nkey_file = 'k.pem'\nclient_auth = 'required'\nclient_ca_file = '*'",
    "cert_file = 'c.pem'\nkey_file = 'k.pem'\nclient_auth = 'required'"
)]
#[case::authorities_need_client_authentication(
    "server.tls",
    "cert_file = 'c.pem'\nkey_file = 'k.pem'\nclient_auth = 'optional'\nclient_ca_file = 'ca.pem'",
    "cert_file = 'c.pem'\nkey_file = 'k.pem'\nclient_ca_file = 'ca.pem'"
)]
#[case::client_authentication_needs_a_certificate(
    "server.tls",
    "client_auth = 'off'",
    "client_auth = 'optional'\nclient_ca_file = 'ca.pem'"
)]
#[case::client_authentication_is_known(
    "server.tls",
    "cert_file = 'c.pem'\nkey_file = 'k.pem'\nclient_auth = 'optional'\nclient_ca_file = '*'",
    "cert_file = 'c.pem'\nkey_file = 'k.pem'\nclient_auth = 'request'\nclient_ca_file = '*'"
)]
#[case::hsts_at_most_two_years(
    "server.tls",
    "cert_file = 'c.pem'\nkey_file = 'k.pem'\nhsts_max_age = '63115200s'",
    "cert_file = 'c.pem'\nkey_file = 'k.pem'\nhsts_max_age = '63115201s'"
)]
#[case::hsts_needs_a_certificate("server.tls", "hsts_max_age = '0s'", "hsts_max_age = '1s'")]
#[case::min_ttl_within_default_ttl("jwks", "min_ttl = '10m'", "min_ttl = '601s'")]
#[case::default_ttl_within_max_ttl("jwks", "default_ttl = '1h'", "default_ttl = '3601s'")]
#[case::max_ttl_within_max_stale("jwks", "max_ttl = '6h'", "max_ttl = '21601s'")]
#[case::burst_at_most_100("jwks", "refetch_burst = 100", "refetch_burst = 101")]
#[case::burst_not_negative("jwks", "refetch_burst = 0", "refetch_burst = -1")]
#[case::cooldown_at_least_1s("jwks", "refetch_cooldown = '1s'", "refetch_cooldown = '999ms'")]
#[case::timeout_at_most_1m("jwks", "timeout = '60s'", "timeout = '61s'")]
#[case::connect_timeout_within_timeout("jwks", "connect_timeout = '5s'", "connect_timeout = '6s'")]
#[case::token_at_least_256_bytes("tokens", "max_bytes = 256", "max_bytes = 255")]
#[case::token_at_most_64_kib("tokens", "max_bytes = '64KiB'", "max_bytes = 65537")]
#[case::cookie_without_space("tokens", "cookie = '__Host-session'", "cookie = 'my session'")]
#[case::cookie_without_equals("tokens", "cookie = 'a'", "cookie = 'a=b'")]
#[case::proof_age_at_least_1s("dpop", "max_age = '1s'", "max_age = '999ms'")]
#[case::proof_age_at_most_5m("dpop", "max_age = '5m'", "max_age = '301s'")]
#[case::one_replay_entry("dpop", "replay_entries = 1", "replay_entries = 0")]
#[case::replay_entries_at_most("dpop", "replay_entries = 100000000", "replay_entries = 100000001")]
#[case::nonce_mode("dpop", "nonce = 'required'", "nonce = 'on'")]
#[case::nonce_key_of_32_bytes(
    "dpop",
    "nonce_keys = ['MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=']",
    "nonce_keys = ['MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZQ==']"
)]
#[case::database_is_known("database", "url = 'postgres://db/app'", "url = 'mongodb://db/app'")]
#[case::schema_name_at_most_63_bytes(
    "database",
    "schema = 'a23456789_123456789_123456789_123456789_123456789_123456789_123'",
    "schema = 'a23456789_123456789_123456789_123456789_123456789_123456789_1234'"
)]
#[case::schema_name_without_quotes("database", "schema = 'app_1'", "schema = 'app\"1'")]
#[case::schema_is_not_reserved("database", "schema = 'public'", "schema = 'pg_catalog'")]
#[case::pooler_mode("database", "pooler = 'transaction'", "pooler = 'statement'")]
#[case::at_least_one_connection("database", "max_connections = 1", "max_connections = 0")]
#[case::generate_over_https(
    "generate",
    "base_url = 'http://localhost:1/v1'",
    "base_url = 'http://llm:1/v1'"
)]
#[case::request_burst_at_least_1("rate_limit", "burst = 1", "burst = 0")]
#[case::requests_per_user_at_least_1("rate_limit", "per_user = 1", "per_user = 0")]
#[case::generations_at_least_1("rate_limit", "generations = 1", "generations = 0")]
#[case::requests_per_address_at_most_1000000(
    "rate_limit",
    "per_address = 1000000",
    "per_address = 1000001"
)]
#[case::format_is_known("telemetry", "format = 'json'", "format = 'JSON'")]
fn a_section_key(#[case] section: &str, #[case] inside: &str, #[case] outside: &str) {
    check(
        &format!("[{section}]\n{inside}"),
        &format!("[{section}]\n{outside}"),
    );
}

#[rstest]
#[case::leeway_at_most_300s("leeway = '300s'", "leeway = '301s'")]
#[case::pointer_is_valid("claims = { roles = '/r' }", "claims = { roles = '/r~' }")]
#[case::claim_is_not_empty("claims = { subject = ['sub'] }", "claims = { subject = [] }")]
#[case::require_has_values("require = { a = ['b'] }", "require = { a = [] }")]
#[case::one_source_of_keys(
    "jwks = '{\"keys\":[]}'",
    "jwks = '{\"keys\":[]}'\njwks_url = 'https://idp/k'"
)]
#[case::keys_over_https("jwks_url = 'https://idp/k'", "jwks_url = 'http://idp/k'")]
#[case::keys_over_http_on_loopback(
    "jwks_url = 'http://127.0.0.1:1/k'",
    "jwks_url = 'http://127.0.0.1.example:1/k'"
)]
#[case::keys_over_http_when_allowed(
    "jwks_url = 'http://kong/k'\n[jwks]\nallow_http = true",
    "jwks_url = 'http://kong/k'"
)]
#[case::keys_without_user("jwks_url = 'https://idp/k'", "jwks_url = 'https://u:p@idp/k'")]
#[case::keys_are_a_jwk_set("jwks = { keys = [] }", "jwks = { key = [] }")]
#[case::algorithm_is_asymmetric("algorithms = ['PS512']", "algorithms = ['HS512']")]
#[case::algorithm_is_exact("algorithms = ['EdDSA']", "algorithms = ['EDDSA']")]
#[case::at_least_one_algorithm("algorithms = ['ES384']", "algorithms = []")]
#[case::token_type_is_known("token_type = 'at+jwt'", "token_type = 'dpop+jwt'")]
#[case::dpop_mode_is_known("dpop = 'required'", "dpop = 'on'")]
#[case::use_is_known("use = 'credential'", "use = 'id'")]
#[case::required_claim_is_a_name("required_claims = ['email']", "required_claims = ['/email']")]
fn an_issuer_key(#[case] inside: &str, #[case] outside: &str) {
    check(&issuer_text(inside), &issuer_text(outside));
}

#[rstest]
#[case::audiences_are_required("issuer = 'https://a'\naudiences = ['x']", "issuer = 'https://a'")]
#[case::audiences_are_not_empty(
    "issuer = 'https://a'\naudiences = ['*']",
    "issuer = 'https://a'\naudiences = []"
)]
#[case::wildcard_is_the_only_audience(
    "issuer = 'https://a'\naudiences = '*'",
    "issuer = 'https://a'\naudiences = ['*', 'x']"
)]
#[case::issuer_is_required("issuer = 'https://a'\naudiences = ['x']", "audiences = ['x']")]
#[case::issuer_without_query(
    "issuer = 'https://a/'\naudiences = ['x']",
    "issuer = 'https://a/?x'\naudiences = ['x']"
)]
#[case::issuer_without_user(
    "issuer = 'https://a'\naudiences = ['x']",
    "issuer = 'https://u:p@a'\naudiences = ['x']"
)]
#[case::discovery_needs_a_url(
    "issuer = 'a'\naudiences = ['x']\njwks_url = 'https://a/k'",
    "issuer = 'a'\naudiences = ['x']"
)]
#[case::discovery_over_https(
    "issuer = 'http://localhost:1'\naudiences = ['x']",
    "issuer = 'http://idp'\naudiences = ['x']"
)]
fn an_issuer(#[case] inside: &str, #[case] outside: &str) {
    check(
        &format!("[issuers.a]\n{inside}"),
        &format!("[issuers.a]\n{outside}"),
    );
}

#[test]
fn an_issuer_name_is_usable_in_a_variable() {
    check(
        &issuer_text("").replace("idp]", "my_idp2]"),
        &issuer_text("").replace("idp]", "my-idp]"),
    );
}

#[test]
fn an_accepted_issuer_is_unique() {
    let other = issuer_text("").replace("idp]", "other]");
    let different = other.replace("idp.example", "other.example");
    check(
        &format!("{}\n{different}", issuer_text("")),
        &format!("{}\n{other}", issuer_text("")),
    );
}

#[test]
fn a_vault_key_has_32_bytes_and_a_unique_id() {
    let keys = |list: &str| format!("[vault]\nkeys = [{list}]");
    check(&keys(&format!("'k1:{KEY}'")), &keys("'k1:c2hvcnQ='"));
    check(
        &keys(&format!("'a:{KEY}', 'b:{KEY}'")),
        &keys(&format!("'a:{KEY}', 'a:{KEY}'")),
    );
}

#[test]
fn a_ca_file_must_exist() {
    check(
        "[jwks]\nca_file = 'Cargo.toml'",
        "[jwks]\nca_file = 'no/such.pem'",
    );
    check("[jwks]\nca_file = ''", "[jwks]\nca_file = 'src'");
}
