"""The URLs of pictures, signed as docs/urls.md describes it rather than by the code that checks them."""

import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from urllib.parse import quote

from .local import Answer, Stack


@dataclass(frozen=True)
class Author:
    """The author of a page's URLs, who has a key of the stack: the current one, unless another is given."""

    stack: Stack
    key: str = field(default="", repr=False)

    @property
    def current_key(self) -> str:
        secret = self.stack.outputs["SigningSecretArn"]
        key: str = self.stack.local.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"]
        return key

    def url(self, path: str, **parameters: object) -> str:
        """Return the signed URL of a decoded path."""
        given = {name: str(value) for name, value in parameters.items()}
        return f"{query_url(path, **given)}{'&' if given else '?'}sig={self.signature(path, given)}"

    def signature(self, path: str, parameters: dict[str, str]) -> str:
        text = f"{path}?" + "&".join(f"{name}={parameters[name]}" for name in sorted(parameters))
        digest = hmac.new((self.key or self.current_key).encode(), text.encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def query_url(path: str, **parameters: object) -> str:
    """Return the URL of a decoded path, unsigned."""
    query = "&".join(f"{quote(name, safe='')}={quote(str(value), safe='')}" for name, value in parameters.items())
    return quote(path, safe="/") + (f"?{query}" if query else "")


def made(answer: Answer) -> bool:
    """Whether the response is the function's: the bucket's have no Server-Timing."""
    return "server-timing" in answer.headers


def error_of(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.json["error"]["code"]
