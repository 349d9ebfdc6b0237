"""Settings: a valid environment is read whole; an invalid one is rejected with all its faults in one error."""

import re
from dataclasses import FrozenInstanceError

import pytest

from image_processor.config import Settings
from image_processor.engine.limits import Limits
from image_processor.errors import InvalidSettings
from image_processor.transformations.variants import parse_variants

ENVIRONMENT = {
    "UPLOAD_BUCKET": "uploads",
    "PROCESSED_BUCKET": "processed",
    "METADATA_TABLE": "records",
    "DISTRIBUTION_PARAMETER": "/stack/distribution",
    "VARIANTS": "thumbnail:width=128,height=128,fit=cover",
    "MAX_SOURCE_BYTES": "52428800",
    "MAX_SOURCE_PIXELS": "80000000",
    "CACHE_CONTROL": "public, max-age=300",
    "CORS_ORIGINS": "https://a.example, https://b.example",
    "SIGNING_SECRET": "arn:secret",
    "SIZE_LADDER": "640, 320",
    "ALLOW_UNSIGNED": "true",
    "FALLBACK_IMAGE": "missing.png",
}


def without(*names: str) -> dict[str, str]:
    return {name: value for name, value in ENVIRONMENT.items() if name not in names}


def test_a_valid_environment_is_read():
    assert Settings.from_environment(ENVIRONMENT) == Settings(
        upload_bucket="uploads",
        processed_bucket="processed",
        metadata_table="records",
        distribution_parameter="/stack/distribution",
        variants=parse_variants("thumbnail:width=128,height=128"),
        limits=Limits(max_bytes=52_428_800, max_pixels=80_000_000),
        cache_control="public, max-age=300",
        cors_origins=("https://a.example", "https://b.example"),
        signing_secret="arn:secret",  # noqa: S106 - the secret's name
        size_ladder=(320, 640),
        allow_unsigned=True,
        fallback_image="missing.png",
    )


def test_settings_are_immutable():
    with pytest.raises(FrozenInstanceError):
        Settings.from_environment(ENVIRONMENT).upload_bucket = "others"


def test_the_environment_of_the_process_is_read_by_default(monkeypatch):
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)

    assert Settings.from_environment() == Settings.from_environment(ENVIRONMENT)


@pytest.mark.parametrize("environment", [without("METADATA_TABLE"), {**ENVIRONMENT, "METADATA_TABLE": ""}])
def test_the_metadata_table_is_optional(environment):
    assert Settings.from_environment(environment).metadata_table is None


@pytest.mark.parametrize(
    "environment", [without("DISTRIBUTION_PARAMETER"), {**ENVIRONMENT, "DISTRIBUTION_PARAMETER": ""}]
)
def test_the_distribution_parameter_is_optional(environment):
    assert Settings.from_environment(environment).distribution_parameter is None


def test_signing_size_ladder_unsigned_urls_and_fallback_image_are_off_by_default():
    settings = Settings.from_environment(without("SIGNING_SECRET", "SIZE_LADDER", "ALLOW_UNSIGNED", "FALLBACK_IMAGE"))

    assert (settings.signing_secret, settings.size_ladder) == (None, ())
    assert (settings.allow_unsigned, settings.fallback_image) == (False, None)


@pytest.mark.parametrize(("name", "text"), [("SIZE_LADDER", "0"), ("SIZE_LADDER", "a"), ("ALLOW_UNSIGNED", "yes")])
def test_an_invalid_delivery_setting_is_named_in_the_error(name, text):
    with pytest.raises(InvalidSettings, match=name):
        Settings.from_environment({**ENVIRONMENT, name: text})


@pytest.mark.parametrize(
    ("text", "origins"),
    [("*", ("*",)), ("", ()), (",", ()), (" https://a.example ,", ("https://a.example",))],
)
def test_cors_origins_are_separated_by_commas(text, origins):
    assert Settings.from_environment({**ENVIRONMENT, "CORS_ORIGINS": text}).cors_origins == origins


def test_one_error_reports_every_invalid_setting():
    with pytest.raises(InvalidSettings) as caught:
        Settings.from_environment(
            {"VARIANTS": "thumbnail:width=0", "MAX_SOURCE_BYTES": "many", "MAX_SOURCE_PIXELS": "-1"}
        )

    assert str(caught.value).split("; ") == [
        "UPLOAD_BUCKET: is not set",
        "PROCESSED_BUCKET: is not set",
        "VARIANTS: variant thumbnail: option width: got '0', allowed: 1 to 8192",
        "MAX_SOURCE_BYTES: got 'many', allowed: a whole number from 1 to 5368709120",
        "MAX_SOURCE_PIXELS: got '-1', allowed: a whole number from 1 to 178956970",
        "CACHE_CONTROL: is not set",
    ]


@pytest.mark.parametrize(
    "name", ["UPLOAD_BUCKET", "PROCESSED_BUCKET", "VARIANTS", "MAX_SOURCE_BYTES", "MAX_SOURCE_PIXELS", "CACHE_CONTROL"]
)
@pytest.mark.parametrize("empty", [True, False])
def test_a_missing_setting_is_named_in_the_error(name, empty):
    environment = {**ENVIRONMENT, name: ""} if empty else without(name)

    with pytest.raises(InvalidSettings, match=f"^{name}: "):
        Settings.from_environment(environment)


@pytest.mark.parametrize(("name", "highest"), [("MAX_SOURCE_BYTES", 5 * 1024**3), ("MAX_SOURCE_PIXELS", 178_956_970)])
def test_a_limit_is_a_whole_number_within_its_range(name, highest):
    assert Settings.from_environment({**ENVIRONMENT, name: str(highest)})
    assert Settings.from_environment({**ENVIRONMENT, name: "1"})

    for invalid in ("0", str(highest + 1), "-5", "1.5", "1e6", " 5", "٣", "5_000", "0x10", "9" * 30):
        with pytest.raises(InvalidSettings, match=re.escape(f"allowed: a whole number from 1 to {highest}")):
            Settings.from_environment({**ENVIRONMENT, name: invalid})
