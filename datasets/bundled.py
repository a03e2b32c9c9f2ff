"""Small real datasets that come with scikit-learn: no download, predictions made when asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image
from sklearn import datasets as bundled
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from goldlabel.errors import InputError
from goldlabel.files import path_inside, replacing
from goldlabel.models.crossvalidation import crossval
from goldlabel.models.pipelines import embedding_pipeline, table_pipeline

__all__ = ["Sample", "load_sample", "write_csv", "write_digits"]

_LOADERS: dict[str, Callable[..., Any]] = {
    "breast_cancer": bundled.load_breast_cancer,
    "diabetes": bundled.load_diabetes,
    "digits": bundled.load_digits,
    "iris": bundled.load_iris,
    "wine": bundled.load_wine,
}

SIDE = 64
"""Pixels a side of the pictures that `write_digits` writes: 8 for each of the dataset's own."""


@dataclass(frozen=True, eq=False)
class Sample:
    """A small dataset with out-of-fold predictions.

    Attributes
    ----------
    name : str
    task : str
        "multiclass" or "regression".
    features : DataFrame of n rows
    labels : ndarray of shape (n,)
        Class names; float64 values for regression.
    classes : tuple of str, optional
        Class names in the order of the columns of `pred_probs`; None for regression.
    pred_probs : ndarray of shape (n, k), float64, optional
        Out-of-fold probabilities; None for regression.
    predictions : ndarray of shape (n,), float64, optional
        Out-of-fold predicted values; None for classes.
    """

    name: str
    task: str
    features: pd.DataFrame
    labels: npt.NDArray[Any]
    classes: tuple[str, ...] | None = None
    pred_probs: npt.NDArray[np.float64] | None = None
    predictions: npt.NDArray[np.float64] | None = None

    def __repr__(self) -> str:
        return f"<Sample: {self.name}, {self.task}, {len(self.labels)} examples>"


def load_sample(name: str, *, folds: int = 5, seed: int = 0) -> Sample:
    """Load a dataset of scikit-learn and predict it by cross-validation.

    Parameters
    ----------
    name : {"breast_cancer", "diabetes", "digits", "iris", "wine"}
        "diabetes" is regression, the others are multiclass.
    folds, seed : int
        As for `goldlabel.crossval`.

    Returns
    -------
    Sample
        Rows in scikit-learn's order.

    Raises
    ------
    InputError
        There is no such sample.

    Examples
    --------
    >>> wine = load_sample("wine")
    >>> wine, wine.classes, wine.pred_probs.shape
    (<Sample: wine, multiclass, 178 examples>, ('class_0', 'class_1', 'class_2'), (178, 3))
    """
    features, labels = _features_and_labels(name)
    if name == "diabetes":
        model = make_pipeline(StandardScaler(), RidgeCV(np.logspace(-1, 3, 9)))
        splitter = KFold(folds, shuffle=True, random_state=seed)
        predictions = cross_val_predict(model, features, labels, cv=splitter)
        return Sample(name, "regression", features, labels, predictions=predictions)
    chosen = embedding_pipeline() if name == "digits" else table_pipeline(features)
    pred_probs = crossval(chosen, features, labels, folds=folds, seed=seed)
    classes = tuple(np.unique(labels).tolist())
    return Sample(name, "multiclass", features, labels, classes, pred_probs)


def _features_and_labels(name: str) -> tuple[pd.DataFrame, npt.NDArray[Any]]:
    if name not in _LOADERS:
        raise InputError("name", f"is {name!r}", f"Use one of {', '.join(_LOADERS)}")
    bunch = _LOADERS[name](as_frame=True)
    if name == "diabetes":
        return bunch.data, bunch.target.to_numpy(np.float64)
    return bunch.data, np.asarray(bunch.target_names).astype(str)[bunch.target.to_numpy()]


def write_csv(name: str, path: str | Path) -> Path:
    """Write a sample as a CSV file: its features, and its labels in the last column.

    Parameters
    ----------
    name : str
        As for `load_sample`. The last column is "class"; "value" for "diabetes".
    path : path
        The file to write; one that is there is replaced.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    InputError
        There is no such sample, or `path` cannot be written.
    """
    features, labels = _features_and_labels(name)
    with replacing(path) as temporary:
        table = features.assign(**{"value" if name == "diabetes" else "class": labels})
        table.to_csv(temporary, index=False, lineterminator="\n")
    return Path(path)


def write_digits(folder: str | Path) -> tuple[Path, Path]:
    """Write scikit-learn's 1,797 handwritten digits as pictures in a folder for each class.

    Parameters
    ----------
    folder : path
        Made if it is missing. Gets ``images/DIGIT/ROW.png``, 64 x 64 grey pixels, ROW being the
        row in scikit-learn's dataset, and ``features.npy``, float32 of shape (1797, 64): the
        8 x 8 grey values, 0 to 16, a row for each picture in the order of their paths.

    Returns
    -------
    tuple of Path
        The folder of pictures, and the file of features.

    Raises
    ------
    InputError
        The folder cannot be written, or its ``images`` holds other files: as examples of the
        dataset they would be mixed with the digits.
    """
    digits = bundled.load_digits()
    images, features = Path(folder) / "images", Path(folder) / "features.npy"
    names = [f"{label}/{row:04d}.png" for row, label in enumerate(digits.target.tolist())]
    _refuse_strangers(images, set(names))
    for name, values in zip(names, digits.images, strict=True):
        grey = np.rint((16 - values) * (255 / 16)).astype(np.uint8)  # ink is dark, paper white
        picture = Image.fromarray(grey).resize((SIDE, SIDE), Image.Resampling.NEAREST)
        with replacing(path_inside(Path(folder), f"images/{name}")) as temporary:
            picture.save(temporary, format="PNG")
    order = np.argsort(names)
    with replacing(features) as temporary, open(temporary, "wb") as file:
        np.save(file, digits.data[order].astype(np.float32))
    return images, features


def _refuse_strangers(images: Path, names: set[str]) -> None:
    found = (path.relative_to(images).as_posix() for path in images.rglob("*") if path.is_file())
    strangers = sorted(set(found) - names)
    if strangers:
        raise InputError(
            str(images / strangers[0]),
            f"is none of the digits ({len(strangers)} such files)",
            "Name an empty folder",
        )
