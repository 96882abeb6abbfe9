//! Token verification: the ten verification rules, the requirements of the RFCs, and known attacks.
#![allow(clippy::unwrap_used, reason = "a failed setup fails the test")]

mod fixture;

mod rule_10_requirements;
mod rule_2_size;
mod rule_3_token_cache;
mod rule_4_format;
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
mod rfc_8705_client_certificates;
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
mod attack_poisoned_key_sets;
mod attack_serialization_confusion;
mod attack_token_substitution;
mod attack_unsigned;
mod attack_weak_keys;

mod claim_mapping;
mod custom_claims;
mod provider_hints;
mod provider_rules;

mod revocation;
mod revocation_source;

mod interop;
mod logout_tokens;
mod oracle;
mod properties;
