"""What follows an upload: renditions, records, and what is reported of a source that is no picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from claims import Claim, Group, expect, expect_equal
from pictures import BLUE, CAMERA, GREEN, PHOTO, PHOTO_SIZE, RED, WHITE, plain, read_png

if TYPE_CHECKING:
    from target import Target


def thumbnail(target: Target) -> str:
    """Upload a source, and request its first variant until it is there."""
    key = target.upload("thumbnail.png", plain(400, 300, RED))
    response, seconds = target.until_served(target.variant_url(key))
    return f"{target.variants[0]} after {seconds:.1f} s, {response.type}"


def rendered_by_queue(target: Target) -> str:
    """Upload a source, request nothing, and look into the bucket."""
    key = target.upload("queue.png", plain(400, 300, RED))
    wanted = set(target.variants)
    _, seconds = target.until(
        lambda: wanted <= target.stored(key).keys(),
        lambda: f"stored: {sorted(target.stored(key)) or 'nothing'}, instead of {sorted(wanted)}",
    )
    return f"{', '.join(target.variants)} after {seconds:.1f} s"


def upright(target: Target) -> str:
    """Compare the corners of a JPEG with EXIF orientation 6 with those of the picture as it was taken."""
    key = target.upload("photo.jpg", PHOTO)
    response, _ = target.until_served(target.signed_url(key, format="png"))
    seen = read_png(response.body)
    expect_equal("size", (seen.width, seen.height), PHOTO_SIZE)
    corners = {(0.2, 0.2): RED, (0.8, 0.2): GREEN, (0.2, 0.8): BLUE, (0.8, 0.8): WHITE}
    wrong = [
        seen.pixel(int(x * seen.width), int(y * seen.height)) for x, y in corners if not seen.is_at(corners[x, y], x, y)
    ]
    expect(not wrong, f"corners have other colours: {wrong}")
    return f"stored as 48×32 with orientation 6, served as {seen.width}×{seen.height}, all four corners in place"


def private(target: Target) -> str:
    """Look for the camera's name, which is in the source's EXIF data, in a rendition."""
    key = target.upload("private.jpg", PHOTO)
    response, _ = target.until_served(target.variant_url(key))
    expect(CAMERA in PHOTO, "the source has no camera's name")
    expect(CAMERA not in response.body, "the rendition has the camera's name")
    expect(b"Exif" not in response.body, "the rendition has EXIF data")
    return f"no EXIF data in {len(response.body):,} bytes of {response.type}"


def recorded(target: Target) -> str:
    """Compare the records of a source with the parameters."""
    key = target.upload("record.png", plain(400, 300, GREEN))
    records, seconds = target.until(
        lambda: found if len(found := target.records(key)) >= len(target.variants) else None,
        lambda: f"records: {len(target.records(key))}",
    )
    expect_equal("variants", sorted(record["variant"] for record in records), sorted(target.variants))
    for record in records:
        expect_equal("status", record["status"], "processed")
        expect_equal(
            "processed_file", record["processed_file"], f"s3://{target.processed_bucket}/{key}/{record['variant']}"
        )
        expect_equal("size of the source", (record["source_width"], record["source_height"]), ("400", "300"))
    first = records[0]
    return f"{first['variant']}, {first['width']}×{first['height']} {first['content_type']}, after {seconds:.1f} s"


def failure_recorded(target: Target) -> str:
    """Upload a text, and look at the records."""
    key = target.upload("text.jpg", b"this is not a picture")
    records, _ = target.until(lambda: target.records(key), lambda: "there is no record")
    expect_equal("status", records[0]["status"], "failed")
    expect_equal("error", records[0]["error_code"], "unsupported-format")
    return f"{records[0]['status']}: {records[0]['error_code']}"


def failure_answered(target: Target) -> str:
    """Request the variant of a text."""
    key = target.upload("text-2.jpg", b"this is not a picture")
    response = target.get(target.variant_url(key))
    expect_equal("response", (response.status, response.error), (415, "unsupported-format"))
    return f"{response.status} {response.error}"


GROUP = Group(
    "Uploads",
    (
        Claim("thumbnail", "An uploaded picture's variant is served", thumbnail, ("cdn", "public")),
        Claim("rendered-by-queue", "All variants are stored without any request", rendered_by_queue),
        Claim("upright", "A photo with an EXIF orientation is served upright", upright, ("delivery", "public")),
        Claim("private", "A rendition has no EXIF data", private, ("cdn", "public")),
        Claim("recorded", "The table has a record of each rendition", recorded, ("metadata",)),
        Claim("failure-recorded", "A source that is no picture is recorded as failed", failure_recorded, ("metadata",)),
        Claim("failure-answered", "… and its URL says so", failure_answered, ("delivery", "public")),
    ),
)
