"""Texts: who may get one and when, what it says, and a ledger that never sends it twice.

Consent, suppression and quiet hours are decided by one pure function (`decide`); a unique row
in the ledger exists before anything leaves; the carrier stands behind `providers.base.Provider`.
"""
