"""Writes the results of a run to the result.json of a peer, and generates docs/contract-results.md and the table of docs/comparison.md from all of them.

    results.py [--keep] [PEER REPORT.json]

--keep writes nothing, and fails if the failed cases differ from those in result.json.

A case under "ours" in peer.json was reviewed by hand and is a fault of the suite: it is listed but not counted.
A case whose digest is under "withheld" is counted but not named, until its maintainers have been informed.
"""

import hashlib
import json
import pathlib
import re
import sys
from collections import Counter

HERE = pathlib.Path(__file__).resolve().parent
PAGE = HERE.parent.parent / "docs" / "contract-results.md"
COMPARISON = PAGE.with_name("comparison.md")
# What operators notice, and the cases that show it.
BEHAVIOURS = {
    "a rotated key works in the first request": ["key.rotation.same-request"],
    "known keys work while the IdP is down": ["outage.known-key", "outage.json-error", "outage.page", "outage.reset", "outage.refused"],
    "a hanging key endpoint delays no other request": ["slow.known-key", "slow.unknown-key"],
    "floods cause few fetches": ["flood.one-kid", "flood.many-kids", "herd.one-fetch"],
    "unusual keys in the set do no harm": ["jwks.neighbours", "key.rotation.unreadable-neighbours"],
    "a key may be published twice": ["jwks.twice"],
    "weak keys are refused": ["jwks.short-rsa", "key.rotation.exponent-of-one"],
}
# The groups that run only with an option, for servers that support what they are about.
OPTIONAL_GROUPS = {
    "dpop": "proofs of possession (DPoP, RFC 9449)",
    "mtls": "client certificates (RFC 8705)",
}
SEVERITIES = ["critical", "high", "medium", "low"]


def main(arguments: list[str]) -> int:
    keep = "--keep" in arguments
    arguments = [argument for argument in arguments if argument != "--keep"]
    if arguments:
        peer, report = arguments[0], json.loads(pathlib.Path(arguments[1]).read_text())
        if keep:
            return compare(peer, report)
        (HERE / peer / "result.json").write_text(json.dumps(result(peer, report), indent=2) + "\n")
        print(f"{peer}: {report['passed']} passed, {report['failed']} failed")
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page())
    before, _, after = COMPARISON.read_text().split("<!-- results -->\n")
    text = "<!-- results -->\n".join([before, comparison(), after])
    before, _, after = text.split("<!-- optional -->\n")
    COMPARISON.write_text("<!-- optional -->\n".join([before, optional_comparison(), after]))
    return 0


def result(peer: str, report: dict) -> dict:
    failed = [case for case in report["cases"] if case["outcome"] == "failed"]
    failed.sort(key=lambda case: SEVERITIES.index(case["severity"]))
    return {
        "quick": report["quick"],
        "passed": report["passed"],
        "skipped": report["skipped"],
        "failed": [named(peer, case) for case in failed],
        "optional": optional_groups(report),
    }


def optional_groups(report: dict) -> dict:
    """Returns how many cases of each optional group were passed and failed."""
    counts = {}
    for group in OPTIONAL_GROUPS:
        outcomes = Counter(case["outcome"] for case in report["cases"] if case["id"].startswith(group + "."))
        if outcomes["passed"] or outcomes["failed"]:
            counts[group] = {outcome: outcomes[outcome] for outcome in ("passed", "failed")}
    return counts


def named(peer: str, case: dict) -> dict:
    if is_withheld(peer, case):
        return {"id": "withheld", "severity": case["severity"], "title": "withheld", "got": "not yet published"}
    # The output of a process may contain local paths.
    return {name: case[name].split(" its last output:")[0].rstrip(";") for name in ("id", "severity", "title", "got")}


def is_withheld(peer: str, case: dict) -> bool:
    about = json.loads((HERE / peer / "peer.json").read_text())
    return hashlib.sha256(case["id"].encode()).hexdigest()[:16] in about.get("withheld", [])


def compare(peer: str, report: dict) -> int:
    """Compares only the cases of this run: a quick run has fewer."""
    ran = {case["id"] for case in report["cases"] if case["outcome"] != "skipped" and not is_withheld(peer, case)}
    now = {case["id"] for case in report["cases"] if case["outcome"] == "failed"} & ran
    then = {case["id"] for case in json.loads((HERE / peer / "result.json").read_text())["failed"]} & ran
    for case in sorted(now - then):
        print(f"{peer}: {case} fails, but passed when docs/contract-results.md was written")
    for case in sorted(then - now):
        print(f"{peer}: {case} passes, but failed when docs/contract-results.md was written")
    if now == then:
        print(f"{peer}: {len(ran)} cases, {len(now)} failed, as in docs/contract-results.md")
    return 0 if now == then else 1


def versions(peer: pathlib.Path) -> str:
    """Returns the direct dependencies of the server."""
    if (peer / "requirements.txt").exists():
        text = (peer / "requirements.txt").read_text().split("# Transitive dependencies")[0]
        found = re.findall(r"^([\w-]+)(?:\[\w+\])?==(\S+)", text, re.M)
    elif (peer / "package.json").exists():
        found = json.loads((peer / "package.json").read_text())["dependencies"].items()
    elif (peer / "go.mod").exists():
        direct = [line for line in (peer / "go.mod").read_text().splitlines() if "// indirect" not in line]
        found = re.findall(r"^(?:require)?\s+(\S+) v(\S+)$", "\n".join(direct), re.M)
        found = [(re.sub(r"/v\d+$", "", name).rsplit("/", 1)[-1], version) for name, version in found]
    elif (peer / "composer.json").exists():
        required = json.loads((peer / "composer.json").read_text())["require"]
        found = [(name.rsplit("/", 1)[-1], version) for name, version in required.items()]
    elif (peer / "pom.xml").exists():
        found = [("Spring Boot", re.search(r"<version>(\S+)</version>", (peer / "pom.xml").read_text())[1])]
    else:
        found = re.findall(r'^([\w-]+) = (?:\{ version = )?"=?([\d.]+)"', (peer / "Cargo.toml").read_text().split("[dependencies]")[1], re.M)
    return ", ".join(f"{name} {version}" for name, version in found)


def page() -> str:
    peers = [(path.parent, json.loads(path.read_text())) for path in sorted(HERE.glob("*/peer.json"))]
    peers = [(path, about, json.loads((path / "result.json").read_text())) for path, about in peers if (path / "result.json").exists()]
    lines = [
        "# Conformance suite: results of other servers",
        "",
        "Results of the conformance suite (`bearward contract`) for minimal servers, each written as the documentation of its packages shows, with issuer,",
        "audience and RS256 configured. The servers are in [`examples/contract`](../examples/contract); `examples/contract/run.sh` generates this page.",
        "The results apply to these servers and versions on one machine. The packages may behave differently with other settings.",
        "",
        "| server | packages | passed | critical | high | medium | low |",
        "|---|---|---|---|---|---|---|",
    ]
    for path, about, ran in peers:
        counts = [sum(case["severity"] == severity for case in ran["failed"] if case["id"] not in about.get("ours", {})) for severity in SEVERITIES]
        quick = " (quick)" if ran["quick"] else ""
        cells = [f"[{about['name']}](#{path.name})", versions(path), f"{ran['passed']}{quick}", *map(str, counts)]
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", "The columns after *passed* count the failed cases by severity. Skipped cases are not counted. Critical and high failures were reviewed by hand.", ""]
    for path, about, ran in peers:
        lines += [f'<a id="{path.name}"></a>', f"## {about['name']}", "", about["about"], ""]
        ours = [case for case in ran["failed"] if case["id"] in about.get("ours", {})]
        theirs = [case for case in ran["failed"] if case not in ours]
        if theirs:
            lines += ["| severity | case | what happens |", "|---|---|---|"]
        else:
            lines += ["All cases passed.", ""]
        rows: dict[tuple[str, str], list[str]] = {}
        for case in theirs:
            text = note(about["notes"], case) or f"{case['title']}: {case['got']}"
            rows.setdefault((case["severity"], text.replace("|", "\\|")), []).append(case["id"])
        lines += [f"| {severity} | {cases(ids)} | {text} |" for (severity, text), ids in rows.items()]
        if theirs:
            lines.append("")
        for case in ours:
            lines += [f"Not counted: `{case['id']}`. {about['ours'][case['id']]}", ""]
    return "\n".join(lines)


def comparison() -> str:
    """Returns a table of the servers and what failed of each behaviour."""
    lines = [f"| server | passed | failed | {' | '.join(BEHAVIOURS)} |", "|---" * (3 + len(BEHAVIOURS)) + "|"]
    for path in sorted(HERE.glob("*/result.json")):
        ran = json.loads(path.read_text())
        name = json.loads(path.with_name("peer.json").read_text())["name"]
        failed = {case["id"] for case in ran["failed"]}
        cells = ["✗" if failed.intersection(cases) else "" for cases in BEHAVIOURS.values()]
        lines.append(f"| [{name}](contract-results.md#{path.parent.name}) | {ran['passed']} | {len(failed)} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def optional_comparison() -> str:
    """Returns a table of the servers that were tested with optional groups."""
    lines = [f"| server | {' | '.join(OPTIONAL_GROUPS.values())} |", "|---" * (1 + len(OPTIONAL_GROUPS)) + "|"]
    for path in sorted(HERE.glob("*/result.json")):
        ran = json.loads(path.read_text())
        if not ran.get("optional"):
            continue
        name = json.loads(path.with_name("peer.json").read_text())["name"]
        cells = []
        for group in OPTIONAL_GROUPS:
            counts = ran["optional"].get(group)
            failed = [f"`{case['id']}`" for case in ran["failed"] if case["id"].startswith(group + ".")]
            cells.append("not tested" if counts is None else f"{counts['passed']} passed" + (f"; failed: {', '.join(failed)}" if failed else ""))
        lines.append(f"| [{name}](contract-results.md#{path.parent.name}) | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def note(notes: dict, case: dict) -> str | None:
    """Returns the note with the longest prefix of the case id, or else the note for its result."""
    matching = [prefix for prefix in notes if case["id"] == prefix or case["id"].startswith(prefix + ".")]
    return notes[max(matching, key=len)] if matching else notes.get(case["got"])


def cases(ids: list[str]) -> str:
    """Returns the ids, or a count per group if there are many."""
    if len(ids) <= 8:
        return ", ".join(f"`{case}`" for case in ids)
    groups = Counter(case.split(".")[0] for case in ids)
    return f"{len(ids)} cases: " + ", ".join(f"{count} of `{group}`" for group, count in groups.items())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
