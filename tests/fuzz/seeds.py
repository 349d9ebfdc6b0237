"""The seeds of the fuzzer: small files that together hold every kind of part, made here."""

import io
from hashlib import shake_256

import pillow_heif
from PIL import Image

SIDES = (16, 12)


def encoded(image: Image.Image, image_format: str, **options) -> bytes:
    body = io.BytesIO()
    image.save(body, image_format, **options)
    return body.getvalue()


def heic(images: list[Image.Image], **options) -> bytes:
    file, body = pillow_heif.HeifFile(), io.BytesIO()
    for image in images:
        file.add_from_pillow(image)
    file.save(body, **options)
    return body.getvalue()


def noise(mode: str, seed: str = "") -> Image.Image:
    bands = len(Image.new(mode, (1, 1)).getbands())
    return Image.frombytes(mode, SIDES, shake_256(seed.encode()).digest(SIDES[0] * SIDES[1] * bands))


def exif() -> Image.Exif:
    data = Image.Exif()
    data[0x0112], data[0x010E] = 6, "a description"
    data.get_ifd(0x8825)[1] = "N"
    return data


def profile() -> bytes:
    from PIL import ImageCms

    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def sources() -> dict[str, bytes]:
    colour, alpha, grey, small = noise("RGB"), noise("RGBA"), noise("L"), Image.new("I;16", SIDES, 999)
    palette = colour.quantize(16)
    frames = {"save_all": True, "append_images": [noise("RGB", "second"), noise("RGB", "third")], "duration": 50}
    seeds = {
        "jpeg": encoded(colour, "jpeg", exif=exif(), icc_profile=profile(), comment="a comment"),
        "jpeg-progressive": encoded(colour, "jpeg", progressive=True),
        "jpeg-restarts": encoded(grey, "jpeg", restart_marker_blocks=1),
        "jpeg-cmyk": encoded(noise("CMYK"), "jpeg"),
        "jpeg-many": encoded(colour, "MPO", save_all=True, append_images=[noise("RGB", "second")]),
        "png": encoded(alpha, "png", exif=exif(), icc_profile=profile()),
        "png-palette": encoded(palette, "png", transparency=bytes(range(0, 160, 10)), bits=4),
        "png-grey16": encoded(small, "png"),
        "png-one": encoded(grey.convert("1"), "png"),
        "apng": encoded(colour, "png", **frames, loop=2, disposal=1, blend=1),
        "webp": encoded(alpha, "webp", exif=exif(), icc_profile=profile()),
        "webp-lossless": encoded(alpha, "webp", lossless=True),
        "webp-animated": encoded(colour, "webp", **frames),
        "gif": encoded(palette, "gif", transparency=3, comment=b"a comment", interlace=1),
        "gif-animated": encoded(colour, "gif", **frames, loop=0, disposal=2),
        "avif": encoded(colour, "avif", exif=exif(), icc_profile=profile()),
        "avif-alpha": encoded(alpha, "avif"),
        "avif-animated": encoded(colour, "avif", **frames),
        "tiff": encoded(colour, "tiff", tiffinfo={0x0112: 6}, icc_profile=profile()),
        "tiff-pages": encoded(grey, "tiff", save_all=True, append_images=[colour]),
        "tiff-big": encoded(grey, "tiff", big_tiff=True),
        "tiff-grey16": encoded(small, "tiff"),
        "bmp": encoded(colour, "bmp"),
        "bmp-palette": encoded(palette, "bmp"),
        "bmp-run-length": run_length(),
        "ico": encoded(alpha, "ico", sizes=[(16, 12), (8, 6)], bitmap_format="bmp"),
        "ico-png": encoded(alpha, "ico", sizes=[(16, 12)]),
        "ico-many": encoded(alpha, "ico", sizes=[(16, 12), (8, 6), (4, 3)], append_images=[noise("RGBA", "second")]),
        "jp2": encoded(colour, "JPEG2000", no_jp2=False),
        "jp2-alpha": encoded(alpha, "JPEG2000", no_jp2=False, num_resolutions=2),
        "jp2-lossy": encoded(colour, "JPEG2000", quality_layers=[20, 5], irreversible=True, progression="RPCL"),
        "jp2-grey16": encoded(small, "JPEG2000"),
        "j2k": encoded(grey, "JPEG2000", no_jp2=True, tile_size=(8, 8)),
        "j2k-large": encoded(Image.new("RGB", (500, 420), (9, 8, 7)), "JPEG2000", no_jp2=True, num_resolutions=5),
        "heic": heic([colour], exif=exif().tobytes(), icc_profile=profile()),
        "heic-alpha": heic([alpha], chroma=444),
        "heic-grey": heic([grey], quality=-1),
        "heic-tiles": heic([Image.new("RGB", (160, 96), (9, 8, 7))], tile_size=64),
        "heic-many": heic([colour, noise("RGB", "second")], primary_index=1, thumbnails=[8]),
    }
    for mode in ("L", "RGB", "RGBA", "P", "I;16"):  # large enough for the decoders other than Pillow's
        seeds[f"png-large-{mode}"] = encoded(Image.new(mode, (500, 420)), "png")
    seeds["webp-large"] = encoded(Image.new("RGBA", (500, 420), (9, 8, 7, 6)), "webp", lossless=True)
    seeds["webp-large-lossy"] = encoded(Image.new("RGB", (500, 420)), "webp")
    for compression in ("tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits", "zstd"):
        seeds[f"tiff-{compression}"] = encoded(colour, "tiff", compression=compression)
    return seeds | {"tiff-group4": encoded(grey.convert("1"), "tiff", compression="group4")}


def run_length() -> bytes:
    plain = encoded(Image.new("P", SIDES), "bmp")
    start = int.from_bytes(plain[10:14], "little")
    return plain[:30] + (1).to_bytes(4, "little") + plain[34:start] + (b"\x10\x01" + b"\0\0") * SIDES[1] + b"\0\x01"


def texts() -> dict[str, bytes]:
    """One of each option, as transformations are written."""
    from image_processor.transformations.options import OPTIONS

    whole = "width=300,height=200,fit=contain,position=right-top,format=webp,quality=80,background=#abc,enlarge=true"
    seeds = {"whole": whole.encode()}
    for option in OPTIONS:
        value = option.allowed.split(",")[0].split(" ")[0]
        seeds[option.name] = f"width=9,{option.name}={value}".encode()
    return seeds
