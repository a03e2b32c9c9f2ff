from .errors import DataWarning as DataWarning
from .errors import GoldlabelError as GoldlabelError
from .errors import InputError as InputError
from .errors import MissingExtra as MissingExtra
from .inputs.ragged import Ragged as Ragged
from .models.crossvalidation import crossval as crossval
from .models.crossvalidation import crossval_predictions as crossval_predictions
from .results.audit import Audit as Audit
from .results.label_issues import LabelIssues as LabelIssues
from .task import find_tasks as find_tasks

__version__: str
