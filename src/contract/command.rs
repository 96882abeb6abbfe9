//! The command line that starts the target, where there is one.

#[cfg(unix)]
use super::process::Process;
use super::runner::ContractError;

/// The target's command, where there is one.
pub(super) struct Command(#[cfg(unix)] Option<Process>);

#[cfg(unix)]
impl Command {
    pub(super) fn start(line: Option<&str>, variables: &[(&str, String)]) -> Result<Self, ContractError> {
        let Some(line) = line else { return Ok(Self(None)) };
        Process::start(line, variables).map(|process| Self(Some(process))).map_err(ContractError::Start)
    }

    pub(super) fn ended(&mut self) -> Option<String> {
        self.0.as_mut().and_then(Process::ended)
    }

    pub(super) fn last_words(&self) -> String {
        let words = self.0.as_ref().map(Process::last_words).unwrap_or_default();
        if words.is_empty() { words } else { format!("it wrote last:\n{words}") }
    }
}

#[cfg(not(unix))]
impl Command {
    pub(super) fn start(line: Option<&str>, _variables: &[(&str, String)]) -> Result<Self, ContractError> {
        match line {
            None => Ok(Self()),
            Some(_) => Err(ContractError::Options("--start needs a Unix system; start the target beforehand".to_owned())),
        }
    }

    pub(super) fn ended(&mut self) -> Option<String> {
        None
    }

    pub(super) fn last_words(&self) -> String {
        String::new()
    }
}
