"""Copies the pages that SUMMARY.md lists to the source folder of a book.

    docs/book/pages.py FOLDER

Links between pages lead to their copies. Other links to files lead to the repository at $REPOSITORY, or lose their target without it.
"""

import os
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
LINK = re.compile(r"(?<!!)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)")


def main(folder: pathlib.Path) -> None:
    summary = (ROOT / "docs/book/SUMMARY.md").read_text()
    pages = {target: copy_name(target) for _, target in LINK.findall(summary)}
    for page, name in pages.items():
        text = (ROOT / page).read_text()
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(outside_of_code(text, lambda prose: rewrite(prose, page, pages)))
    (folder / "SUMMARY.md").write_text(LINK.sub(lambda link: f"[{link[1]}]({pages[link[2]]})", summary))


def copy_name(page: str) -> str:
    """docs/server.md becomes server.md, docs/adr/README.md becomes adr/index.md and deploy/README.md becomes deploy.md."""
    name = page.removeprefix("docs/")
    if name.endswith("/README.md") and name == page:
        return name.removesuffix("/README.md").replace("/", "-") + ".md"
    if name.endswith("README.md"):
        return name.removesuffix("README.md") + "index.md"
    return name


def outside_of_code(text: str, change) -> str:
    parts = re.split(r"(^```.*?^```$)", text, flags=re.M | re.S)
    return "".join(part if part.startswith("```") else change(part) for part in parts)


def rewrite(text: str, page: str, pages: dict[str, str]) -> str:
    def target(link: re.Match) -> str:
        label, url = link[1], link[2]
        if "://" in url or url.startswith(("#", "mailto:")):
            return link[0]
        path, _, anchor = url.partition("#")
        path = os.path.normpath(os.path.join(os.path.dirname(page), path))
        if not (ROOT / path).exists():
            raise SystemExit(f"{page}: {url} does not exist")
        if f"{path}/README.md" in pages:
            path = f"{path}/README.md"
        anchor = anchor and f"#{anchor}"
        if path in pages:
            return f"[{label}]({os.path.relpath(pages[path], os.path.dirname(pages[page]) or '.')}{anchor})"
        repository = os.environ.get("REPOSITORY")
        return f"[{label}]({repository}/blob/main/{path}{anchor})" if repository else label

    return LINK.sub(target, text)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
