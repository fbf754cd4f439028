"""How many companies are generated, and which: the same in every run, or new ones from a seed (`make prove`).

| variable                  | what it changes                                                                  |
|---------------------------|----------------------------------------------------------------------------------|
| `HUFU_ORGANISATIONS`      | how many are compared; without it as many as a usual run has time for              |
| `HUFU_ORGANISATIONS_SEED` | new ones, from this number; without it always the same ones                       |
"""

from __future__ import annotations

import os

from tests import other_postgres

# Which companies a usual run has. By a test's own text they would be others with every change of it.
COMPANIES = 0x459B738687EA2C32DD141A0BE9C039C3BAE457203D6BEC6A7B3E1DF58D469A9BF7EBB54B981432B35D11B481A24D887C
# On a second PostgreSQL fewer: what differs there is SQL, not the policy.
_USUAL = "8" if other_postgres.VARIABLE in os.environ else "40"
COUNT = int(os.environ.get("HUFU_ORGANISATIONS", _USUAL))
# A run of them is compared in parts, side by side: each generates all and compares its share. Companies that were
# generated later are richer, so that every part has some of each kind.
PARTS = range(max(1, min(4, COUNT // 10)))
SEED = int(os.environ.get("HUFU_ORGANISATIONS_SEED", COMPANIES))
