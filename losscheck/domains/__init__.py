"""What values an argument may take, and its ranges: ordinary, working and extreme."""

from losscheck.domains.base import OUTSIDE, Domain
from losscheck.domains.table import NAMED, names_classes, parse

__all__ = ["NAMED", "OUTSIDE", "Domain", "names_classes", "parse"]
