"""Writes what a run said about a peer to its result.json, and docs/contract-results.md from all of them.

    results.py [--keep] [PEER REPORT.json]

--keep writes nothing, and fails where the run and result.json differ in which cases fail.

A case under "ours" in peer.json was looked at by hand, and is a mistake of the contract test: it is told, and not counted.
A case whose digest stands under "withheld" there is counted, and not named: its maintainers hear of it first.
"""

import hashlib
import json
import pathlib
import re
import sys
from collections import Counter

HERE = pathlib.Path(__file__).resolve().parent
PAGE = HERE.parent.parent / "docs" / "contract-results.md"
SEVERITIES = ["critical", "high", "medium", "low"]


def main(words: list[str]) -> int:
    keep = "--keep" in words
    words = [word for word in words if word != "--keep"]
    if words:
        peer, report = words[0], json.loads(pathlib.Path(words[1]).read_text())
        if keep:
            return compare(peer, report)
        (HERE / peer / "result.json").write_text(json.dumps(result(peer, report), indent=2) + "\n")
        print(f"{peer}: {report['passed']} passed, {report['failed']} failed")
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page())
    return 0


def result(peer: str, report: dict) -> dict:
    failed = [case for case in report["cases"] if case["outcome"] == "failed"]
    failed.sort(key=lambda case: SEVERITIES.index(case["severity"]))
    return {
        "quick": report["quick"],
        "passed": report["passed"],
        "skipped": report["skipped"],
        "failed": [named(peer, case) for case in failed],
    }


def named(peer: str, case: dict) -> dict:
    if is_withheld(peer, case):
        return {"id": "withheld", "severity": case["severity"], "title": "withheld", "got": "its maintainers hear of it first"}
    # What a process wrote last has paths of the machine in it.
    return {name: case[name].split(" it wrote last:")[0].rstrip(";") for name in ("id", "severity", "title", "got")}


def is_withheld(peer: str, case: dict) -> bool:
    about = json.loads((HERE / peer / "peer.json").read_text())
    return hashlib.sha256(case["id"].encode()).hexdigest()[:16] in about.get("withheld", [])


def compare(peer: str, report: dict) -> int:
    """Only among the cases of this run: a quick one has fewer."""
    ran = {case["id"] for case in report["cases"] if case["outcome"] != "skipped" and not is_withheld(peer, case)}
    now = {case["id"] for case in report["cases"] if case["outcome"] == "failed"} & ran
    then = {case["id"] for case in json.loads((HERE / peer / "result.json").read_text())["failed"]} & ran
    for case in sorted(now - then):
        print(f"{peer}: {case} fails, and held when docs/contract-results.md was written")
    for case in sorted(then - now):
        print(f"{peer}: {case} holds, and failed when docs/contract-results.md was written")
    if now == then:
        print(f"{peer}: {len(ran)} cases, of which {len(now)} fail, as docs/contract-results.md says")
    return 0 if now == then else 1


def versions(peer: pathlib.Path) -> str:
    """The packages that the server itself asks for."""
    if (peer / "requirements.txt").exists():
        text = (peer / "requirements.txt").read_text().split("# What these bring")[0]
        found = re.findall(r"^([\w-]+)(?:\[\w+\])?==(\S+)", text, re.M)
    elif (peer / "package.json").exists():
        found = json.loads((peer / "package.json").read_text())["dependencies"].items()
    else:
        found = re.findall(r'^([\w-]+) = (?:\{ version = )?"=?([\d.]+)"', (peer / "Cargo.toml").read_text().split("[dependencies]")[1], re.M)
    return ", ".join(f"{name} {version}" for name, version in found)


def page() -> str:
    peers = [(path.parent, json.loads(path.read_text())) for path in sorted(HERE.glob("*/peer.json"))]
    peers = [(path, about, json.loads((path / "result.json").read_text())) for path, about in peers if (path / "result.json").exists()]
    lines = [
        "# What the contract test says about other servers",
        "",
        "Small servers written the usual way, each as the documentation of its packages writes it, with issuer, audience and RS256 given. They are in",
        "[`examples/contract`](../examples/contract); `examples/contract/run.sh` wrote this page. It is about these few lines and these versions, on one",
        "machine, and not about what the packages can do when they are set up otherwise.",
        "",
        "| server | packages | passed | critical | high | medium | low |",
        "|---|---|---|---|---|---|---|",
    ]
    for path, about, ran in peers:
        counts = [sum(case["severity"] == severity for case in ran["failed"] if case["id"] not in about.get("ours", {})) for severity in SEVERITIES]
        quick = " (quick)" if ran["quick"] else ""
        cells = [f"[{about['name']}](#{path.name})", versions(path), f"{ran['passed']}{quick}", *map(str, counts)]
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", "Beside *passed* are the cases that do not hold, by severity. What was skipped counts nowhere. The critical and high ones were looked at by hand.", ""]
    for path, about, ran in peers:
        lines += [f'<a id="{path.name}"></a>', f"## {about['name']}", "", about["about"], ""]
        ours = [case for case in ran["failed"] if case["id"] in about.get("ours", {})]
        theirs = [case for case in ran["failed"] if case not in ours]
        if theirs:
            lines += ["| severity | case | what happens |", "|---|---|---|"]
        else:
            lines += ["Every case holds.", ""]
        rows: dict[tuple[str, str], list[str]] = {}
        for case in theirs:
            said = note(about["notes"], case) or f"{case['title']}: {case['got']}"
            rows.setdefault((case["severity"], said.replace("|", "\\|")), []).append(case["id"])
        lines += [f"| {severity} | {cases(ids)} | {said} |" for (severity, said), ids in rows.items()]
        if theirs:
            lines.append("")
        for case in ours:
            lines += [f"Not counted: `{case['id']}`. {about['ours'][case['id']]}", ""]
    return "\n".join(lines)


def note(notes: dict, case: dict) -> str | None:
    """The longest beginning of the case's id that has a note, or else what it got."""
    fitting = [begin for begin in notes if case["id"] == begin or case["id"].startswith(begin + ".")]
    return notes[max(fitting, key=len)] if fitting else notes.get(case["got"])


def cases(ids: list[str]) -> str:
    """The ids; of many that come of one thing, their groups."""
    if len(ids) <= 8:
        return ", ".join(f"`{case}`" for case in ids)
    groups = Counter(case.split(".")[0] for case in ids)
    return f"{len(ids)} cases: " + ", ".join(f"{count} of `{group}`" for group, count in groups.items())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
