"""Takes the README's pictures of the newest report that `make demo` left: desktop, phone and dark. I/O.

Needs Debian's Chromium. Run `python docs/screenshots.py [REPORT_FOLDER]`.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

HERE = Path(__file__).parent
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-sync",
)
PICTURES = (
    ("report-desktop.png", 1280, 900, "light"),
    ("report-dark.png", 1280, 900, "dark"),
    ("report-phone.png", 390, 844, "light"),
)


def main() -> None:
    """Writes the pictures beside this file."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "demo/report")
    page_file = max(folder.glob("2*/index.html")).resolve()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(FLAGS))
        for name, width, height, scheme in PICTURES:
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
            page.goto(page_file.as_uri())
            page.screenshot(path=HERE / "pictures" / name)
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
