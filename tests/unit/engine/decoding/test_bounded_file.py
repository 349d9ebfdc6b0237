"""A file is read in a bounded number of pieces."""

import io

import pytest

from image_processor.engine.decoding import bounded_file
from image_processor.engine.decoding.bounded_file import BoundedFile
from image_processor.errors import SourceTooLarge


def test_one_read_more_than_allowed_is_refused(monkeypatch):
    monkeypatch.setattr(bounded_file, "MAX_READS", 3)
    file = BoundedFile(io.BytesIO(b"abcdef"))

    assert [file.read(1), file.read(2), file.read()] == [b"a", b"bc", b"def"]
    with pytest.raises(SourceTooLarge, match="too many pieces, allowed: 3 reads"):
        file.read(1)
