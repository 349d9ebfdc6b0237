"""The bytes that items and frames of an AVIF or HEIC refer to are bounded, as often as they are referred to."""

import pytest

from image_processor.engine.decoding.heif.limits import read_items
from image_processor.engine.limits import Limits
from image_processor.engine.render import render
from image_processor.errors import SourceTooLarge
from image_processor.transformations.transformation import Transformation

from . import bmff, shared

BRANDS = [b"heic", b"avif"]


def bytes_of(source: bytes) -> int:
    """The bytes of the coded picture in a file of one."""
    return len(bmff.coded(source, 1, 1).data)


@pytest.mark.parametrize("brand", BRANDS)
def test_metadata_are_read(brand):
    [rendition] = render(shared.metadata(brand, 1, 50_000), [Transformation(width=8)])

    assert rendition.width == 8


@pytest.mark.parametrize("brand", BRANDS)
@pytest.mark.parametrize("kind", [b"Exif", b"mime", b"uri ", b"grid", b"iovl", b"tmap"])
def test_metadata_that_share_their_bytes_may_be_as_long_as_the_file(brand, kind):
    twice = shared.metadata(brand, 2, 50_000, kind)

    read_items(shared.metadata(brand, 1, 50_000, kind), Limits())
    with pytest.raises(SourceTooLarge, match=f"metadata have 100000 bytes in all, and the source has {len(twice)}"):
        read_items(twice, Limits())


@pytest.mark.parametrize("brand", BRANDS)
def test_metadata_count_for_each_picture_that_they_describe(brand):
    """But not for the tiles of a picture: some phones link the same Exif to all of them."""
    one, many = shared.described(brand, 1, 3, 5_000), shared.described(brand, 2, 3, 5_000)

    read_items(one, Limits())
    with pytest.raises(SourceTooLarge, match="metadata have 30000 bytes in all"):
        read_items(many, Limits())

    data = bytes(4) + b"MM\0*\0\0\0\x08" + bytes(5_000)
    tile = bmff.coded(shared.noisy(brand, 64), 64, 64)
    grid = bmff.derived(b"grid", 128, 64, bytes((0, 1, 0, 1)) + bytes((0, 0, 0, 128, 0, 0, 0, 64)))
    items = [grid, tile, tile, bmff.Coded(b"Exif", (), data)]
    described = bmff.refers(b"dimg", 1, [2, 3]) + bmff.refers(b"cdsc", 4, [1, 2, 3])
    read_items(shared.composed(brand, items, described), Limits())


@pytest.mark.parametrize("brand", BRANDS)
def test_the_bytes_of_a_tile_count_as_often_as_it_is_used(brand):
    tile = bmff.coded(shared.noisy(brand, 64), 64, 64)
    source = bmff.tiled(brand, tile, 3, 3, 192, 192)
    needed = 9 * len(tile.data) + 12  # the data of the grid

    read_items(source, Limits(max_bytes=needed))
    with pytest.raises(SourceTooLarge, match=f"pictures have {needed} bytes in all, allowed: {needed - 1}"):
        read_items(source, Limits(max_bytes=needed - 1))


@pytest.mark.parametrize("brand", BRANDS)
def test_the_bytes_of_alpha_count_too(brand):
    picture = bmff.coded(shared.noisy(brand, 64), 64, 64)
    source = bmff.with_alpha(brand, picture, picture)
    needed = 2 * len(picture.data)

    read_items(source, Limits(max_bytes=needed))
    with pytest.raises(SourceTooLarge, match=f"items have {needed} bytes in all, allowed: {needed - 1}"):
        read_items(source, Limits(max_bytes=needed - 1))


@pytest.mark.parametrize("brand", BRANDS)
def test_items_that_share_their_bytes_count_each(brand):
    length = bytes_of(shared.noisy(brand, 64))
    source = shared.tiles_of_items(brand, 2, 3, 64)
    needed = 6 * length + 12

    [rendition] = render(source, [Transformation(width=96)], Limits(max_bytes=needed))

    assert (rendition.width, rendition.height) == (96, 64)
    with pytest.raises(SourceTooLarge, match=f"items have {needed} bytes in all"):
        read_items(source, Limits(max_bytes=needed - 1))


def test_frames_that_share_their_bytes_count_each():
    source = shared.same_frames(20, 64)

    [rendition] = render(source, [Transformation(width=8, format="webp")])

    assert rendition.width == 8
    with pytest.raises(SourceTooLarge, match=f"frames have \\d+ bytes in all, allowed: {len(source)}"):
        read_items(source, Limits(max_bytes=len(source)))
