"""Photographs to tune on and photographs to look at: never the same ones."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

Image = pytest.importorskip("PIL.Image", reason="needs the [train] extra")

from accelsim.errors import UserError  # noqa: E402
from accelsim.training import photograph_pool as pool  # noqa: E402
from accelsim.training.photographs import FREE  # noqa: E402

INSTALLED = all(importlib.util.find_spec(p) for p in ("interior_photos", "skimage"))
with_models = pytest.mark.skipif(not INSTALLED, reason="needs `make models`")


@with_models
def test_no_photograph_is_on_both_sides() -> None:
    training, held_out = pool.training_files(), pool.held_out_files()
    assert (len(training), len(held_out)) == (39 - 8 + 5, 8 + 4)
    assert not set(training) & set(held_out)


@with_models
def test_photographs_of_shipped_traces_are_not_trained_on() -> None:
    assert not {f.name for f in pool.training_files()} & {name for name, _ in FREE.values()}


@with_models
def test_loaded_photographs_are_small_enough_to_hold_all() -> None:
    for image in pool.loaded(pool.held_out_files()[-4:]):
        assert image.mode == "RGB" and min(image.size) <= 512


def ramp(width: int, height: int) -> Image.Image:
    """Red grows from left to right, green from top to bottom, blue is 7."""
    red = np.broadcast_to(np.linspace(0, 255, width), (height, width))
    green = np.broadcast_to(np.linspace(0, 255, height)[:, None], (height, width))
    return Image.fromarray(np.stack([red, green, np.full_like(red, 7)], 2).astype(np.uint8))


def test_a_crop_is_a_part_of_the_photograph_mirrored_at_times() -> None:
    image, random = ramp(400, 300), np.random.default_rng(0)
    mirrored, shares = set(), []
    for _ in range(60):
        crop = pool.random_crop(image, 64, random)
        assert crop.shape == (3, 64, 64) and crop.dtype == np.uint8
        red, green, blue = crop.astype(int)
        assert (np.abs(blue - 7) <= 1).all()
        assert (np.diff(green, axis=0) >= 0).all()
        steps = np.diff(red, axis=1)
        assert (steps >= 0).all() or (steps <= 0).all()
        mirrored.add(bool((steps <= 0).all()))
        shares.append(np.ptp(red) / 255 * np.ptp(green) / 255)
    assert mirrored == {True, False}
    # The edges of a crop are half an output pixel inside it.
    assert min(shares) > 0.08 * 0.9 and max(shares) > 0.7


def test_crops_are_the_same_for_the_same_seed() -> None:
    images = [ramp(90, 60), ramp(60, 90)]
    first = pool.crops(images, 32, 3, seed=4)
    assert first.shape == (6, 3, 32, 32)
    np.testing.assert_array_equal(first, pool.crops(images, 32, 3, seed=4))
    assert (first != pool.crops(images, 32, 3, seed=5)).any()


def test_a_file_that_is_no_image_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"no image")
    with pytest.raises(UserError, match=r"a\.jpg.*not a readable image"):
        pool.loaded([tmp_path / "a.jpg"])
