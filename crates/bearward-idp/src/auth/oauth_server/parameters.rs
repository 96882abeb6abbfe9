//! The parameters of an OAuth request.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use url::form_urlencoded;

use super::error::OAuthError;

/// The parameters of a request. None is repeated, except `resource` (RFC 8707 §2).
#[derive(Debug, Default)]
pub(crate) struct Parameters {
    members: BTreeMap<String, String>,
    resources: Vec<String>,
}

impl Parameters {
    /// Parses a query string or a form body. A parameter without a value counts as absent (RFC 6749
    /// §3.1).
    ///
    /// # Errors
    /// `invalid_request` if a parameter is repeated.
    pub(crate) fn parse_form(text: &[u8]) -> Result<Self, OAuthError> {
        let mut parameters = Self::default();
        for (name, value) in form_urlencoded::parse(text) {
            parameters.insert(&name, &value)?;
        }
        Ok(parameters)
    }

    /// Parses a JSON body, which the hosted service accepts too.
    ///
    /// # Errors
    /// `invalid_request` if it is no object. Members that are no strings are ignored.
    pub(crate) fn parse_json(text: &[u8]) -> Result<Self, OAuthError> {
        let members: Map<String, Value> = serde_json::from_slice(text)
            .map_err(|_| OAuthError::invalid_request("Invalid JSON body"))?;
        let mut parameters = Self::default();
        for (name, value) in members {
            if let Value::String(value) = value {
                parameters.insert(&name, &value)?;
            }
        }
        Ok(parameters)
    }

    fn insert(&mut self, name: &str, value: &str) -> Result<(), OAuthError> {
        if value.is_empty() {
            return Ok(());
        }
        if name == "resource" {
            self.resources.push(value.to_owned());
            return Ok(());
        }
        match self.members.insert(name.to_owned(), value.to_owned()) {
            None => Ok(()),
            Some(_) => Err(OAuthError::invalid_request("A parameter is repeated")),
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.members.get(name).map(String::as_str)
    }

    /// Returns the resource that the token is for.
    ///
    /// # Errors
    /// `invalid_target` for several resources, and for one that is not an absolute URI without
    /// fragment and query (RFC 8707 §2, as the hosted service).
    pub(crate) fn resource(&self) -> Result<Option<&str>, OAuthError> {
        let invalid = |description| Err(OAuthError::new("invalid_target", description));
        let resource = match self.resources.as_slice() {
            [] => return Ok(None),
            [resource] => resource,
            _ => return invalid("Only one resource is supported"),
        };
        let is_valid = resource.len() <= 2048
            && url::Url::parse(resource)
                .is_ok_and(|url| url.fragment().is_none() && url.query().is_none());
        if is_valid {
            Ok(Some(resource))
        } else {
            invalid("resource must be an absolute URI without fragment and query")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_parameters_are_rejected() {
        let repeated = Parameters::parse_form(b"state=a&state=b").unwrap_err();
        assert_eq!(repeated.error, "invalid_request");
        let parameters = Parameters::parse_form(b"state=&state=b+c&scope=").unwrap();
        assert_eq!(
            (parameters.get("state"), parameters.get("scope")),
            (Some("b c"), None)
        );
    }

    #[test]
    fn one_absolute_resource_is_accepted() {
        let resource = |text: &str| {
            Parameters::parse_form(text.as_bytes())
                .unwrap()
                .resource()
                .map(|resource| resource.map(ToOwned::to_owned))
        };
        assert_eq!(resource("a=b"), Ok(None));
        assert_eq!(
            resource("resource=https://mcp.example/mcp"),
            Ok(Some("https://mcp.example/mcp".to_owned()))
        );
        for text in [
            "resource=/mcp",
            "resource=https://a.example/%23x",
            "resource=https://a.example/?x",
            "resource=https://a.example&resource=https://b.example",
        ] {
            assert_eq!(
                resource(text).unwrap_err().error,
                "invalid_target",
                "{text}"
            );
        }
    }
}
