"""Telling someone of findings: rules, what is said, a ledger of who was told, and ways to tell them.

`notice` belongs to the run of a site and writes into its ledger what has to be told; `deliver` sends what the
ledger holds, and can fail and be tried again without anything else being done again.
"""
