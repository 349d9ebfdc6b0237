"""The statistics of the benchmarks give known results."""

import io
from math import inf, isclose
from random import Random

import pytest
from PIL import Image

from . import latency
from .fidelity import psnr, references, truest
from .ratios import cut, paired_ratio


def flat(*samples: float, size: tuple[int, int] = (8, 8)) -> list[Image.Image]:
    return [Image.new("F", size, sample) for sample in samples]


def test_the_ratio_is_the_median_of_the_pairs_not_the_ratio_of_medians():
    ours, theirs = [1, 20, 30, 40, 50, 60, 70], [2, 10, 60, 80, 100, 20, 700]

    assert paired_ratio(ours, theirs).median == 0.5


def test_a_disturbance_that_falls_on_both_halves_of_a_pair_changes_nothing():
    calm, disturbed = [10.0] * 9, [10.0, 10, 80, 10, 35, 10, 10, 10, 500]

    assert paired_ratio([9 * time for time in disturbed], [10 * time for time in disturbed]) == paired_ratio(
        [9 * time for time in calm], [10 * time for time in calm]
    )


# Table of the sign test: the k-th smallest and k-th largest of n enclose the median with at least 95 %.
@pytest.mark.parametrize(("pairs", "rank"), [(6, 1), (8, 1), (9, 2), (11, 2), (12, 3), (15, 4), (20, 6), (25, 8)])
def test_the_interval_is_between_the_ranks_of_the_sign_test(pairs, rank):
    ratios = [float(number) for number in range(1, pairs + 1)]

    found = paired_ratio(ratios, [1.0] * pairs)

    assert (found.low, found.high) == (rank, pairs + 1 - rank)
    assert cut(pairs) == rank - 1


def test_the_interval_holds_the_true_median_as_often_as_it_says():
    dice = Random("intervals")  # noqa: S311 - no secret
    held = 0
    for _ in range(2000):
        found = paired_ratio([dice.lognormvariate(0, 0.5) for _ in range(15)], [1.0] * 15)  # its median is 1
        held += found.low <= 1 <= found.high

    assert 0.95 <= held / 2000 <= 0.98  # 0.965 for fifteen


def test_fewer_than_six_pairs_are_refused():
    with pytest.raises(ValueError, match="got 5 pairs"):
        paired_ratio([1.0] * 5, [1.0] * 5)


def test_unpaired_times_are_refused():
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        paired_ratio([1.0] * 7, [1.0] * 6)


@pytest.mark.parametrize(
    ("off", "decibels"), [(255, 0), (25.5, 20), (2.55, 40), (1, 48.1308), (0.5, 54.1514), (0.255, 60)]
)
def test_decibels_of_a_constant_error_are_those_of_the_formula(off, decibels):
    assert isclose(psnr(flat(off, off, off), flat(0, 0, 0)), decibels, abs_tol=0.001)


def test_an_error_in_one_channel_counts_for_a_third():
    assert isclose(psnr(flat(3, 0, 0), flat(0, 0, 0)), 43.3596, abs_tol=0.001)  # the mean of the squares is 3


def test_one_wrong_pixel_counts_by_its_share():
    wrong = flat(0, 0, 0, size=(100, 100))
    for channel in wrong:
        channel.putpixel((37, 91), 255)

    assert isclose(psnr(wrong, flat(0, 0, 0, size=(100, 100))), 40, abs_tol=0.001)


def test_the_same_picture_is_infinitely_true():
    assert psnr(flat(1, 2, 3), flat(1, 2, 3)) == inf


def as_png(channels: list[Image.Image]) -> bytes:
    body = io.BytesIO()
    Image.merge("RGB", [channel.convert("L") for channel in channels]).save(body, "png")
    return body.getvalue()


def slope(size: tuple[int, int]) -> list[Image.Image]:
    """Brighter by two with each pixel to the right."""
    row = Image.new("F", (size[0], 1))
    for x in range(size[0]):
        row.putpixel((x, 0), 2 * x)
    return [row.resize(size, Image.Resampling.NEAREST)] * 3


def test_a_cover_crop_is_compared_at_the_centre():
    [*_, middle, _, _, _, _] = references(slope((120, 40)), 1, 40, 40)

    assert middle[0].getpixel((0, 0)) == 80
    assert middle[0].getpixel((39, 39)) == 158


def test_a_crop_beside_the_centre_by_half_a_pixel_of_the_picture_is_as_true():
    rows = slope((120, 40))
    shifted = [row.crop((22, 0, 102, 40)).resize((20, 10), Image.Resampling.LANCZOS) for row in rows]

    wanted = references(rows, 1, 20, 10)

    assert truest(as_png(shifted), wanted) > 45
    assert truest(as_png(shifted), wanted[4:5]) < 45  # the centre alone


def test_a_turned_source_is_compared_upright():
    [picture] = references(slope((120, 40)), 6, 40, None)

    assert picture[0].size == (40, 120)
    assert picture[0].getpixel((20, 0)) < picture[0].getpixel((20, 119))


def test_a_picture_of_another_size_has_no_decibels():
    assert truest(as_png(flat(1, 1, 1, size=(8, 9))), [flat(1, 1, 1, size=(9, 8))]) == 0


def test_a_redirect_takes_the_time_of_both_its_requests():
    times = {"stored": [3.0, 5, 4], "made": [90.0, 80, 100], "redirect": [300.0, 310, 500], "large": [9.0, 5, 7]}

    said = latency.table({"times": times, "steps": {"find": [4, 5, 6], "render": [60, 61, 59]}, "bytes": 5_080_000})

    stored, first, large = said.splitlines()[2:5]
    assert stored == "| stored, from the bucket | 4.0 ms | 4.9 ms |  |"
    assert first == "| first request, 300 px of a 12-megapixel JPEG | 90.0 ms | 99.0 ms | find 5, render 60 |"
    assert large.startswith("| first request, 5.1 MB, by way of a redirect | 315.0 ms | 487.8 ms |")
    assert "until the redirect 310, the picture 7" in large
