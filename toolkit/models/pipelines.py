"""Models for those who have none: scikit-learn pipelines chosen by the type of the columns.

All are regularised more than accuracy on clean labels would ask for. A model that bends to every
label it was given agrees with the wrong ones too, and cannot point at them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline, make_pipeline, make_union
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from goldlabel.errors import InputError, warn
from goldlabel.models.columns import (
    FEW,
    Kind,
    column_kind,
    date_parts,
    numbers,
    texts,
)
from goldlabel.typing import Floats

__all__ = [
    "embedding_pipeline",
    "embedding_regressor",
    "encoder",
    "table_pipeline",
    "table_regressor",
    "text_pipeline",
    "text_regressor",
]


SMALL = 1000
"""Below so many rows, a table gets a linear model."""

TERMS = 50_000
"""The most words, and the most pieces of words, that a text model looks at."""

WEIGHTS = 8_000_000
"""The most weights of a text model; fitting them takes about 25 times their 8 bytes."""

WORD = r"(?u)\w+|[^\w\s]"
"""A word of any length, or a sign: no text that holds anything is empty to the model."""


def text_pipeline(*, n_classes: int = 2) -> Pipeline:
    """Build a text classifier: TF-IDF of words and of pieces of words, logistic regression.

    Words and pairs of words catch topics; pieces of 2 to 5 characters catch endings, typing
    errors and languages without spaces. The most frequent 50,000 of each are looked at.

    Parameters
    ----------
    n_classes : int
        Number of classes, if it is known: above 80, fewer words are looked at, so that fitting
        stays below 2 GB.

    Returns
    -------
    sklearn.pipeline.Pipeline
        Fits a list, Series or array of texts, or a frame whose columns are joined by a space.
        A missing text is an empty one.

    Examples
    --------
    >>> model = text_pipeline().fit(["good film", "bad film", "good book", "bad book"], [1, 0] * 2)
    >>> model.predict(["a good day", "a bad day"]).tolist()
    [1, 0]
    """
    most = max(1, min(TERMS, WEIGHTS // (2 * n_classes)))
    # C = 1 found 15 % wrong labels in AG News better than 3, 5 or 10, which predict a little better
    # from clean ones; a tolerance of 1e-3 halves the time and changes neither.
    last = LogisticRegression(C=1.0, tol=1e-3, max_iter=1000)
    return make_pipeline(*_text_steps(most), last)


def text_regressor() -> Pipeline:
    """Build a model of values of texts: TF-IDF of words and of pieces of words, ridge.

    Returns
    -------
    sklearn.pipeline.Pipeline
        Fits what `text_pipeline` fits; looks at no label before its last step.
    """
    return make_pipeline(*_text_steps(TERMS), Ridge(alpha=1.0))


def _text_steps(most: int) -> tuple[Any, Any]:
    """Return what turns texts into a sparse matrix; at most so many words, and pieces of words."""
    terms = {"sublinear_tf": True, "max_features": most, "dtype": np.float32}
    words = TfidfVectorizer(ngram_range=(1, 2), token_pattern=WORD, **terms)
    pieces = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), **terms)
    return Apply(_joined), make_union(words, pieces)


def _joined(rows: Any) -> list[str]:
    """Return one text for each row; the columns of a frame are joined."""
    frame = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame({"text": rows})
    columns = [frame.iloc[:, number] for number in range(frame.shape[1])]
    plain = [column.astype("object").where(column.notna(), "").astype(str) for column in columns]
    return [" ".join(parts) for parts in zip(*plain, strict=True)]


def embedding_pipeline() -> Pipeline:
    """Build a classifier of embeddings: scaled columns, strongly regularised logistic regression.

    Returns
    -------
    sklearn.pipeline.Pipeline
        Fits an array of shape (n, d) of finite numbers.

    Examples
    --------
    >>> embedding_pipeline().fit([[0.0, 1.0], [1.0, 0.0]], ["a", "b"]).predict([[0.1, 0.9]])
    array(['a'], dtype='<U1')
    """
    # C by measuring, with 15 % of the labels made wrong: 0.02 to 0.03 found them best among
    # 0.001 .. 1 on pixels (64 columns), sentence embeddings (384) and picture features (512).
    return make_pipeline(StandardScaler(), LogisticRegression(C=0.03, max_iter=1000))


def embedding_regressor() -> Pipeline:
    """Build a model of values of embeddings: scaled columns, ridge.

    Returns
    -------
    sklearn.pipeline.Pipeline
        Fits an array of shape (n, d) of finite numbers; looks at no label before its last step.
    """
    return make_pipeline(StandardScaler(), Ridge(alpha=100.0))


def table_pipeline(
    frame: pd.DataFrame, *, model: Literal["auto", "linear", "boosting"] = "auto"
) -> Pipeline:
    """Build a classifier for the columns of a table.

    Parameters
    ----------
    frame : DataFrame of n rows
        The columns to predict from. Their types are guessed from all rows; no label is looked at.
    model : {"auto", "linear", "boosting"}
        "linear": logistic regression on scaled columns, missing values filled with the median
        and marked. "boosting": gradient-boosted trees. "auto": linear below 1,000 rows, where
        trees have too little to learn from, boosting from there on.

    Returns
    -------
    sklearn.pipeline.Pipeline
        Fits frames with the columns of `frame`, in the same order.

    Raises
    ------
    InputError
        `frame` is no DataFrame, or none of its columns holds anything.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"size": ["1", "2", "?", "9"], "colour": ["red", "red", "", "blue"]})
    >>> table_pipeline(frame).fit(frame, [0, 0, 1, 1]).predict(frame).tolist()
    [0, 0, 1, 1]
    """
    steps = encoder(frame)
    if _is_linear(model, len(frame)):
        return make_pipeline(steps, *_filled(), LogisticRegression(C=0.3, max_iter=1000))
    # Small trees, few of them: with 15 % of the labels wrong, the defaults learned a part of them.
    # No early stopping: its inner split fails on a class with a single row.
    trees = HistGradientBoostingClassifier(
        max_iter=60, max_leaf_nodes=15, l2_regularization=5.0, early_stopping=False
    )
    return make_pipeline(steps, EmptyToZero(), trees)


def table_regressor(
    frame: pd.DataFrame, *, model: Literal["auto", "linear", "boosting"] = "auto"
) -> Pipeline:
    """Build a model of values for the columns of a table.

    Parameters
    ----------
    frame : DataFrame of n rows
        The columns to predict from. Their types are guessed from all rows; no label is looked at.
    model : {"auto", "linear", "boosting"}
        "linear": ridge on scaled columns, missing values filled with the median and marked.
        "boosting": gradient-boosted trees that predict medians, which a few wild labels hardly
        move. "auto": linear below 1,000 rows, boosting from there on.

    Returns
    -------
    sklearn.pipeline.Pipeline
        Fits frames with the columns of `frame`, in the same order; looks at no label before its
        last step.

    Raises
    ------
    InputError
        `frame` is no DataFrame, or none of its columns holds anything.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"size": ["1", "2", "?", "9"], "colour": ["red", "red", "", "blue"]})
    >>> table_regressor(frame).fit(frame, [10, 20, 30, 90]).predict(frame).shape
    (4,)
    """
    steps = encoder(frame)
    if _is_linear(model, len(frame)):
        return make_pipeline(steps, *_filled(), Ridge(alpha=1.0))
    # Absolute error: with squared error, labels that are off by ten times bend the trees to them.
    # In docs/decisions there is a table.
    trees = HistGradientBoostingRegressor(
        loss="absolute_error",
        max_iter=60,
        max_leaf_nodes=15,
        l2_regularization=5.0,
        early_stopping=False,
    )
    return make_pipeline(steps, EmptyToZero(), trees)


def _is_linear(model: str, n: int) -> bool:
    if model not in ("auto", "linear", "boosting"):
        raise InputError("model", f"is {model!r}", "Use 'auto', 'linear' or 'boosting'")
    return model == "linear" or (model == "auto" and n < SMALL)


def _filled() -> tuple[Any, Any]:
    """Return what fills gaps and scales columns, for linear models."""
    fill = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    return fill, StandardScaler()


def encoder(frame: pd.DataFrame) -> Pipeline:
    """Build what turns the columns of a table into numbers.

    Numbers, also as text ("3,5", "?"), stay numbers. A date becomes days, month, weekday and
    hour. Names become a column each, the 31 most frequent ones where there are more than 32; these
    get a column with the share of rows that hold the name besides. A missing number or date is
    NaN, which the models handle; a missing name is a name of its own. Empty columns are left out.

    Parameters
    ----------
    frame : DataFrame of n rows
        The columns to encode; types are guessed from all rows, see `goldlabel.models.columns`.

    Returns
    -------
    sklearn.pipeline.Pipeline
        Turns frames with the columns of `frame` into float64 arrays of shape (n, numbers).

    Raises
    ------
    InputError
        `frame` is no DataFrame, or none of its columns holds anything.

    Warns
    -----
    DataWarning
        A column of text that differs in every row: as names, it says nothing.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"size": ["1,5", "?"], "colour": ["red", "blue"]})
    >>> encoder(frame).fit_transform(frame)
    array([[1.5, 0. , 1. ],
           [nan, 1. , 0. ]])
    """
    if not isinstance(frame, pd.DataFrame):
        raise InputError("frame", f"is a {type(frame).__name__}", "Pass a pandas DataFrame")
    kinds = [column_kind(frame.iloc[:, number]) for number in range(frame.shape[1])]
    steps = [
        (f"{kind.name} {number}", _encoding(kind), [number])
        for number, kind in enumerate(kinds)
        if kind.name != "empty"
    ]
    if not steps:
        raise InputError(
            "frame",
            f"has {frame.shape[1]} columns and {len(frame)} rows, and none of them holds a value",
            "Name columns with values in them",
        )
    _warn_of_free_text(frame, kinds)
    # By position, and without the names: ColumnTransformer mistakes whole-number names for
    # positions, and scikit-learn refuses names of mixed types.
    return make_pipeline(Apply(_unnamed), ColumnTransformer(steps, sparse_threshold=0.0))


def _unnamed(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.set_axis([f"x{number}" for number in range(frame.shape[1])], axis="columns")


def _encoding(kind: Kind) -> Any:
    """Build what turns a column of this kind into numbers."""
    if kind.name == "number":
        return Apply(partial(_number_column, kind=kind))
    if kind.name == "date":
        return Apply(partial(_date_columns, kind=kind))
    one_hot = OneHotEncoder(
        handle_unknown="infrequent_if_exist", max_categories=FEW, sparse_output=False
    )
    if kind.name == "few":
        one_hot.set_params(max_categories=None)
        return make_pipeline(Apply(_name_column), one_hot)
    return make_pipeline(Apply(_name_column), make_union(Frequencies(), one_hot))


def _number_column(frame: pd.DataFrame, kind: Kind) -> Floats:
    return numbers(frame.iloc[:, 0], kind)[:, np.newaxis]


def _date_columns(frame: pd.DataFrame, kind: Kind) -> Floats:
    return date_parts(frame.iloc[:, 0], kind)


def _name_column(frame: pd.DataFrame) -> npt.NDArray[np.object_]:
    return texts(frame.iloc[:, 0]).to_numpy(dtype=object)[:, np.newaxis]


class Apply(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Apply a function to all rows; unlike FunctionTransformer, with any names of columns.

    Parameters
    ----------
    function : callable
        Rows in, as many rows out; it must depend on nothing else.
    """

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.function = function

    def fit(self, rows: Any, y: Any = None) -> Apply:
        """Do nothing: there is nothing to learn."""
        return self

    def transform(self, rows: Any) -> Any:
        """Return the function of the rows."""
        return self.function(rows)

    def __sklearn_is_fitted__(self) -> bool:
        return True


class EmptyToZero(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Make columns zero that held nothing in the fitted rows: boosting cannot bin them."""

    def fit(self, matrix: Floats, y: Any = None) -> EmptyToZero:
        """Find the columns without a single value."""
        self.empty_ = np.isnan(matrix).all(axis=0)
        return self

    def transform(self, matrix: Floats) -> Floats:
        """Return the matrix with these columns zero."""
        return np.where(self.empty_, 0.0, matrix)


class Frequencies(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Replace each name by the share of the fitted rows that hold it; 0 for a new name."""

    def fit(self, names: npt.NDArray[np.object_], y: Any = None) -> Frequencies:
        """Count the names in the one column of `names`."""
        values, counts = np.unique(names[:, 0], return_counts=True)
        self.shares_ = dict(zip(values.tolist(), (counts / len(names)).tolist(), strict=True))
        return self

    def transform(self, names: npt.NDArray[np.object_]) -> Floats:
        """Look the names up."""
        shares = [self.shares_.get(name, 0.0) for name in names[:, 0].tolist()]
        return np.array(shares, dtype=np.float64)[:, np.newaxis]


def _warn_of_free_text(frame: pd.DataFrame, kinds: list[Kind]) -> None:
    free = [
        str(frame.columns[number])
        for number, kind in enumerate(kinds)
        if kind.name == "many" and frame.iloc[:, number].astype(str).is_unique
    ]
    if free:
        warn(
            f"features: {', '.join(map(repr, free))} differ in every row, so they tell nothing "
            "as names. Use the text model for texts, and leave out ids."
        )
