import goldlabel.task

from .auditing import audit as audit
from .comparing import InstanceMasks as InstanceMasks
from .data import SegmentationData as SegmentationData
from .formats import export as export
from .formats import read as read
from .instances import find_instance_issues as find_instance_issues
from .issues import PixelIssues as PixelIssues
from .issues import find_label_issues as find_label_issues
from .issues import find_pixel_issues as find_pixel_issues
from .scores import get_label_quality_scores as get_label_quality_scores
from .scores import get_pixel_quality_scores as get_pixel_quality_scores
from .scores import issues_from_scores as issues_from_scores
from .summary import common_label_issues as common_label_issues
from .summary import filter_by_class as filter_by_class
from .summary import summarize as summarize
from .views import view as view

TASK: goldlabel.task.Task
