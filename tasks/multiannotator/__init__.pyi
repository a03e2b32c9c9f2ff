import goldlabel.task

from .active.batches import next_examples as next_examples
from .active.batches import select as select
from .active.scores import ActiveScores as ActiveScores
from .active.scores import get_active_learning_scores as get_active_learning_scores
from .aggregation.comparison import compare_methods as compare_methods
from .aggregation.consensus import Consensus as Consensus
from .aggregation.truth_inference import get_consensus_labels as get_consensus_labels
from .annotators.report import annotator_report as annotator_report
from .auditing import audit as audit
from .data import MultiannotatorData as MultiannotatorData
from .formats import export as export
from .formats import read as read
from .issues import find_label_issues as find_label_issues
from .issues import get_label_quality_scores as get_label_quality_scores
from .summary import summarize as summarize
from .views import view as view
from .votes import Votes as Votes
from .writing import export_consensus as export_consensus
from .writing import write_consensus as write_consensus

TASK: goldlabel.task.Task
