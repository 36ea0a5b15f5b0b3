"""Which id a repaired archive gets, and which versions may open it."""

from collections import Counter

import pytest

from batch_avatar.archive.identity_check import About
from batch_avatar.archive.repair import choose

A, B = "a" * 16, "b" * 16


def test_an_id_that_no_claim_contradicts_stays():
    found = About(layout=1, archive_id=A)

    assert choose(found, Counter()) == found
    assert choose(found, Counter({A: 3})) == found


def test_the_only_id_that_claims_carry_is_restored_for_every_version():
    chosen = choose(None, Counter({A: 3}))

    assert (chosen.layout, chosen.archive_id, chosen.earlier_ids) == (1, A, ())


@pytest.mark.parametrize(
    ("found", "ids", "earlier"),
    [
        (None, Counter(), ()),
        (None, Counter({A: 3, B: 2}), (B,)),
        (About(layout=1, archive_id=B), Counter({A: 3, B: 2}), (B,)),
    ],
    ids=["no claim carries one", "several", "one of several"],
)
def test_an_archive_of_other_ids_is_refused_by_versions_that_know_only_one(found, ids, earlier):
    """The first version opens layout 1 alone. Going by the one id it would pay for the rest again."""
    chosen = choose(found, ids)

    assert (chosen.layout, chosen.earlier_ids, chosen.repaired) == (2, earlier, True)
