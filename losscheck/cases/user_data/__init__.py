"""Data of one's own: batches from a file or a callable, as rows under the names of arguments."""

from losscheck.cases.user_data.batches import Batches, read
from losscheck.cases.user_data.rows import Data, arrange, names_of

__all__ = ["Batches", "Data", "arrange", "names_of", "read"]
