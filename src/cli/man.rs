//! `bearward man`: prints a manual page of all commands.

use std::io;

use clap::Command;
use clap_mangen::Man;

use super::{Failure, stdout};

pub(super) const AFTER_HELP: &str = "\
Read it, or install it:
  bearward man | man -l -
  bearward man > /usr/local/share/man/man1/bearward.1";

pub(super) fn run() -> Result<(), Failure> {
    stdout::write(&render()?)
}

/// Renders one page: the program, then a section for each command.
fn render() -> io::Result<Vec<u8>> {
    let mut program = super::command().disable_help_subcommand(true);
    program.build();
    let mut page = Vec::new();
    let man = Man::new(program.clone());
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_options_section(&mut page)?;
    let mut examples = Vec::new();
    man.render_extra_section(&mut examples)?;
    append(&mut page, &examples);
    for command in program.get_subcommands() {
        render_command(command, &mut page)?;
    }
    Ok(page)
}

fn render_command(command: &Command, page: &mut Vec<u8>) -> io::Result<()> {
    let name = command.get_bin_name().unwrap_or(command.get_name());
    page.extend(format!(".SH {name:?}\n").into_bytes());
    let man = Man::new(command.clone());
    let mut sections = Vec::new();
    man.render_description_section(&mut sections)?;
    man.render_synopsis_section(&mut sections)?;
    man.render_options_section(&mut sections)?;
    if command.get_after_help().is_some() {
        man.render_extra_section(&mut sections)?;
    }
    append(page, &sections);
    for subcommand in command.get_subcommands() {
        render_command(subcommand, page)?;
    }
    Ok(())
}

/// Appends sections as subsections. The description follows its heading directly, and the text
/// after the options has no heading.
fn append(page: &mut Vec<u8>, sections: &[u8]) {
    let mut was_indented = false;
    for line in String::from_utf8_lossy(sections).lines() {
        let line = match line.strip_prefix(".SH ") {
            Some("DESCRIPTION") => continue,
            Some("EXTRA") => ".PP".to_owned(),
            Some(heading) => format!(".SS {heading}"),
            // The definition of an apostrophe is at the top of the page.
            None if line.starts_with(".ie ") || line.starts_with(".el ") => continue,
            None => line.to_owned(),
        };
        let is_indented = line.starts_with(' ');
        if was_indented && !is_indented && !line.is_empty() {
            page.extend(b".br\n");
        }
        was_indented = is_indented;
        page.extend(line.into_bytes());
        page.push(b'\n');
    }
}
