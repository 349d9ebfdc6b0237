"""No rendition contains metadata of its source: location, camera, author, profile, comments."""

import struct
import zlib

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from image_processor.transformations.options import FORMATS

from ..pictures import decode, encode, make, photo
from ..profiles import DISPLAY_P3, rgb_profile

TELLTALE = "telltale-7f3a"
XMP = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF>{TELLTALE}</rdf:RDF></x:xmpmeta>'.encode()
PROFILE = rgb_profile(DISPLAY_P3, gamma=None)
TRACES = (
    TELLTALE.encode(),
    b"Exif",
    b"xmpmeta",
    b"ICC_PROFILE",
    b"acsp",
    b"Photoshop",
    b"tEXt",
    b"iTXt",
    b"zTXt",
    b"eXIf",
    b"iCCP",
)


def exif() -> Image.Exif:
    data = Image.Exif()
    data[0x010E] = data[0x010F] = data[0x013B] = TELLTALE  # description, maker, artist
    data.get_ifd(0x8769)[0x9286] = TELLTALE  # user comment
    data.get_ifd(0x8825).update({1: "N", 2: (47.0, 22.0, 33.0), 3: "E", 4: (8.0, 32.0, 30.0), 29: TELLTALE})  # GPS
    return data


def png_text() -> PngInfo:
    info = PngInfo()
    info.add_text("Author", TELLTALE)
    info.add_text("Comment", TELLTALE, zip=True)
    info.add_itxt("XML:com.adobe.xmp", XMP.decode())
    return info


def with_iptc(jpeg: bytes) -> bytes:
    block = b"Photoshop 3.0\0" + b"8BIM\x04\x04\0\0" + struct.pack(">I", len(TELLTALE)) + TELLTALE.encode()
    return jpeg[:2] + b"\xff\xed" + struct.pack(">H", len(block) + 2) + block + jpeg[2:]


def private_source(image_format: str, image: Image.Image) -> bytes:
    match image_format:
        case "jpeg":
            return with_iptc(
                encode(image, "jpeg", exif=exif(), xmp=XMP, comment=TELLTALE, icc_profile=PROFILE, dpi=(300, 300))
            )
        case "png":
            return encode(image, "png", exif=exif(), pnginfo=png_text(), icc_profile=PROFILE, dpi=(300, 300))
        case "webp" | "avif":
            return encode(image, image_format, exif=exif(), xmp=XMP, icc_profile=PROFILE)
        case "tiff":
            tags = {0x010E: TELLTALE, 0x013B: TELLTALE, 700: XMP}
            return encode(image, "tiff", tiffinfo=tags, icc_profile=PROFILE)
        case _:
            return encode(image, "gif", comment=TELLTALE.encode())


def assert_no_trace(body: bytes) -> None:
    found = [trace for trace in TRACES if trace in body]
    assert not found
    picture = decode(body)
    assert not {"exif", "xmp", "icc_profile", "comment", "dpi", "photoshop", "Author", "XML:com.adobe.xmp"} & set(
        picture.info
    )
    assert not picture.getexif()


@pytest.mark.parametrize("target", FORMATS)
@pytest.mark.parametrize("source_format", ["jpeg", "png", "webp", "avif", "tiff", "gif"])
@pytest.mark.parametrize(
    "transformation", ["", "width=16,", "width=16,height=20,fit=contain,"], ids=["whole", "resized", "letterboxed"]
)
def test_no_metadata_of_a_source_is_in_its_rendition(source_format, target, transformation):
    source = private_source(source_format, photo((48, 32)))
    assert TELLTALE.encode() in source

    rendition = make(source, f"{transformation}format={target}")

    assert_no_trace(rendition.body)


@pytest.mark.parametrize("target", FORMATS)
@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "1"])
def test_no_metadata_of_a_source_of_any_mode_is_in_its_rendition(mode, target):
    source = encode(photo((48, 32)).convert("RGBA").convert(mode), "png", exif=exif(), pnginfo=png_text())

    assert_no_trace(make(source, f"format={target}").body)


def test_a_png_has_only_the_chunks_that_a_picture_needs():
    body = make(private_source("png", photo((48, 32)).quantize(16)), "format=png").body

    names, offset = [], 8
    while offset < len(body):
        length, name = struct.unpack_from(">I4s", body, offset)
        checksum = struct.unpack_from(">I", body, offset + 8 + length)[0]
        assert zlib.crc32(body[offset + 4 : offset + 8 + length]) == checksum
        names.append(name)
        offset += 12 + length
    assert set(names) <= {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}


def test_bytes_after_the_end_of_a_jpeg_are_not_copied():
    source = encode(photo((48, 32)), "jpeg") + TELLTALE.encode()

    assert TELLTALE.encode() not in make(source, "quality=90").body
