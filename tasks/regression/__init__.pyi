import goldlabel.task

from .auditing import audit as audit
from .data import RegressionData as RegressionData
from .formats import export as export
from .formats import read as read
from .grid import OutreGrid as OutreGrid
from .issues import find_label_issues as find_label_issues
from .learning import CleanLearning as CleanLearning
from .scores import get_label_quality_scores as get_label_quality_scores
from .summary import summarize as summarize
from .views import view as view

TASK: goldlabel.task.Task
