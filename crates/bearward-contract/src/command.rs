//! Starts and restarts the target, if a command line is given.

use super::error::ContractError;
#[cfg(unix)]
use super::process::Process;

/// The command that runs the target, or nothing if the target is already running.
pub(super) struct Command {
    line: Option<String>,
    variables: Vec<(&'static str, String)>,
    restarts: usize,
    #[cfg(unix)]
    process: Option<Process>,
}

/// The maximum number of restarts of a target that crashes, so that a report lists all tokens that
/// crash it and the run still ends.
const MAX_RESTARTS: usize = 10;

impl Command {
    pub(super) fn start(
        line: Option<&str>,
        variables: Vec<(&'static str, String)>,
    ) -> Result<Self, ContractError> {
        let line = line.map(str::to_owned);
        #[cfg(not(unix))]
        if line.is_some() {
            return Err(ContractError::Options(
                "--start requires a Unix system; start the target before the run".to_owned(),
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

    /// Starts the command again after it exited.
    ///
    /// Returns `false` if there is no command, or if it exited too often.
    pub(super) fn restart(&mut self) -> Result<bool, ContractError> {
        if self.line.is_none() || self.restarts == MAX_RESTARTS {
            return Ok(false);
        }
        self.restarts += 1;
        self.launch()?;
        Ok(true)
    }

    #[cfg(unix)]
    fn launch(&mut self) -> Result<(), ContractError> {
        if let Some(line) = &self.line {
            // Child processes of the previous command may still use the port.
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

    /// Returns how the command exited, if it did.
    pub(super) fn exit_status(&mut self) -> Option<String> {
        #[cfg(unix)]
        return self.process.as_mut().and_then(Process::exit_status);
        #[cfg(not(unix))]
        None
    }

    /// Returns the last lines that the command wrote.
    pub(super) fn recent_output(&self) -> String {
        #[cfg(unix)]
        let lines = self
            .process
            .as_ref()
            .map(Process::recent_output)
            .unwrap_or_default();
        #[cfg(not(unix))]
        let lines = String::new();
        if lines.is_empty() {
            lines
        } else {
            format!("its last output:\n{lines}")
        }
    }
}
