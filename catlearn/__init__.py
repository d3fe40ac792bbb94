from catlearn.diagram import *
from catlearn.semirings import *
from catlearn.space import *
from catlearn.tracing import diagram, trace
from catlearn.reverse import *
