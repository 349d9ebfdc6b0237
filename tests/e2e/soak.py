"""Puts a thousand uploads through a stack on a separate local AWS, while storage fails and functions are killed.

make soak              1,000 uploads, one or two minutes
make soak UPLOADS=200  fewer, or more up to 5,000
"""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

from .load import load_stack, run
from .local import local_aws

MOST = 5_000
WITHIN = 900.0  # seconds


def main() -> None:
    """Run it, and print the outcome; an `AssertionError` names what is missing or wrong."""
    parser = argparse.ArgumentParser(description="a load for the whole, with faults")
    parser.add_argument("--uploads", type=int, default=1_000)
    count = min(parser.parse_args().uploads, MOST)
    print(f"Starting a local AWS for {count} uploads …", flush=True)
    with (
        TemporaryDirectory() as folder,
        local_aws(Path(folder) / "state", ENFORCE_IAM="true") as local,
        load_stack(local, visible_again=60) as (stack, proxy),
    ):
        print(run(stack, proxy, count, within=WITHIN))


if __name__ == "__main__":
    main()
