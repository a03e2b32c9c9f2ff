"""Pictures are opened on any number of threads, and bombs among them refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image

from goldlabel.errors import InputError, collected_warnings, warn
from goldlabel.formats.pictures import open_picture, picture_size


def test_threads_that_read_pictures_lose_no_warning_of_others(tmp_path):
    """Contexts of warnings that overlap would restore each other's filters."""
    for at in range(8):
        Image.new("L", (64, 64)).save(tmp_path / f"{at}.png")

    def read(at):
        with open_picture(tmp_path / f"{at % 8}.png") as image:
            return image.convert("RGB").size

    with collected_warnings() as messages:
        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(read, range(400))) == {(64, 64)}
        warn("labels: look odd.")
    assert messages == ["labels: look odd."]


def test_more_pixels_than_are_plausible(tmp_path, monkeypatch):
    Image.new("L", (30, 40)).save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with (
        pytest.raises(InputError, match="30 x 40 pixels are too many"),
        open_picture(tmp_path / "a.png"),
    ):
        pass
    assert picture_size(tmp_path / "a.png")[:2] == (30, 40)
