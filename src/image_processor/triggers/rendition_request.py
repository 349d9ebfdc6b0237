"""The request for a rendition: what a viewer requests from CloudFront, and CloudFront from the Function URL.

The path names the rendition. The header `x-image-request` has the URL as its author wrote it, which is what a
signature covers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

from image_processor.errors import InvalidRequest, InvalidTransformation, RouteNotFound, shown
from image_processor.transformations.transformation import Transformation
from image_processor.transformations.url_options import resolutions
from image_processor.urls.paths import split_path
from image_processor.urls.signatures import EXPIRY, UNSIGNED

WRITTEN: Final = "x-image-request"  # header by the edge function: the URL as its author wrote it
_NOT_OPTIONS: Final = {EXPIRY, *UNSIGNED}
# Parameters of CloudFront's own signed URLs are not options. CloudFront removes them in a stack with a key group only.
_CLOUDFRONT: Final = {"expires", "policy", "signature", "key-pair-id", "hash-algorithm"}


@dataclass(frozen=True, slots=True)
class Request:
    """The requested rendition, and the URL as its author wrote it: whole, and as decoded path and parameters."""

    method: str
    key: str
    name: str
    transformation: Transformation
    headers: Mapping[str, str]
    url: str
    written: tuple[str, Mapping[str, str]] | None

    def is_named_by(self, path: str, parameters: Mapping[str, str], ladder: Sequence[int]) -> bool:
        """Whether this decoded path and these parameters name the rendition, or can be resolved to it."""
        options = {name: value for name, value in parameters.items() if name not in _NOT_OPTIONS}
        if options:
            return path == f"/{self.key}" and self.name in resolutions(options, ladder)
        # In release 1.0, the names of some positions had a space. The edge function replaces it.
        key, _, name = path.rpartition("/")
        return key == f"/{self.key}" and name.replace(" ", "-") == self.name


def method_of(event: Mapping[str, Any]) -> str:
    """The HTTP method of a Function URL's event."""
    return str(event["requestContext"]["http"].get("method"))


def parse_request(event: Mapping[str, Any], variants: Mapping[str, Transformation]) -> Request:
    """Read the event of a Function URL; raises `RouteNotFound`, `InvalidRequest` or `InvalidTransformation`."""
    method = method_of(event)
    if method not in ("GET", "HEAD"):
        raise RouteNotFound(f"there is no {method} of a picture; there are GET and HEAD")
    # The edge function writes paths that need no percent-encoding. What encodes them on the way changes nothing.
    found = split_path(_decoded(event["rawPath"]).removeprefix("/"))
    if found is None:
        raise RouteNotFound("there is no picture here; one is at /SOURCE-KEY/VARIANT, or at /SOURCE-KEY?OPTIONS")
    key, name = found
    headers = {header.lower(): value for header, value in (event.get("headers") or {}).items()}
    url = headers.get(WRITTEN, "")
    path, mark, query = url.partition("?")
    pairs = parse_qsl(query, keep_blank_values=True)
    parameters = {name: value for name, value in pairs if name.lower() not in _CLOUDFRONT}
    return Request(
        method=method,
        key=key,
        name=name,
        transformation=variants.get(name) or _transformation(name, variants),
        headers=headers,
        url=url or event["rawPath"],
        written=(_decoded(path), parameters) if mark else None,
    )


def _decoded(path: str) -> str:
    try:
        return unquote(path, errors="strict")
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"the path {shown(path)} is not UTF-8, encoded by %") from error


def _transformation(name: str, variants: Mapping[str, Transformation]) -> Transformation:
    if "=" not in name:
        raise RouteNotFound(f"there is no variant {shown(name)}; the variants are {', '.join(variants)}")
    transformation = Transformation.parse(name)
    if str(transformation) != name:
        raise InvalidTransformation(f"{shown(name)} is not in canonical form; write {transformation}")
    return transformation
