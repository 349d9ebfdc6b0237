"""The AWS services behind the protocols of `publishing.ports`: one module for each service."""
