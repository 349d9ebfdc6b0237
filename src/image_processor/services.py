"""The composition root: builds the AWS clients and the objects over them, once for each execution environment."""

from dataclasses import dataclass
from functools import cache, partial

import boto3

from image_processor.aws.clients import CONFIG
from image_processor.aws.cloudfront import CloudFrontInvalidations
from image_processor.aws.dynamodb import MetadataTable, NoTable
from image_processor.aws.parameter_store import Parameter
from image_processor.aws.s3 import RenditionBucket, SourceBucket
from image_processor.aws.secrets_manager import SigningKeys
from image_processor.config import Settings
from image_processor.publishing.pipeline import Pipeline
from image_processor.publishing.ports import Invalidations, NoInvalidations, Storage
from image_processor.triggers.fallback_image import FallbackImage
from image_processor.triggers.function_url import Delivery, NoKeys
from image_processor.triggers.rest_api import RestApi
from image_processor.urls.links import DEFAULT_LADDER, Links


@dataclass(frozen=True, slots=True)
class Services:
    """What one execution environment holds between invocations."""

    settings: Settings
    pipeline: Pipeline
    invalidations: Invalidations
    rest_api: RestApi
    delivery: Delivery


@cache
def services() -> Services:
    """Read the settings and open the clients, once, while Lambda starts the function; raises `InvalidSettings`."""
    settings = Settings.from_environment()
    s3 = boto3.client("s3", config=CONFIG)
    table = settings.metadata_table
    storage = Storage(
        SourceBucket(s3, settings.upload_bucket),
        RenditionBucket(s3, settings.processed_bucket, settings.cache_control),
        MetadataTable(boto3.client("dynamodb", config=CONFIG), table) if table else NoTable(),
        _invalidations(settings.distribution_parameter),
    )
    pipeline = Pipeline(storage, settings.variants, settings.limits)
    secret = settings.signing_secret
    keys = SigningKeys(partial(boto3.client, "secretsmanager", config=CONFIG), secret) if secret else None
    links = Links(keys.current, settings.size_ladder or DEFAULT_LADDER) if keys else None
    fallback = FallbackImage(pipeline, settings.fallback_image) if settings.fallback_image else None
    return Services(
        settings,
        pipeline,
        storage.invalidations,
        RestApi(pipeline, settings.upload_bucket, settings.cors_origins, links),
        Delivery(pipeline, keys or NoKeys(), settings.size_ladder, settings.allow_unsigned, fallback),
    )


def _invalidations(parameter: str | None) -> Invalidations:
    if not parameter:
        return NoInvalidations()
    # The two clients, 60 ms each, are opened at the first overwrite: most uploads need neither.
    distribution_id = Parameter(partial(boto3.client, "ssm", config=CONFIG), parameter)
    return CloudFrontInvalidations(partial(boto3.client, "cloudfront", config=CONFIG), distribution_id.value)
