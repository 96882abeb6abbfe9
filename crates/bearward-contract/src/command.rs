//! The command line that starts the target, where there is one.

#[cfg(unix)]
use super::process::Process;
use super::runner::ContractError;

/// The target's command, where there is one.
pub(super) struct Command {
    line: Option<String>,
    variables: Vec<(&'static str, String)>,
    restarts: usize,
    #[cfg(unix)]
    process: Option<Process>,
}

/// A target that falls over a token is started again that often, so that a report names every such
/// token and still ends.
const RESTARTS: usize = 10;

impl Command {
    pub(super) fn start(
        line: Option<&str>,
        variables: Vec<(&'static str, String)>,
    ) -> Result<Self, ContractError> {
        let line = line.map(str::to_owned);
        #[cfg(not(unix))]
        if line.is_some() {
            return Err(ContractError::Options(
                "--start needs a Unix system; start the target beforehand".to_owned(),
            ));
        }
        let mut command = Self {
            line,
            variables,
            restarts: 0,
            #[cfg(unix)]
            process: None,
        };
        command.launch()?;
        Ok(command)
    }

    /// Starts it once more after it has ended; `false` where there is no command, or it has ended
    /// too often.
    pub(super) fn restart(&mut self) -> Result<bool, ContractError> {
        if self.line.is_none() || self.restarts == RESTARTS {
            return Ok(false);
        }
        self.restarts += 1;
        self.launch()?;
        Ok(true)
    }

    #[cfg(unix)]
    fn launch(&mut self) -> Result<(), ContractError> {
        if let Some(line) = &self.line {
            // What is left of the first one has to go before the second one wants its port.
            drop(self.process.take());
            self.process =
                Some(Process::start(line, &self.variables).map_err(ContractError::Start)?);
        }
        Ok(())
    }

    #[cfg(not(unix))]
    fn launch(&mut self) -> Result<(), ContractError> {
        Ok(())
    }

    /// How it ended, if it has.
    pub(super) fn ended(&mut self) -> Option<String> {
        #[cfg(unix)]
        return self.process.as_mut().and_then(Process::ended);
        #[cfg(not(unix))]
        None
    }

    /// What it wrote last.
    pub(super) fn last_words(&self) -> String {
        #[cfg(unix)]
        let words = self
            .process
            .as_ref()
            .map(Process::last_words)
            .unwrap_or_default();
        #[cfg(not(unix))]
        let words = String::new();
        if words.is_empty() {
            words
        } else {
            format!("it wrote last:\n{words}")
        }
    }
}
