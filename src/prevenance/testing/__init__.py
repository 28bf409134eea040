"""The laws, for what a company adds: ``check_features``, ``check_target`` and ``check_plugin`` to be called from its own tests.

Each law is tried on small random companies that share window edges, ties, late facts and holes; one that is broken is an
``AssertionError`` that says which column, of whom, at which cutoff. A law that had nothing to look at is one too: it would prove nothing.

    from prevenance import testing

    def test_the_laws():
        testing.check_plugin(acme_success.plugin)
"""

from prevenance.testing.laws import EDITS, check_features, check_target, edited
from prevenance.testing.plugged import check_plugin, check_words
from prevenance.testing.worlds import CUTOFFS, world

__all__ = ["CUTOFFS", "EDITS", "check_features", "check_plugin", "check_target", "check_words", "edited", "world"]
