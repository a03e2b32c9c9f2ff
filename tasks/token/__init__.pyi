import goldlabel.task

from .auditing import audit as audit
from .data import TokenData as TokenData
from .formats import export as export
from .formats import read as read
from .invalid import find_invalid_tags as find_invalid_tags
from .issues import find_label_issues as find_label_issues
from .merging import align_subwords as align_subwords
from .merging import merge_labels as merge_labels
from .merging import merge_probs as merge_probs
from .scores import get_label_quality_scores as get_label_quality_scores
from .scores import get_token_quality_scores as get_token_quality_scores
from .scores import issues_from_scores as issues_from_scores
from .span_classes import find_span_issues as find_span_issues
from .span_classes import get_span_quality_scores as get_span_quality_scores
from .summary import common_label_issues as common_label_issues
from .summary import summarize as summarize
from .views import view as view
from .words import tokenize as tokenize

TASK: goldlabel.task.Task
