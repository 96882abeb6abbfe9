//! The report as one page that fetches nothing, light or dark as its reader has it.

use std::fmt::Write;

use super::{Outcome, Report, Tested, junit::escaped};

const STYLE: &str = "\
:root{color-scheme:light dark;--bad:light-dark(#b3261e,#ff8a80);--good:light-dark(#1b6e3c,#7bd49a);--faint:light-dark(#5f6368,#9aa0a6);\
--line:light-dark(#dadce0,#3c4043);--card:light-dark(#f8f9fa,#202124);--page:light-dark(#fff,#17181a);--text:light-dark(#202124,#e8eaed)}\
*{box-sizing:border-box}body{margin:0 auto;max-width:72rem;padding:2rem 1rem;background:var(--page);color:var(--text);\
font:16px/1.5 system-ui,sans-serif}h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .5rem}code{font:13px/1.45 ui-monospace,\
monospace;overflow-wrap:anywhere}p{margin:.25rem 0}.faint{color:var(--faint)}.bad{color:var(--bad)}.good{color:var(--good)}\
.sum{display:flex;flex-wrap:wrap;gap:.75rem;margin:1rem 0}.sum div{border:1px solid var(--line);border-radius:8px;padding:.5rem 1rem;\
background:var(--card)}.sum b{display:block;font-size:1.5rem}details{border:1px solid var(--line);border-radius:8px;margin:.4rem 0;\
background:var(--card)}summary{cursor:pointer;padding:.4rem .75rem;display:flex;gap:.75rem;flex-wrap:wrap;align-items:baseline}\
summary span:nth-child(3){flex:1}details dl{display:grid;grid-template-columns:7rem 1fr;gap:.25rem .75rem;margin:0;padding:.25rem .75rem \
.75rem}dt{color:var(--faint)}dd{margin:0;overflow-wrap:anywhere}.tag{font-size:.8rem;border:1px solid currentColor;border-radius:99px;\
padding:0 .5rem;white-space:nowrap}.rest{background:none;padding:0 .4rem}.rest>summary{padding:.25rem}@media(max-width:40rem){details dl{grid-template-columns:1fr}}";

pub(super) fn report(report: &Report) -> String {
    let mut html = String::from("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">");
    let verdict = if report.is_sound() { "holds" } else { "does not hold" };
    let algorithms: Vec<&str> = report.algorithms.iter().map(|algorithm| algorithm.name()).collect();
    let _ = write!(
        html,
        "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>{}: bearward contract</title><style>{STYLE}</style>\
         </head><body><h1>The contract <span class=\"{}\">{verdict}</span></h1><p><code>{}</code></p><p class=\"faint\">issuer <code>{}</code> · \
         accepts {} · {}{} · {:.1} s</p><div class=\"sum\"><div class=\"good\"><b>{}</b>passed</div><div class=\"{}\"><b>{}</b>failed</div>\
         <div class=\"faint\"><b>{}</b>not applicable</div></div>",
        escaped(&report.summary()),
        if report.is_sound() { "good" } else { "bad" },
        escaped(&report.target),
        escaped(&report.issuer),
        algorithms.join(" "),
        if report.strict { "strict" } else { "default" },
        if report.quick { ", quick" } else { "" },
        report.took.as_secs_f64(),
        report.passed(),
        if report.is_sound() { "faint" } else { "bad" },
        report.failed(),
        report.skipped(),
    );
    for (group, results) in report.by_group() {
        let failed = results.iter().filter(|tested| tested.is_failed()).count();
        let count =
            if failed == 0 { format!("{} cases", results.len()) } else { format!("{failed} of {} failed", results.len()) };
        let class = if failed == 0 { "faint" } else { "bad" };
        let _ = write!(
            html,
            "<h2>{} <span class=\"{class}\">{count}</span></h2><p class=\"faint\">{}</p>",
            escaped(group.name),
            escaped(group.title)
        );
        let (failures, others): (Vec<&Tested>, Vec<&Tested>) = results.into_iter().partition(|tested| tested.is_failed());
        for tested in failures {
            case(&mut html, tested);
        }
        if !others.is_empty() {
            let held = others.iter().filter(|tested| !tested.is_skipped()).count();
            let _ = write!(
                html,
                "<details class=\"rest\"><summary class=\"faint\">{held} hold, {} not applicable</summary>",
                others.len() - held
            );
            for tested in others {
                case(&mut html, tested);
            }
            html.push_str("</details>");
        }
    }
    html.push_str("</body></html>\n");
    html
}

fn case(html: &mut String, tested: &Tested) {
    let (class, word, open) = match &tested.outcome {
        Outcome::Passed => ("good", "passed", ""),
        Outcome::Failed { .. } => ("bad", "failed", " open"),
        Outcome::Skipped { .. } => ("faint", "not applicable", ""),
    };
    let _ = write!(
        html,
        "<details{open}><summary><span class=\"{class} tag\">{word}</span><code>{}</code><span>{}</span><span class=\"faint tag\">{}</span>\
         </summary><dl>",
        escaped(tested.id),
        escaped(tested.title),
        tested.severity,
    );
    let mut row = |name: &str, value: &str| {
        if !value.is_empty() {
            let _ = write!(html, "<dt>{name}</dt><dd>{}</dd>", escaped(value));
        }
    };
    match &tested.outcome {
        Outcome::Passed => row("expected", tested.expected),
        Outcome::Failed { expected, got } => {
            row("expected", expected);
            row("got", got);
        }
        Outcome::Skipped { why } => row("because", why),
    }
    if !tested.request.is_empty() {
        let _ = write!(html, "<dt>sent</dt><dd><code>{}</code></dd>", escaped(&tested.request));
    }
    let mut row = |name: &str, value: &str| {
        if !value.is_empty() {
            let _ = write!(html, "<dt>{name}</dt><dd>{}</dd>", escaped(value));
        }
    };
    row("why", tested.why);
    row("see", tested.reference);
    if tested.is_failed() {
        row("hint", tested.hint);
    }
    html.push_str("</dl></details>");
}
