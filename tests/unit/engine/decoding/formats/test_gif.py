"""A GIF is bounded in blocks."""

import pytest
from PIL import Image

from image_processor.errors import SourceTooLarge

from ....pictures import encode, make


def test_a_gif_is_bounded_in_blocks(monkeypatch):
    monkeypatch.setattr("image_processor.engine.decoding.formats.gif_frames.MAX_BLOCKS", 50)
    gif = encode(Image.new("P", (8, 8)), "gif")

    make(gif[:-1] + b"!\xfe" + b"\x01a" * 40 + b"\0;", "width=8,format=gif")
    for piece in (b"\x01a", b"\0!\xfe\x01a"):
        with pytest.raises(SourceTooLarge, match="too many pieces, allowed: 50 blocks"):
            make(gif[:-1] + b"!\xfe" + piece * 60 + b"\0;", "width=8,format=gif")
