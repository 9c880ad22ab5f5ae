"""An installation without pages: its steps, papers, cards and the judgement of the self-test. Pure."""
