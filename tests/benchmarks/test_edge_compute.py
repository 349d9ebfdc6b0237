"""The edge function stays within the compute that CloudFront allows, by its ratio to a known function's work."""

import shutil

import pytest

from . import edge_compute

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("njs"), reason=edge_compute.MISSING),
]


def test_the_edge_function_takes_no_more_work_than_it_may():
    measured = edge_compute.ratios(edge_compute.codes())

    for code, found in measured.items():
        assert all(found[case] <= limit for case, limit in edge_compute.LIMITS.items()), (code, found)


def test_a_table_that_is_built_for_each_request_is_noticed():
    [source, _] = edge_compute.codes().values()
    table = "const TABLE = [" + ", ".join(f"{{name: 'option{n}', least: {n}}}" for n in range(100)) + "];\n"

    assert edge_compute.ratios({"with a table": table + source})["with a table"]["no query"] > 0.6
