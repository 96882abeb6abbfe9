//! `bearward completions` and `bearward man`.

use crate::run;

#[test]
fn completions_of_each_shell_know_the_commands() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        run(&["completions", shell], &[]).expect(0, &["explain", "idp-bind", "effective"]);
    }
    run(&["completions", "tcl"], &[]).expect(2, &["bash", "zsh", "fish"]);
}

#[test]
fn bash_accepts_its_completions() {
    let script = run(&["completions", "bash"], &[]).stdout;
    let script = format!("{script}\ncomplete -p bearward");
    let output = std::process::Command::new("bash")
        .args(["-c", &script])
        .output();
    let Ok(output) = output else {
        eprintln!("skipped: bash is not installed");
        return;
    };
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn the_manual_page_contains_every_command() {
    let output = run(&["man"], &[]);
    output.expect(0, &[".TH bearward 1", "idp\\-bind", "SUPABASE_URL="]);
    for name in ["dev", "admin list", "vault rotate", "completions", "man"] {
        let heading = format!(".SH \"bearward {name}\"\n");
        assert!(output.stdout.contains(&heading), "{name}");
    }
}
