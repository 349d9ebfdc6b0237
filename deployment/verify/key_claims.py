"""Any key has its pictures, by a variant and by a signed size, whatever characters it has."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from bucket_listings import list_objects
from claims import Claim, Group, expect, expect_equal
from pictures import GREEN, plain, read_png

from image_processor.urls.paths import escape_key

if TYPE_CHECKING:
    from target import Target

WIDTH = 20
SAFE = re.compile(r"[A-Za-z0-9._~=,/-]+")
KEYS = {
    "space": ("spaces", "my cat.png"),
    "plus": ("a plus sign", "a+b.png"),
    "percent": ("a percent sign", "100%.png"),
    "encoded": ("percent-encoding in it", "a%20b%2Fc.png"),
    "umlaut": ("umlauts", "über/größe.png"),
    "emoji": ("Japanese and an emoji", "日本語 🐈.png"),
    "double-slash": ("two slashes", "a//b.png"),
    "dots": ("dots as in a relative path", "a/../b/./c.png"),
    "tilde": ("tildes", "~a~.png"),
    "parentheses": ("parentheses", "a (1).png"),
    "marks": ("other marks", "a!*',;:@$[x].png"),
    "question": ("marks of a query and a fragment", "what?&width=9#1.png"),
    "equals": ("the escape character of paths", "a=20b.png"),
    "nested": ("the name of a variant at its end", "nested.png/thumbnail"),
}


def served(target: Target, name: str) -> str:
    """Upload a source with this name, and request a variant and a size of it."""
    key = target.upload(f"keys/{name}", plain(60, 40, GREEN))
    target.until_served(target.variant_url(key))
    response, _ = target.until_served(target.signed_url(key, width=WIDTH, format="png"))
    expect_equal("width", read_png(response.body).width, target.rounded(WIDTH, source=60))
    again = target.get(target.signed_url(key, width=WIDTH, format="png"))
    expect_equal("the same picture again", (again.status, again.body == response.body), (200, True))
    return f"{name!r}: variant, and width={WIDTH} twice"


def safe_paths(target: Target) -> str:
    """Upload a source whose key needs percent-encoding, and look at the keys of all renditions of this run."""
    key = target.upload("keys/größe (1)+.png", plain(60, 40, GREEN))
    target.until_served(target.variant_url(key))
    paths = [item.key for item in list_objects(target.aws, target.processed_bucket, target.prefix)]
    unsafe = [path for path in paths if not SAFE.fullmatch(path)]
    expect(not unsafe, f"{len(unsafe)} need it, such as {unsafe[:1]}")
    wanted = f"{escape_key(key)}/{target.variants[0]}"
    expect(wanted in paths, f"there is no {wanted}")
    return f"{len(paths)} renditions, such as {wanted[len(target.prefix) :]}"


GROUP = Group(
    "Keys",
    (
        Claim("safe-paths", "No rendition's key needs percent-encoding", safe_paths, ("delivery", "public")),
        *(
            Claim(
                f"key-{name}", f"A key with {what} has its pictures", partial(served, name=key), ("delivery", "public")
            )
            for name, (what, key) in KEYS.items()
        ),
    ),
)
