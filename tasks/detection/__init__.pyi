import goldlabel.task

from .arrays import as_boxes as as_boxes
from .arrays import as_detections as as_detections
from .auditing import audit as audit
from .boxes import Boxes as Boxes
from .boxes import Detections as Detections
from .coco_metrics import coco_map as coco_map
from .data import DetectionData as DetectionData
from .fixes import with_suggestions as with_suggestions
from .formats import export as export
from .formats import read as read
from .issues import find_label_issues as find_label_issues
from .issues import get_label_quality_scores as get_label_quality_scores
from .issues import issues_from_scores as issues_from_scores
from .objectlab import BoxScores as BoxScores
from .objectlab import get_box_quality_scores as get_box_quality_scores
from .precision import average_precision as average_precision
from .precision import confusion_per_class as confusion_per_class
from .summary import box_sizes as box_sizes
from .summary import class_shares as class_shares
from .summary import object_counts as object_counts
from .summary import summarize as summarize
from .views import view as view

TASK: goldlabel.task.Task
