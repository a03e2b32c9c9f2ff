from .audit import Audit as Audit
from .crossvalidation import crossval as crossval
from .crossvalidation import crossval_predictions as crossval_predictions
from .errors import DataWarning as DataWarning
from .errors import GoldlabelError as GoldlabelError
from .errors import InputError as InputError
from .errors import MissingExtra as MissingExtra
from .ragged import Ragged as Ragged
from .result import LabelIssues as LabelIssues
from .task import find_tasks as find_tasks

__version__: str
