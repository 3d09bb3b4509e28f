"""The index: passages, identifiers, embeddings, lexical and dense search, ranking. Imports nothing of ours."""
