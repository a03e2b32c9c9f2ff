import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.datasets import load_digits, load_wine

from goldlabel import InputError
from goldlabel.datasets import load_sample, write_csv, write_digits


@pytest.mark.parametrize(
    ("name", "n", "classes", "accuracy"),
    [
        ("digits", 1797, tuple("0123456789"), 0.95),
        ("wine", 178, ("class_0", "class_1", "class_2"), 0.97),
        ("breast_cancer", 569, ("benign", "malignant"), 0.96),
        ("iris", 150, ("setosa", "versicolor", "virginica"), 0.93),
    ],
)
def test_samples_come_with_good_predictions(name, n, classes, accuracy):
    sample = load_sample(name)
    assert sample.classes == classes
    assert sample.features.shape[0] == n
    assert sample.pred_probs.shape == (n, len(classes))
    np.testing.assert_allclose(sample.pred_probs.sum(axis=1), 1)
    predicted = np.array(classes)[sample.pred_probs.argmax(axis=1)]
    assert (predicted == sample.labels).mean() > accuracy
    assert sample.predictions is None


def test_regression_sample():
    sample = load_sample("diabetes", seed=1)
    assert sample.task == "regression"
    assert sample.classes is None
    assert sample.pred_probs is None
    unexplained = np.var(sample.labels - sample.predictions) / np.var(sample.labels)
    assert 0.4 < unexplained < 0.6  # R2 about 0.48


def test_names_are_checked():
    with pytest.raises(InputError, match=r"name: is 'mnist'.*digits"):
        load_sample("mnist")
    with pytest.raises(InputError, match="name"):
        write_csv("mnist", "x.csv")


def test_csv_holds_features_and_class(tmp_path):
    path = write_csv("wine", tmp_path / "wine.csv")
    frame = pd.read_csv(path)
    wine = load_wine(as_frame=True)
    assert list(frame.columns) == [*wine.data.columns, "class"]
    pd.testing.assert_frame_equal(frame[wine.data.columns], wine.data)
    assert frame["class"].tolist() == [f"class_{code}" for code in wine.target]
    assert pd.read_csv(write_csv("diabetes", tmp_path / "d.csv")).columns[-1] == "value"


def test_digits_as_pictures_with_their_features(tmp_path):
    images, features = write_digits(tmp_path / "new" / "digits")
    digits = load_digits()
    paths = sorted(path.relative_to(images).as_posix() for path in images.rglob("*.png"))
    assert len(paths) == 1797
    values = np.load(features, allow_pickle=False)
    assert values.dtype == np.float32
    assert values.shape == (1797, 64)
    for position, path in enumerate(paths):
        digit, _, name = path.partition("/")
        row = int(name.removesuffix(".png"))
        assert digits.target[row] == int(digit)
        np.testing.assert_array_equal(values[position], digits.data[row])
    with Image.open(images / paths[0]) as picture:
        assert (picture.mode, picture.size) == ("L", (64, 64))
        pixels = np.asarray(picture)
    row = int(paths[0][2:6])
    np.testing.assert_array_equal(pixels[::8, ::8], np.rint((16 - digits.images[row]) * 255 / 16))
    assert (pixels[::8] == pixels[7::8]).all()  # crisp: each of the 8 x 8 is one square


def test_digits_can_be_written_again_but_not_into_other_pictures(tmp_path):
    first = write_digits(tmp_path)
    before = first[1].read_bytes()
    assert write_digits(tmp_path) == first
    assert first[1].read_bytes() == before
    (tmp_path / "images" / "cat.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"cat.png: is none of the digits \(1 such"):
        write_digits(tmp_path)


def test_digits_where_a_file_is_in_the_way(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        write_digits(tmp_path / "file" / "digits")
