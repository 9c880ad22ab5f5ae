"""From packets to signals: what may be a way round the box, as facts without opinion."""
