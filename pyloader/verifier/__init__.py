"""The verifier's refusal in a form that can be shown: source line, registers, advice.

``parse`` takes what libbpf printed, or a bare verifier log, of any kernel: up to 7.2 and for some
refusals later a trace of instructions and a last line of words, from 7.3 on also a report with
sections. It never raises: of an unknown text it keeps the last meaningful line. ``render`` lays a
refusal out as compilers do. Neither needs a kernel or a privilege.
"""

from pyloader.verifier.refusal import Refusal, RegisterFact, parse
from pyloader.verifier.render import render
from pyloader.verifier.report import PathStep
from pyloader.verifier.trace import SourceLine

__all__ = ["PathStep", "Refusal", "RegisterFact", "SourceLine", "parse", "render"]
