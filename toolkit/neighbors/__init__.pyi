from .graph import NeighborGraph as NeighborGraph
from .graph import as_graph as as_graph
from .graph import neighbor_graph as neighbor_graph
