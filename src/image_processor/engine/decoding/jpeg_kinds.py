"""What a JPEG and a TIFF of JPEGs have in common: the kind that is refused, and the bound of their scans."""

from typing import Final

# No browser reads arithmetic coding, and it takes twenty times as long as Huffman coding (T.81, table B.1).
ARITHMETIC: Final = frozenset({0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})
ARITHMETIC_KIND: Final = "a JPEG with arithmetic coding"
# Scans × pixels. A scan costs 1.4 ms and more for each megapixel, even if it is empty: 2 to 4 s at this bound, which is
# 16 scans of 80 megapixels, or 106 of 12. Encoders make 3 to 12.
MAX_SCANNED: Final = 16 * 80_000_000
