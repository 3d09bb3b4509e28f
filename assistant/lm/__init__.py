"""The language models that ship with Andon: corpus, training, export, and the files themselves."""
