//! Verifying a token, rule by rule, statement by statement, attack by attack. The names of the
//! tests are the table of contents.
#![allow(
    clippy::unwrap_used,
    reason = "a test says by a panic that something is not as it says"
)]

mod stand;

mod rule_10_policy;
mod rule_2_size;
mod rule_3_token_cache;
mod rule_4_form;
mod rule_5_header;
mod rule_6_issuer;
mod rule_7_key;
mod rule_8_signature;
mod rule_9_claims;
mod rule_9_times;

mod rfc_7515_jws;
mod rfc_7517_jwk;
mod rfc_7518_jwa;
mod rfc_7519_jwt;
mod rfc_8725_best_practices;
mod rfc_9068_access_tokens;

mod attack_algorithm_confusion;
mod attack_degenerate_signatures;
mod attack_duplicate_members;
mod attack_encrypted_and_nested;
mod attack_exhaustion;
mod attack_foreign_keys;
mod attack_ignored_crit;
mod attack_issuer_confusion;
mod attack_kid_injection;
mod attack_numeric_dates;
mod attack_other_kinds_of_tokens;
mod attack_poisoned_key_sets;
mod attack_serialization_confusion;
mod attack_unsigned;
mod attack_weak_keys;

mod claim_mapping;
mod own_claims;

mod interop;
mod oracle;
mod properties;
