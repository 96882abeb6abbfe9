"""Checks that the local links of a folder of HTML pages lead to files, and their fragments to elements.

    docs/book/check_links.py FOLDER
"""

import pathlib
import sys
import urllib.parse
from html.parser import HTMLParser


class Page(HTMLParser):
    def __init__(self, path: pathlib.Path):
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attributes: list) -> None:
        for name, value in attributes:
            if name in ("id", "name") and value:
                self.ids.add(value)
            elif name in ("href", "src") and value:
                self.links.append(value)


def main(folder: pathlib.Path) -> int:
    # Fragments of print.html are those of all pages, with numbers where they repeat.
    pages = {path: Page(path) for path in sorted(folder.rglob("*.html")) if path.name not in ("print.html", "404.html", "toc.html")}
    dead = []
    links = 0
    for path, page in pages.items():
        for link in page.links:
            url = urllib.parse.urlsplit(link)
            if url.scheme or url.netloc:
                continue
            links += 1
            target = (path.parent / urllib.parse.unquote(url.path)).resolve() if url.path else path
            if target.is_dir():
                target /= "index.html"
            fragment = urllib.parse.unquote(url.fragment)
            if not target.exists() or fragment and target in pages and fragment not in pages[target].ids:
                dead.append(f"{path.relative_to(folder)}: {link}")
    print("\n".join(dead))
    print(f"{len(pages)} pages, {links} local links, {len(dead)} dead")
    return 1 if dead else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve()))
