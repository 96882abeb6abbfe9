//! The statement that sets the role and the claims of a transaction.

use std::time::Duration;

/// The settings of a transaction.
#[derive(Debug)]
pub(super) struct Settings<'a> {
    pub(super) role: &'a str,
    pub(super) claims: String,
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) statement_timeout: Option<Duration>,
}

impl Settings<'_> {
    /// Returns a statement without parameters that sets everything until the end of the transaction.
    ///
    /// Every value is a base64 literal, so no byte of a value is SQL text: neither the encoding of
    /// the connection nor `standard_conforming_strings` changes what the statement means. All
    /// functions are qualified, so `search_path` does not either.
    pub(super) fn statement(&self) -> String {
        let mut sql = String::with_capacity(1024 + self.claims.len() * 4 / 3);
        sql.push_str("SELECT ");
        // Before the role, as PostgREST does: the login role may be the one that may set it.
        if let Some(limit) = self.statement_timeout {
            let milliseconds = limit.as_millis().clamp(1, i32::MAX as u128);
            push(&mut sql, "statement_timeout", &milliseconds.to_string());
            sql.push(',');
        }
        push(&mut sql, "role", self.role);
        sql.push(',');
        push(&mut sql, "request.jwt.claims", &self.claims);
        sql.push(',');
        push(&mut sql, "request.method", self.method);
        sql.push(',');
        push(&mut sql, "request.path", self.path);
        sql
    }
}

/// Appends a call that sets one setting locally. The value is not sent back: the encoding of the
/// connection may not have all its characters.
fn push(sql: &mut String, name: &'static str, value: &str) {
    sql.push_str("pg_catalog.set_config('");
    sql.push_str(name);
    sql.push_str("',");
    push_text(sql, value);
    sql.push_str(",true) IS NOT NULL");
}

/// Appends an expression whose value is this text.
pub(super) fn push_text(sql: &mut String, text: &str) {
    sql.push_str("pg_catalog.convert_from(pg_catalog.decode('");
    base64_simd::STANDARD.encode_append(text, sql);
    sql.push_str("','base64'),'UTF8')");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_byte_of_a_value_is_sql_text() {
        let hostile = "'; reset role; --\\'\0\u{1f600}$$";
        let settings = Settings {
            role: hostile,
            claims: hostile.repeat(300),
            method: hostile,
            path: hostile,
            statement_timeout: Some(Duration::ZERO),
        };
        let sql = settings.statement();
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "+/=_. ,()'-".contains(c);
        assert!(sql.chars().all(is_plain), "{sql}");
        assert!(!sql.contains("reset") && !sql.contains("--"));
        assert_eq!(sql.matches('\'').count(), 5 * 2 + 5 * 6);
    }
}
