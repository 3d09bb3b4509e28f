"""Speech in and out: the port for engines, the embedded recogniser, audio, sessions and the speaker."""
