"""What all steps stand on: errors, paths, the project file, the ledger, the chain, the journal.

The six steps know this package and the contracts, and not each other.
"""
