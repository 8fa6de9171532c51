"""Takes the README's picture of the form that moves a holdout, on a Prefect server of its own. I/O.

Needs Debian's Chromium. Run `python docs/screenshots_prefect.py` in the checkout; it takes half a minute.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
from playwright.sync_api import Page, sync_playwright

from flows.local_server import clean_environment, local_server

HERE = Path(__file__).parent
FORM = "adjust-holdout/adjust-holdout"
COMMANDS = (("work-pool", "create", "holdouts", "--type", "process"), ("deploy", "--all", "--no-prompt"))


def main() -> None:
    """Deploys everything, fills the form in and writes the picture beside this file."""
    with TemporaryDirectory() as folder, local_server(Path(folder)) as api:
        environment = {**clean_environment(Path(folder)), "PREFECT_API_URL": api}
        for command in COMMANDS:
            subprocess.run(  # noqa: S603 - our own interpreter, no shell
                [sys.executable, "-m", "prefect", *command],
                cwd=HERE.parent,
                env=environment,
                check=True,
                stdout=subprocess.DEVNULL,
            )
        form = httpx.get(f"{api}/deployments/name/{FORM}").raise_for_status().json()["id"]
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox"]
            )
            page = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme="light")
            page.goto(f"{api.removesuffix('/api')}/v2/deployments/deployment/{form}/run")
            _fill_in(page)
            page.screenshot(path=HERE / "pictures" / "form-adjust-holdout.png", animations="disabled")
            browser.close()


def _fill_in(page: Page) -> None:
    page.get_by_text("Whose holdout to change").wait_for()
    page.get_by_label("reason").fill("measure it sooner, before Christmas")
    page.get_by_label("who").fill("Mia")
    page.get_by_label("percent").fill("20")
    page.get_by_label("audience").click()
    page.get_by_role("option", name="universal").wait_for()


if __name__ == "__main__":
    main()
