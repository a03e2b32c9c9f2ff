import goldlabel.task

from .auditing import audit as audit
from .data import MultilabelData as MultilabelData
from .estimates import class_priors as class_priors
from .estimates import class_thresholds as class_thresholds
from .estimates import confident_joint as confident_joint
from .estimates import num_label_issues as num_label_issues
from .formats import export as export
from .formats import read as read
from .issues import find_label_issues as find_label_issues
from .scores import get_label_quality_scores as get_label_quality_scores
from .scores import get_label_quality_scores_per_class as get_label_quality_scores_per_class
from .summary import HealthSummary as HealthSummary
from .summary import common_label_issues as common_label_issues
from .summary import health_summary as health_summary
from .summary import overlapping_classes as overlapping_classes
from .summary import summarize as summarize
from .views import view as view

TASK: goldlabel.task.Task
