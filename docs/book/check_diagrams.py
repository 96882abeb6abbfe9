"""Checks in Chromium that Mermaid draws every diagram of a folder of HTML pages.

    docs/book/check_diagrams.py CHROMIUM FOLDER
"""

import pathlib
import subprocess
import sys
import tempfile


def rendered(chromium: str, page: pathlib.Path) -> str:
    with tempfile.TemporaryDirectory() as profile:
        options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}", "--virtual-time-budget=20000", "--dump-dom"]
        return subprocess.run([chromium, *options, page.as_uri()], check=True, capture_output=True, text=True, timeout=120).stdout


def main(chromium: str, folder: pathlib.Path) -> int:
    diagrams = 0
    failed = []
    for page in sorted(folder.rglob("*.html")):
        expected = page.read_text().count('class="language-mermaid"')
        if expected == 0 or page.name == "print.html":
            continue
        document = rendered(chromium, page)
        drawn = document.count('aria-roledescription="') - document.count('aria-roledescription="error"')
        diagrams += expected
        if drawn != expected:
            failed.append(f"{page.relative_to(folder)}: {drawn} of {expected} diagrams are drawn")
    print("\n".join(failed))
    print(f"{diagrams} diagrams, {len(failed)} pages with errors")
    return 1 if failed or diagrams == 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], pathlib.Path(sys.argv[2]).resolve()))
