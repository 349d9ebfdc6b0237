"""A web page in a real browser gets the picture that fits it, by the API's srcset or by a srcset written by hand."""

import http.server
import io
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from ..serving import serving
from .local import Stack, picture
from .urls import Author

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
in_chromium = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium; on Debian: apt install chromium")


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # Chromium's sandbox does not start for root, as which CI runs; the pages are these tests' own.
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("site")
    handler = partial(QuietHandler, directory=folder)
    with serving(http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)) as server:
        (folder / "address").write_text(f"http://127.0.0.1:{server.server_address[1]}")
        yield folder


class Viewer:
    """What a browser of this width shows of a page, and the responses it got."""

    def __init__(self, browser: Any, site: Path, html: str, width: int, dpr: int) -> None:
        (site / "page.html").write_text(f'<!doctype html><body style="margin: 0">{html}')
        page = browser.new_page(viewport={"width": width, "height": 500}, device_scale_factor=dpr)
        received = []
        page.on("response", lambda response: received.append(response) if "/page.html" not in response.url else None)
        page.goto(f"{(site / 'address').read_text()}/page.html", wait_until="networkidle")
        image = page.locator("img")
        self.shown_width = image.evaluate("image => image.naturalWidth && image.clientWidth")
        self.url = image.evaluate("image => image.currentSrc")
        [response] = [response for response in received if response.url == self.url]
        self.kind = response.headers["content-type"]
        self.width = Image.open(io.BytesIO(response.body())).width
        page.close()


@pytest.fixture(scope="module")
def srcset(stack: Stack) -> str:
    stack.upload("page/rio.jpg", picture(2400, 1600))
    answer = stack.post({"key": "page/rio.jpg"})
    assert answer.status == 200
    made: str = answer.json["srcset"]
    return made


@in_chromium
@pytest.mark.parametrize(("width", "dpr", "sent"), [(640, 1, 320), (1280, 1, 640), (640, 2, 640), (1280, 2, 1280)])
def test_a_page_with_the_ready_srcset_gets_avif_of_the_right_width(
    browser: Any, site: Path, srcset: str, width: int, dpr: int, sent: int
) -> None:
    viewer = Viewer(browser, site, f'<img sizes="50vw" srcset="{srcset}">'.replace("&", "&amp;"), width, dpr)

    assert (viewer.kind, viewer.width, viewer.shown_width) == ("image/avif", sent, width // 2)


@in_chromium
def test_a_page_with_a_picture_element_gets_the_source_that_it_names(browser: Any, site: Path, stack: Stack) -> None:
    stack.upload("page/art.jpg", picture(2400, 1600))
    author, base = Author(stack), stack.local.outputs["CdnUrl"]
    square = base + author.url("/page/art.jpg", width=300, height=300, format="webp")
    wide = ", ".join(
        base + author.url("/page/art.jpg", width=width, format="webp") + f" {width}w" for width in (500, 1000)
    )
    html = (
        f'<picture><source media="(max-width: 400px)" srcset="{square}"><img sizes="100vw" srcset="{wide}"></picture>'
    )

    small, large = (Viewer(browser, site, html.replace("&", "&amp;"), width, 1) for width in (300, 1000))

    assert (small.kind, small.width, small.shown_width) == ("image/webp", 300, 300)
    assert (large.kind, large.width, large.shown_width) == ("image/webp", 1000, 1000)


def test_a_viewer_that_takes_webp_alone_gets_that_by_the_same_url(stack: Stack, srcset: str) -> None:
    url = srcset.split(" ")[0].removeprefix(stack.local.outputs["CdnUrl"])

    answer = stack.ask(url, Accept="image/webp,*/*;q=0.8")

    assert (answer.status, answer.headers["content-type"], answer.image.width) == (200, "image/webp", 320)
